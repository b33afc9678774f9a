from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.transfers.fields import KeyField
from apps.transfers.services.unfinished import Which

AGES = (
    ("7", gettext_lazy("more than 7 days ago")),
    ("1", gettext_lazy("more than a day ago")),
    ("30", gettext_lazy("more than 30 days ago")),
    ("0", gettext_lazy("at any time, also just now")),
)
FIND_AGES = (
    ("", gettext_lazy("Begun at any time")),
    ("1", gettext_lazy("more than a day ago")),
    ("7", gettext_lazy("more than 7 days ago")),
    ("30", gettext_lazy("more than 30 days ago")),
    ("90", gettext_lazy("more than 90 days ago")),
)
SORTS = (("", gettext_lazy("By key")), ("age", gettext_lazy("Oldest first")))
DAYS_MAX = 3650


def before_of(days: str, now: datetime) -> datetime | None:
    return now - timedelta(days=int(days)) if days and int(days) else None


class FindUploadsForm(forms.Form):
    """What part of the list is wanted, and in which order."""

    prefix = KeyField(required=False, label=gettext_lazy("Key begins with"))  # type: ignore[assignment]
    by = forms.CharField(required=False, max_length=200, label=gettext_lazy("Begun by"))
    age = forms.ChoiceField(required=False, choices=FIND_AGES, label=gettext_lazy("Begun"))
    sort = forms.ChoiceField(required=False, choices=SORTS, label=gettext_lazy("Order"))

    def to_which(self, now: datetime) -> Which:
        data = self.cleaned_data
        return Which(prefix=data["prefix"], initiator=data["by"], before=before_of(data["age"], now))


class WhichUploadsForm(forms.Form):
    """Which unfinished uploads are to be aborted: below a prefix, by whom, begun long enough ago."""

    prefix = KeyField(required=False, label=gettext_lazy("Key begins with"))  # type: ignore[assignment]
    by = forms.CharField(required=False, max_length=200, label=gettext_lazy("Begun by"))
    age = forms.ChoiceField(label=gettext_lazy("Begun"), choices=AGES, required=False)

    def clean_age(self) -> str:
        return self.cleaned_data["age"] or AGES[0][0]

    def to_which(self, now: datetime) -> Which:
        data = self.cleaned_data
        return Which(prefix=data["prefix"], initiator=data["by"], before=before_of(data["age"], now))


class CountTypedForm(forms.Form):
    """How many they are, typed, because nothing brings their parts back.

    `seen` is the digest of the uploads that the person looked at, and has to be the one of those now.
    """

    seen = forms.CharField(required=False, widget=forms.HiddenInput())
    count = forms.CharField(
        label=gettext_lazy("Number of uploads"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, expected: int, digest: str, **kwargs: Any) -> None:
        self.expected, self.digest = expected, digest
        super().__init__(*args, **kwargs)

    def clean_count(self) -> str:
        typed: str = self.cleaned_data["count"]
        if typed.strip().replace(",", "") != str(self.expected):
            raise ValidationError(
                _("Now it is %(count)s. Look once more, then type this number."),
                params={"count": self.expected},
            )
        return typed

    def clean(self) -> None:
        if not self.errors and self.cleaned_data["seen"] != self.digest:
            self.add_error(
                "count",
                _(
                    "These are not the uploads that you looked at: one ended, or another one was begun. "
                    "Look once more."
                ),
            )


class PriceForm(forms.Form):
    """What a GB costs in a month; the currency is whatever the person calls it."""

    amount = forms.DecimalField(
        label=gettext_lazy("Price of a GB (1,024³ bytes) for a month"),
        min_value=0,
        max_value=100_000,
        decimal_places=6,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "size": "8"}),
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        max_length=12,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": "4"}),
    )


class RuleForm(forms.Form):
    """How old an upload must be for the daily run to abort it."""

    days = forms.IntegerField(
        label=gettext_lazy("Abort uploads that were begun more than this many days ago"),
        min_value=1,
        max_value=DAYS_MAX,
        widget=forms.NumberInput(attrs={"min": "1", "max": str(DAYS_MAX), "step": "1"}),
    )
