"""Grants as a form takes them: a canned choice, or a table of who may do what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import formset_factory
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.forms.exposing import reason_field
from apps.access.forms.grants import PREFIX, GrantForm, GrantRows, rows_carried, rows_of_acl
from apps.access.rules.canned import Choice, acl_of_canned, canned_choice, canned_of
from apps.access.rules.carried import acl_carried, acl_received
from apps.access.rules.words import Resource
from apps.storage.features import Features
from apps.storage.grants import EVERYONE, Acl, Grantee

NAMED = "named"
TOO_OLD = gettext_lazy("This page is too old to be saved. Reload it and enter the change again.")
PUBLIC_WORD = "public"


class AclForm(forms.Form):
    """A new ACL: a canned name, or the table; and what was seen, which it is to replace."""

    seen = forms.CharField(widget=forms.HiddenInput, strip=False, error_messages={"required": TOO_OLD})
    choice = forms.ChoiceField(label=gettext_lazy("Access"), widget=forms.RadioSelect)
    drop_unknown = forms.BooleanField(
        label=gettext_lazy("Lose what the console cannot read"),
        required=False,
        help_text=gettext_lazy("It is named above. Without this nothing is saved."),
    )
    confirm = forms.CharField(
        label=gettext_lazy("Type the word public to confirm"),
        required=False,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    reason = reason_field()

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        resource: Resource,
        features: Features,
        bucket_owner: Grantee | None,
        base: Acl | None = None,
        wanted: Acl | None = None,
        rows: Sequence[Mapping[str, Any]] | None = None,
        choice: str = "",
    ) -> None:
        """Unbound it shows `wanted`, else `base`, or `rows` and `choice` as somebody left them."""
        is_bucket = resource is Resource.BUCKET
        self.canned = features.bucket_canned_acls if is_bucket else features.object_canned_acls
        self.permissions = features.bucket_permissions if is_bucket else features.object_permissions
        self.resource, self.bucket_owner, self.grants_max = resource, bucket_owner, features.grants_max
        self.base = base if data is None else _received(data.get("seen", ""))
        shown = wanted or self.base
        super().__init__(data, initial=self._initial(shown, choice))
        self.fields["choice"].choices = self._choices()  # type: ignore[attr-defined]
        self.rows = self._rows(
            data, rows if rows is not None else rows_of_acl(shown, self.base, self.permissions)
        )

    def _initial(self, shown: Acl | None, choice: str) -> dict[str, str]:
        if shown is None or self.base is None:
            return {"choice": choice}
        found = canned_of(shown, self.canned, self.bucket_owner) or NAMED
        return {"seen": acl_carried(self.base), "choice": choice or found}

    def _choices(self) -> list[tuple[str, str]]:
        return [(one.name, one.title) for one in self.offers] + [(NAMED, _("Named grants"))]

    @property
    def offers(self) -> list[Choice]:
        owner = self.base.owner if self.base else EVERYONE
        return [canned_choice(canned, self.resource, owner) for canned in self.canned]

    @property
    def choices_shown(self) -> list[dict[str, Any]]:
        """Return every choice with what it means, as the page draws it."""
        chosen = self["choice"].value()
        named = Choice(NAMED, _("Named grants"), _("Chosen one by one, for accounts and for groups."))
        shown = [(one, one.name) for one in self.offers] + [(named, "")]
        return [
            {
                "name": one.name,
                "code": code,
                "title": one.title,
                "meaning": one.meaning,
                "is_exposing": one.is_exposing,
                "is_chosen": one.name == chosen,
            }
            for one, code in shown
        ]

    def _rows(self, data: QueryDict | None, rows: Sequence[Mapping[str, Any]]) -> GrantRows:
        made: type[GrantRows] = formset_factory(  # type: ignore[assignment]
            GrantForm,
            formset=GrantRows,
            extra=0,
            max_num=self.grants_max,
            absolute_max=self.grants_max + 1,
            validate_max=True,
        )
        given = {"permissions": self.permissions, "base": self.base}
        words = {"too_many_forms": _("At most %d grants are possible.") % self.grants_max}
        # A row that was posted counts as empty when it is like a new one, not when it is like what is there.
        given_rows = None if data is not None else rows
        return made(data, prefix=PREFIX, initial=given_rows, form_kwargs=given, error_messages=words)

    def clean_seen(self) -> str:
        if self.base is None:
            raise ValidationError(TOO_OLD)
        seen: str = self.cleaned_data["seen"]
        return seen

    def clean(self) -> None:
        if self.cleaned_data.get("choice") == NAMED and not self.rows.is_valid():
            raise ValidationError(_("Some grants need attention. Nothing was saved."))
        if self.base and self.base.unknown and not self.cleaned_data.get("drop_unknown"):
            self.add_error("drop_unknown", _("Saving would lose it. Agree to that, or change it elsewhere."))

    def to_canned(self) -> str:
        """Return the canned name that was chosen, '' for named grants."""
        choice: str = self.cleaned_data["choice"]
        return "" if choice == NAMED else choice

    def to_acl(self) -> Acl:
        """Return the ACL that was chosen, starting from the one that was seen."""
        if self.base is None:
            raise ValueError("A form that is not valid has no ACL.")
        name = self.to_canned()
        for canned in self.canned:
            if canned.name == name:
                return acl_of_canned(canned, self.base, self.bucket_owner)
        grants = dict.fromkeys(grant for row in self.rows if (grant := row.to_grant()))
        return replace(self.base, grants=tuple(grants), is_inherited=False, label="", unknown=())

    @property
    def is_spelled_out(self) -> bool:
        """Whether `to_acl` is all that the store will hold: a name may mean an owner who is unknown here."""
        name = self.to_canned()
        return self.bucket_owner is not None or not any(
            canned.bucket_owner for canned in self.canned if canned.name == name
        )

    @property
    def is_confirmed(self) -> bool:
        return bool(self.cleaned_data["confirm"].strip().lower() == PUBLIC_WORD)


def fields_carried(base: Acl, rows: Sequence[dict[str, Any]], choice: str) -> list[tuple[str, str]]:
    """Return a whole form as the names and values of hidden fields, for a page that only asks to go on."""
    return [("seen", acl_carried(base)), ("choice", choice), *rows_carried(rows)]


def _received(text: str) -> Acl | None:
    try:
        return acl_received(text)
    except ValueError:
        return None
