from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.rules.tags import key_problem, value_problem
from apps.storage.features import Features, TagLimits
from apps.storage.grants import Grant, Permission, account_grantee
from apps.storage.tags import Tag

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

    key = forms.CharField(label=gettext_lazy("Tag key"), max_length=256, required=False, widget=_plain())
    value = forms.CharField(label=gettext_lazy("Tag value"), max_length=256, required=False, widget=_plain())

    def __init__(self, *args: Any, features: Features, **kwargs: Any) -> None:
        self.limits: TagLimits = features.bucket_tags
        super().__init__(*args, **kwargs)

    def clean(self) -> None:
        if problem := key_problem(self.cleaned_data.get("key", ""), self.limits):
            self.add_error("key", problem)
        if problem := value_problem(self.cleaned_data.get("value", ""), self.limits):
            self.add_error("value", problem)

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


def entries_of(
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


def entries_typed(
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
