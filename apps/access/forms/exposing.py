"""What somebody has to say who lets strangers in."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

REASON_MAX = 300


class ReasonField(forms.CharField):
    """Why strangers are let in. It is never the reason to refuse a form: a text that is too long is cut."""

    def to_python(self, value: object) -> str:
        return str(super().to_python(value))[:REASON_MAX]


def reason_field() -> ReasonField:
    """Return a field for the reason, as the activity log keeps it."""
    return ReasonField(
        label=gettext_lazy("Why?"),
        required=False,
        help_text=gettext_lazy("Kept in the activity log, for whoever wonders later."),
        widget=forms.TextInput(attrs={"maxlength": REASON_MAX, "autocomplete": "off"}),
    )
