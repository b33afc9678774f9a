"""What an action asks before it can be planned, a form for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.batches.content import CONTENT_HEADERS, grants_json
from apps.batches.models import Action, Batch
from apps.connections.services import bucket_region, store_for
from apps.storage.features import Features
from apps.storage.grants import Grant, account_grantee
from apps.storage.keys import key_name, key_parent, visible
from apps.transfers.fields import KeyField, is_key_length, is_new_key

GRANTS = "grants"
CHECK = {"class": "form-check-input"}

ACL_LABELS = {
    "default": gettext_lazy("Inherit: as the bucket decides"),
    "private": gettext_lazy("Private: only this account"),
    "public-read": gettext_lazy("Public read: anybody who knows the address can download them"),
    "authenticated-read": gettext_lazy("Signed-in read: every Tencent Cloud account can download them"),
    "bucket-owner-read": gettext_lazy("The bucket's owner may read them"),
    "bucket-owner-full-control": gettext_lazy("The bucket's owner may do everything with them"),
}
PRESETS = {
    "": gettext_lazy("None: set them one by one"),
    "no-cache": gettext_lazy("No cache: browsers and CDN ask each time"),
    "web-asset": gettext_lazy("Web asset: kept for a year, for names that change with their content"),
    "download": gettext_lazy("Download: browsers save instead of showing"),
}
PRESET_HEADERS = {
    "no-cache": {"cache-control": "no-cache"},
    "web-asset": {"cache-control": "public, max-age=31536000, immutable"},
    "download": {"content-disposition": "attachment"},
}


class TargetForm(forms.Form):
    """Where copies go: a bucket and a folder of it."""

    bucket = forms.ChoiceField(label=gettext_lazy("To bucket"))
    prefix = KeyField(  # type: ignore[assignment]
        label=gettext_lazy("To folder"),
        required=False,
        help_text=gettext_lazy("Such as archive/2026/. Empty is the top of the bucket."),
        widget=forms.TextInput(attrs={"list": "folders", "spellcheck": "false", "autocomplete": "off"}),
    )
    is_acl_kept = forms.BooleanField(
        label=gettext_lazy("Keep the access of each object"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Otherwise the copies inherit that of the target bucket."),
    )

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch = batch
        names = {batch.bucket, *batch.connection.known_buckets.values_list("name", flat=True)}
        self.fields["bucket"].choices = [(name, name) for name in sorted(names)]  # type: ignore[attr-defined]
        self.fields["bucket"].initial = batch.bucket

    def clean_prefix(self) -> str:
        prefix: str = self.cleaned_data["prefix"]
        if prefix and not prefix.endswith("/"):
            prefix += "/"
        if prefix:
            is_key_length(prefix)
            is_new_key(prefix)
        return prefix

    def clean(self) -> None:
        data = self.cleaned_data
        if "prefix" in data and data.get("bucket") == self.batch.bucket:
            for problem in self._problems(data["prefix"]):
                self.add_error("prefix", problem)

    def _problems(self, prefix: str) -> Iterator[str]:
        """Yield what is wrong with a place in the bucket that the objects are in already."""
        selection = self.batch.selection
        for folder in selection.folders:
            name = {"folder": visible(folder)}
            if prefix.startswith(folder):
                yield _("The folder %(folder)s cannot go into itself. Choose another one.") % name
            elif prefix == key_parent(folder):
                yield _("%(folder)s is in this folder already.") % name
        if selection.match is not None and prefix == selection.match.prefix:
            yield _("They are in this folder already. Choose another one.")

    def to_options(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "bucket": data["bucket"],
            "region": bucket_region(self.batch.connection, data["bucket"]),
            "prefix": quote(data["prefix"], safe="/"),
            "is_acl_kept": data["is_acl_kept"],
        }

    def place(self) -> str:
        data = self.cleaned_data
        return f"{self.batch.bucket} → {data['bucket']}/{visible(data['prefix'])}"


class RenameForm(forms.Form):
    """The new name of one object or one folder."""

    name = KeyField(label=gettext_lazy("New name"))

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch = batch
        selection = batch.selection
        self.is_folder = bool(selection.folders)
        self.old: str = (*selection.folders, *selection.keys)[0]
        self.fields["name"].initial = key_name(self.old).removesuffix("/")
        parent = key_parent(self.old)
        self.fields["name"].help_text = (
            _("In the folder %(folder)s. With a slash at the beginning it is the whole key.")
            % {"folder": visible(parent)}
            if parent
            else _("A slash in it makes a folder.")
        )

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        name = typed[1:] if typed.startswith("/") else key_parent(self.old) + typed
        if self.is_folder and not name.endswith("/"):
            name += "/"
        if not name or name == "/":
            raise ValidationError(_("A name is needed."))
        if not self.is_folder and name.endswith("/"):
            raise ValidationError(_("This is the name of a folder. Leave out the slash at its end."))
        is_key_length(name)
        is_new_key(name)
        if name == self.old:
            raise ValidationError(_("This is the name that it has. Choose another one."))
        if self.is_folder and name.startswith(self.old):
            raise ValidationError(_("A folder cannot go into itself. Choose another name."))
        return name

    def to_options(self) -> dict[str, Any]:
        name = quote(self.cleaned_data["name"], safe="/")
        return {"name": name, "bucket": self.batch.bucket, "region": self.batch.region, "is_acl_kept": True}

    def place(self) -> str:
        return f"{self.batch.bucket} → {visible(self.cleaned_data['name'])}"


class AccessForm(forms.Form):
    """Which access the objects get: a canned one, or named accounts."""

    acl = forms.ChoiceField(
        label=gettext_lazy("Access"), widget=forms.RadioSelect(attrs=CHECK), initial="default"
    )
    accounts = forms.CharField(
        label=gettext_lazy("Accounts"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One a line: the UIN of a root account, or root/sub-account, and what it may do, such as "
            "100000000001 READ. Permissions: READ, READ_ACP, WRITE_ACP, FULL_CONTROL."
        ),
    )

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch = batch
        self.features: Features = store_for(batch.connection).features
        canned = [(name, ACL_LABELS.get(name, name)) for name in self.features.object_acls]
        named = (GRANTS, gettext_lazy("Only the accounts that are named here"))
        self.fields["acl"].choices = [*canned, named]  # type: ignore[attr-defined]

    def clean_accounts(self) -> list[Grant]:
        if self.cleaned_data.get("acl") != GRANTS:
            return []
        lines = [line.strip() for line in self.cleaned_data["accounts"].splitlines() if line.strip()]
        grants = [self._grant(line) for line in lines]
        if not grants:
            raise ValidationError(_("Name at least one account, or choose Private."))
        if len(grants) > self.features.grants_max:
            raise ValidationError(
                _("At most %(max)s grants are possible.") % {"max": self.features.grants_max}
            )
        return grants

    def _grant(self, line: str) -> Grant:
        who, _space, permission = line.replace("\t", " ").partition(" ")
        account, _slash, sub_account = who.partition("/")
        permission = permission.strip().upper()
        ids = (account, sub_account) if sub_account else (account,)
        if not all(number.isascii() and number.isdigit() and len(number) < 30 for number in ids):
            raise ValidationError(
                _("“%(line)s” does not begin with the number of an account.") % {"line": line}
            )
        if permission not in self.features.object_permissions:
            raise ValidationError(_("“%(line)s” names no permission that an object has.") % {"line": line})
        return Grant(account_grantee(*ids), permission)

    def to_options(self) -> dict[str, Any]:
        data = self.cleaned_data
        options = {"acl": data["acl"]}
        if data["acl"] == GRANTS:
            options["grants"] = grants_json(tuple(data["accounts"]))
        return options

    def place(self) -> str:
        return self.batch.bucket


class HeadersForm(forms.Form):
    """Which headers, metadata and class the objects get; what is left empty stays as each object has it."""

    preset = forms.ChoiceField(label=gettext_lazy("Preset"), choices=list(PRESETS.items()), required=False)
    content_type = forms.CharField(label="Content-Type", max_length=200, required=False)
    cache_control = forms.CharField(label="Cache-Control", max_length=500, required=False)
    content_disposition = forms.CharField(label="Content-Disposition", max_length=500, required=False)
    content_encoding = forms.CharField(label="Content-Encoding", max_length=100, required=False)
    content_language = forms.CharField(label="Content-Language", max_length=100, required=False)
    expires = forms.CharField(label="Expires", max_length=100, required=False)
    remove = forms.MultipleChoiceField(
        label=gettext_lazy("Remove"),
        choices=[(name, name.title()) for name in CONTENT_HEADERS if name != "content-type"],
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs=CHECK),
    )
    metadata = forms.CharField(
        label=gettext_lazy("Metadata"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One a line, such as owner: ana. A name with nothing after the colon is removed."
        ),
    )
    is_metadata_replaced = forms.BooleanField(label=gettext_lazy("Remove all other metadata"), required=False)
    storage_class = forms.ChoiceField(label=gettext_lazy("Class"), required=False)

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch = batch
        self.features: Features = store_for(batch.connection).features
        classes = [(name, name) for name in self.features.storage_classes]
        self.fields["storage_class"].choices = [("", _("As it is")), *classes]  # type: ignore[attr-defined]

    def clean(self) -> None:
        data = self.cleaned_data
        for name in CONTENT_HEADERS:
            value = data.get(name.replace("-", "_"), "")
            if not value.isprintable():
                self.add_error(name.replace("-", "_"), _("This holds a character that no header can."))
            if value and name in data.get("remove", ()):
                self.add_error(
                    "remove", _("%(header)s cannot be set and removed.") % {"header": name.title()}
                )
        if not self.errors and not self._has_changes():
            raise ValidationError(_("Nothing is to be changed. Set a header, some metadata or a class."))

    def clean_metadata(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for line in self.cleaned_data["metadata"].splitlines():
            if not line.strip():
                continue
            name, colon, value = line.partition(":")
            name = name.strip().lower().removeprefix("x-cos-meta-")
            if not colon or not name or not name.isascii() or not name.replace("-", "").isalnum():
                raise ValidationError(
                    _("“%(line)s” is no name and value: names hold letters, digits and hyphens.")
                    % {"line": line}
                )
            found[name] = value.strip() or None
        size = sum(len(name) + len((value or "").encode()) for name, value in found.items())
        if size > self.features.metadata_bytes_max:
            raise ValidationError(
                _("This is more metadata than an object can have: %(size)s of %(max)s bytes.")
                % {"size": size, "max": self.features.metadata_bytes_max}
            )
        return found

    def _has_changes(self) -> bool:
        data = self.cleaned_data
        return bool(
            self._set()
            or data["remove"]
            or data["metadata"]
            or data["is_metadata_replaced"]
            or data["storage_class"]
        )

    def _set(self) -> dict[str, str]:
        data = self.cleaned_data
        typed = {
            name: data[name.replace("-", "_")] for name in CONTENT_HEADERS if data[name.replace("-", "_")]
        }
        return {**PRESET_HEADERS.get(data["preset"], {}), **typed}

    def to_options(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "set": self._set(),
            "remove": data["remove"],
            "metadata": data["metadata"],
            "is_metadata_replaced": data["is_metadata_replaced"],
            "storage_class": data["storage_class"],
        }

    def place(self) -> str:
        return self.batch.bucket


OptionsForm = TargetForm | RenameForm | AccessForm | HeadersForm

FORMS: dict[str, type[OptionsForm]] = {
    Action.COPY: TargetForm,
    Action.MOVE: TargetForm,
    Action.RENAME: RenameForm,
    Action.ACCESS: AccessForm,
    Action.HEADERS: HeadersForm,
}
