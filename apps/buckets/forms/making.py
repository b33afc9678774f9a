from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.buckets.rules import full_name, name_problem, name_room, tag_problem
from apps.buckets.services.making import appid_of
from apps.connections.models import Connection
from apps.storage.features import Features, TagLimits
from apps.storage.grants import Grant, Permission, account_grantee
from apps.storage.registry import provider_get
from apps.storage.tags import Tag

PUBLIC_WORD = "public"
PRIVATE = "private"

# What a canned ACL means, in the words of the person who will be surprised by it.
ACL_LABELS: dict[str, str | Promise] = {
    "private": gettext_lazy("Private: only this account"),
    "public-read": gettext_lazy("Public read: anybody can list and download everything in it"),
    "public-read-write": gettext_lazy("Public read and write: anybody can also upload and delete"),
    "authenticated-read": gettext_lazy("Signed-in read: every Tencent Cloud account can list and download"),
}


# What a permission on a bucket lets an account do.
PERMISSION_LABELS: dict[str, str | Promise] = {
    Permission.READ: gettext_lazy("Read: list and download"),
    Permission.WRITE: gettext_lazy("Write: upload, replace and delete"),
    Permission.READ_ACP: gettext_lazy("Read the grants"),
    Permission.WRITE_ACP: gettext_lazy("Change the grants"),
    Permission.FULL_CONTROL: gettext_lazy("Everything"),
}

is_account = RegexValidator(r"^[0-9]{1,20}\Z", gettext_lazy("An account id has digits only."))


def _plain() -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"})


class BucketForm(forms.Form):
    connection = forms.ChoiceField(label=gettext_lazy("Connection"))
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        help_text=gettext_lazy("Lower-case letters, digits and hyphens. It cannot be changed later."),
        widget=forms.TextInput(
            attrs={"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
        ),
    )
    region = forms.ChoiceField(
        label=gettext_lazy("Region"),
        help_text=gettext_lazy("Where the data lies. It cannot be changed later."),
    )
    acl = forms.ChoiceField(
        label=gettext_lazy("Access"),
        initial=PRIVATE,
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )
    confirm = forms.CharField(
        label=gettext_lazy("Only for public access: type the word public"),
        required=False,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: Any, connections: list[Connection], **kwargs: Any) -> None:
        self.connections = {connection.slug: connection for connection in connections}
        super().__init__(*args, **kwargs)
        features = self.features
        self._choose("connection", [(slug, connection.name) for slug, connection in self.connections.items()])
        self._choose("region", [(region, region) for region in features.regions])
        self._choose("acl", [(acl, ACL_LABELS.get(acl, acl)) for acl in features.bucket_acls])
        self.initial.setdefault("region", self._chosen().default_region)

    def clean_acl(self) -> str:
        return self.cleaned_data["acl"] or PRIVATE

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if self.cleaned_data.get("acl", PRIVATE) != PRIVATE and typed.strip().lower() != PUBLIC_WORD:
            raise ValidationError(_("People outside this account will get in. Type public to confirm."))
        return typed

    def clean(self) -> None:
        if problem := self.name_problem():
            self.add_error("name", problem)

    def name_problem(self) -> str | None:
        """Return what is wrong with the name, None as long as something else is missing."""
        name = self.cleaned_data.get("name")
        connection = self.connections.get(self.cleaned_data.get("connection", ""))
        if not name or connection is None:
            return None
        appid = appid_of(connection)
        if not appid:
            return _("The connection has no APPID, which every name ends in. Add it to the connection first.")
        region = self.cleaned_data.get("region") or "ap-beijing"
        return name_problem(name, appid=appid, region=region, suffix=connection.suffix)

    @property
    def full_name(self) -> str:
        """The name as the store will know it, as far as it is known yet; '' without name or APPID."""
        name = str(self["name"].value() or "").strip()
        appid = appid_of(self._chosen())
        return full_name(name, appid) if name and appid else ""

    @property
    def room(self) -> int:
        """How many characters a name may have beside the APPID, in the chosen region."""
        connection = self._chosen()
        region = str(self["region"].value() or "ap-beijing")
        return max(0, name_room(appid=appid_of(connection), region=region, suffix=connection.suffix))

    @property
    def short_name(self) -> str:
        """The name without its APPID."""
        return self.full_name.removesuffix(f"-{appid_of(self._chosen())}")

    @property
    def features(self) -> Features:
        return provider_get(self._chosen().provider).features

    def to_connection(self) -> Connection:
        return self.connections[self.cleaned_data["connection"]]

    def _chosen(self) -> Connection:
        """Return the connection that was chosen, else the first one, whose choices are offered."""
        slug = self.data.get(self.add_prefix("connection")) or self.initial.get("connection")
        return self.connections.get(str(slug)) or next(iter(self.connections.values()))

    def _choose(self, name: str, choices: list[tuple[str, str | Promise]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]


class GrantForm(forms.Form):
    """One account that a new bucket lets in."""

    account = forms.CharField(
        label=gettext_lazy("Root account id"),
        max_length=20,
        required=False,
        validators=[is_account],
        widget=_plain(),
    )
    sub_account = forms.CharField(
        label=gettext_lazy("Sub-account id, if any"),
        max_length=20,
        required=False,
        validators=[is_account],
        widget=_plain(),
    )
    permission = forms.ChoiceField(label=gettext_lazy("May"), initial=Permission.READ, required=False)

    def __init__(self, *args: Any, features: Features, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["permission"].choices = [  # type: ignore[attr-defined]
            (permission, PERMISSION_LABELS.get(permission, permission))
            for permission in features.bucket_permissions
        ]

    def clean(self) -> None:
        """Ask for the account only in a row that says something: empty rows are left out."""
        if not self.errors and not self.cleaned_data.get("account"):
            self.add_error("account", forms.Field.default_error_messages["required"])

    def to_grant(self) -> Grant:
        data = self.cleaned_data
        return Grant(
            account_grantee(data["account"], data["sub_account"]), data["permission"] or Permission.READ
        )


class TagForm(forms.Form):
    """One tag of a new bucket."""

    key = forms.CharField(label=gettext_lazy("Key"), max_length=256, required=False, widget=_plain())
    value = forms.CharField(label=gettext_lazy("Value"), max_length=256, required=False, widget=_plain())

    def __init__(self, *args: Any, features: Features, **kwargs: Any) -> None:
        self.limits: TagLimits = features.bucket_tags
        super().__init__(*args, **kwargs)

    def clean(self) -> None:
        if not self.cleaned_data.get("key"):
            self.add_error("key", forms.Field.default_error_messages["required"])
        for name in ("key", "value"):
            if problem := tag_problem(
                self.cleaned_data.get(name, ""), limits=self.limits, is_key=name == "key"
            ):
                self.add_error(name, problem)

    def to_tag(self) -> Tag:
        return Tag(self.cleaned_data["key"], self.cleaned_data["value"])


class TagFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    def clean(self) -> None:
        """Refuse a second tag of the same key: the store would keep one of them, nobody knows which."""
        seen: set[str] = set()
        for form in self.forms:
            key = form.cleaned_data.get("key") if hasattr(form, "cleaned_data") else None
            if key and key in seen:
                form.add_error("key", _("There is a tag with this key already."))
            seen.add(key or "")


class NewBucketForms:
    """Everything that is asked about a new bucket: itself, the accounts it lets in, and its tags."""

    def __init__(
        self, data: QueryDict | None = None, *, connections: list[Connection], connection: str = ""
    ) -> None:
        self.bucket = BucketForm(data, connections=connections, initial={"connection": connection})
        features = self.bucket.features
        self.grants = _rows_of(GrantForm, "grants", data, features, count_max=features.grants_max)
        self.tags = _rows_of(TagForm, "tags", data, features, count_max=features.bucket_tags.count_max)

    @classmethod
    def with_more(cls, data: QueryDict, *, connections: list[Connection], more: str) -> NewBucketForms:
        """Return what was typed with one more row of `more`, without a word about what is missing yet."""
        forms_ = cls(data, connections=connections)
        typed = {name: forms_.bucket[name].value() for name in forms_.bucket.fields}
        forms_.bucket = BucketForm(connections=connections, initial=typed)
        for name, kind in (("grants", GrantForm), ("tags", TagForm)):
            rows = getattr(forms_, name)
            values = [{field: form[field].value() for field in form.fields} for form in rows.forms]
            setattr(forms_, name, _typed_rows(kind, name, values, forms_.bucket.features, name == more))
        return forms_

    def is_valid(self) -> bool:
        return all([self.bucket.is_valid(), self.grants.is_valid(), self.tags.is_valid()])

    def to_grants(self) -> list[Grant]:
        return [form.to_grant() for form in self.grants.forms if form.has_changed()]

    def to_tags(self) -> list[Tag]:
        return [form.to_tag() for form in self.tags.forms if form.has_changed()]


def _rows_of(
    kind: type[Any], prefix: str, data: QueryDict | None, features: Features, *, count_max: int
) -> forms.BaseFormSet[Any]:
    """Return the rows of a form; none were sent where the page does not even say how many."""
    if data is not None and f"{prefix}-TOTAL_FORMS" not in data:
        data = QueryDict(f"{prefix}-TOTAL_FORMS=0&{prefix}-INITIAL_FORMS=0")
    made = forms.formset_factory(
        kind,
        formset=TagFormSet if kind is TagForm else forms.BaseFormSet,
        extra=1,
        max_num=count_max,
        absolute_max=count_max + 1,
        validate_max=True,
    )
    return made(data, prefix=prefix, form_kwargs={"features": features})


def _typed_rows(
    kind: type[Any], prefix: str, values: list[dict[str, Any]], features: Features, has_more: bool
) -> forms.BaseFormSet[Any]:
    count = len(values) + has_more
    made = forms.formset_factory(kind, extra=count)
    rows = made(prefix=prefix, form_kwargs={"features": features})
    for form, typed in zip(rows.forms, values, strict=False):
        form.initial = typed
    if has_more and rows.forms:
        next(iter(rows.forms[-1].fields.values())).widget.attrs["autofocus"] = True
    return rows
