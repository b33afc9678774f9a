"""The table of grants: one row for each permission that somebody has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import BaseFormSet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.rules.findings import is_unknown
from apps.access.rules.words import short, who
from apps.storage.grants import EVERYONE, SIGNED_IN, Acl, Grant, Grantee, GranteeKind, account_grantee

PREFIX = "grant"
# More rows than any store takes grants: what a form may make the server draw.
ROWS_MAX = 200
KINDS = (
    (GranteeKind.ACCOUNT.value, gettext_lazy("Root account")),
    (GranteeKind.SUB_ACCOUNT.value, gettext_lazy("Sub-account")),
    (GranteeKind.EVERYONE.value, gettext_lazy("Everyone on the internet")),
    (GranteeKind.SIGNED_IN.value, gettext_lazy("Everyone with an account at this cloud")),
)
_NUMBER = re.compile(r"[0-9]{5,20}")
_INDEX = re.compile(r"[0-9]{1,4}")
_GROUPS = {GranteeKind.EVERYONE: EVERYONE, GranteeKind.SIGNED_IN: SIGNED_IN}


class GrantForm(forms.Form):
    """One row: a permission for somebody.

    `kept` is the place of a grant in what was seen that no other row could express; it can only be removed.
    """

    kept = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    kind = forms.ChoiceField(label=gettext_lazy("Who"), choices=KINDS, required=False, initial=KINDS[0][0])
    account = forms.CharField(label=gettext_lazy("Root account (uin)"), required=False, max_length=60)
    sub_account = forms.CharField(label=gettext_lazy("Sub-account (uin)"), required=False, max_length=20)
    permission = forms.ChoiceField(label=gettext_lazy("May"), required=False, initial="READ")

    def __init__(self, *args: Any, permissions: Sequence[str], base: Acl | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.base = base
        choices = [(one, f"{short(one)} · {one}") for one in permissions]
        self.fields["permission"].choices = choices  # type: ignore[attr-defined]
        for name in ("account", "sub_account"):
            attrs = {"inputmode": "numeric", "autocomplete": "off", "spellcheck": "false"}
            self.fields[name].widget.attrs |= attrs

    @property
    def kept_grant(self) -> Grant | None:
        """Return the grant that this row keeps as it is."""
        index = str(self["kept"].value() if self["kept"].value() is not None else "")
        grants = self.base.explicit if self.base else ()
        return grants[int(index)] if _INDEX.fullmatch(index) and int(index) < len(grants) else None

    @property
    def kept_who(self) -> str:
        return who(self.kept_grant.grantee) if self.kept_grant else ""

    def clean(self) -> None:
        if self.cleaned_data.get("kept") is not None:
            if self.kept_grant is None:
                raise ValidationError(_("This grant is not there any more. Remove the row."))
            return
        # "root/sub", as other tools write it, is taken apart.
        account, _slash, sub_account = self.cleaned_data.get("account", "").partition("/")
        self.cleaned_data["account"] = account.strip()
        self.cleaned_data["sub_account"] = self.cleaned_data.get("sub_account") or sub_account.strip()
        self._check_ids(GranteeKind(self.cleaned_data.get("kind") or GranteeKind.ACCOUNT))

    def _check_ids(self, kind: GranteeKind) -> None:
        account, sub_account = self.cleaned_data["account"], self.cleaned_data["sub_account"]
        if kind in _GROUPS:
            return
        if not _NUMBER.fullmatch(account):
            self.add_error("account", _("Enter the number (uin) of the root account: digits only."))
        if kind is GranteeKind.SUB_ACCOUNT and not _NUMBER.fullmatch(sub_account):
            self.add_error("sub_account", _("Enter the number (uin) of the sub-account: digits only."))
        if kind is GranteeKind.ACCOUNT and sub_account not in ("", account):
            self.add_error("sub_account", _("Choose “Sub-account” for this number, or clear it."))
        if self.base and account_grantee(account, sub_account) == self.base.owner:
            self.add_error("account", _("This is the owner, who may do everything without a grant."))

    def to_grant(self) -> Grant | None:
        """Return the grant, None for a row that was left empty."""
        if not self.cleaned_data:
            return None
        if self.kept_grant:
            return self.kept_grant
        return Grant(self._grantee(), self.cleaned_data["permission"] or "READ")

    def _grantee(self) -> Grantee:
        kind = GranteeKind(self.cleaned_data["kind"] or GranteeKind.ACCOUNT)
        if kind in _GROUPS:
            return _GROUPS[kind]
        is_sub = kind is GranteeKind.SUB_ACCOUNT
        return account_grantee(
            self.cleaned_data["account"], self.cleaned_data["sub_account"] if is_sub else ""
        )


if TYPE_CHECKING:
    _Rows = BaseFormSet[GrantForm]
else:
    _Rows = BaseFormSet


class GrantRows(_Rows):
    def initial_form_count(self) -> int:
        """Any row may be left empty: an empty one is no grant."""
        return 0 if self.is_bound else super().initial_form_count()


def rows_of_acl(acl: Acl | None, base: Acl | None, permissions: Sequence[str]) -> list[dict[str, Any]]:
    """Return the table of an ACL; an object that inherits has none. `base` is what rows are kept from."""
    if acl is None or base is None or acl.is_inherited:
        return []
    return [_row(grant, base, permissions) for grant in acl.explicit]


def rows_left(data: QueryDict, *, removed: str = "", is_added: bool = False) -> list[dict[str, Any]]:
    """Return the table as somebody left it, without checking it: less a row, or with an empty one."""
    total = data.get(f"{PREFIX}-TOTAL_FORMS", "0")
    count = min(int(total), ROWS_MAX) if _INDEX.fullmatch(total) else 0
    rows = [
        {name: data.get(f"{PREFIX}-{index}-{name}", "") for name in GrantForm.base_fields}
        for index in range(count)
        if str(index) != removed
    ]
    return [*rows, {"kind": GranteeKind.ACCOUNT.value, "permission": "READ"}] if is_added else rows


def rows_carried(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return a table as the names and values of hidden fields."""
    named = [
        (f"{PREFIX}-{index}-{name}", str(value))
        for index, row in enumerate(rows)
        for name, value in row.items()
        if value is not None
    ]
    return [(f"{PREFIX}-TOTAL_FORMS", str(len(rows))), (f"{PREFIX}-INITIAL_FORMS", "0"), *named]


def _row(grant: Grant, base: Acl, permissions: Sequence[str]) -> dict[str, Any]:
    if is_unknown(grant) or grant.permission not in permissions:
        return {"kept": base.explicit.index(grant)}
    return {
        "kind": grant.grantee.kind.value,
        "account": grant.grantee.account,
        "sub_account": grant.grantee.sub_account,
        "permission": str(grant.permission),
    }
