"""What an action asks before it can be planned, a form for each."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.batches.content import grants_json
from apps.batches.forms.action import CHECK, ActionForm
from apps.batches.forms.headers import HeadersForm
from apps.batches.forms.target import ACL_LABELS, TargetForm
from apps.batches.models import Action, Batch
from apps.batches.rules import KEPT
from apps.connections.services import store_for
from apps.storage.features import Features
from apps.storage.grants import Grant, account_grantee
from apps.storage.keys import key_name, key_parent, visible
from apps.transfers.fields import KeyField, is_key_length, is_new_key

GRANTS = "grants"


class RenameForm(ActionForm):
    """The new name of one object or one folder."""

    name = KeyField(label=gettext_lazy("New name"))

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, batch=batch, **kwargs)
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
        return {"name": name, "bucket": self.batch.bucket, "region": self.batch.region, "access": KEPT}

    def place(self) -> str:
        return f"{self.batch.bucket} → {visible(self.cleaned_data['name'])}"


class AccessForm(ActionForm):
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
        super().__init__(*args, batch=batch, **kwargs)
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


FORMS: dict[str, type[ActionForm]] = {
    Action.COPY: TargetForm,
    Action.MOVE: TargetForm,
    Action.RENAME: RenameForm,
    Action.ACCESS: AccessForm,
    Action.HEADERS: HeadersForm,
}
