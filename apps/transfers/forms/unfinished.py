from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.transfers.fields import KeyField

AGES = (
    ("7", gettext_lazy("more than 7 days ago")),
    ("1", gettext_lazy("more than a day ago")),
    ("30", gettext_lazy("more than 30 days ago")),
    ("0", gettext_lazy("at any time, also just now")),
)


class WhichUploadsForm(forms.Form):
    """Which unfinished uploads are meant: below a prefix, begun long enough ago."""

    prefix = KeyField(required=False, label=gettext_lazy("Key begins with"))  # type: ignore[assignment]
    age = forms.ChoiceField(label=gettext_lazy("Begun"), choices=AGES, required=False)

    def clean_age(self) -> str:
        return self.cleaned_data["age"] or AGES[0][0]

    def before(self, now: datetime) -> datetime | None:
        days = int(self.cleaned_data["age"])
        return now - timedelta(days=days) if days else None


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
