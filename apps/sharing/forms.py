from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.sharing.rules import LIFETIME_MIN, file_name
from apps.sharing.services import Wish
from apps.storage.types import ResponseHeaders

CUSTOM = "custom"
LIFETIMES = (
    (timedelta(hours=1), gettext_lazy("1 hour")),
    (timedelta(hours=12), gettext_lazy("12 hours")),
    (timedelta(days=1), gettext_lazy("1 day")),
    (timedelta(days=7), gettext_lazy("7 days")),
    (timedelta(days=30), gettext_lazy("30 days")),
)
UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}
HEADERS = ("content_type", "cache_control", "content_language", "content_encoding", "expires")

is_header = RegexValidator(
    r"^[\x20-\x7e]*\Z", gettext_lazy("A header holds plain ASCII characters in one line.")
)


def _header(label: str, example: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=500,
        validators=[is_header],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": example}),
    )


class ShareForm(forms.Form):
    """How long a link lasts, and what a browser does with the object. `longest` is the limit of the key."""

    lifetime = forms.ChoiceField(label=gettext_lazy("Works for"), initial="3600")
    amount = forms.IntegerField(label=gettext_lazy("Another time"), required=False, min_value=1)
    unit = forms.ChoiceField(
        label=gettext_lazy("Unit"),
        required=False,
        initial="hours",
        choices=[
            ("minutes", gettext_lazy("minutes")),
            ("hours", gettext_lazy("hours")),
            ("days", gettext_lazy("days")),
        ],
    )
    disposition = forms.ChoiceField(
        label=gettext_lazy("The browser"),
        initial="attachment",
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
        choices=[
            ("attachment", gettext_lazy("saves it as a file")),
            ("inline", gettext_lazy("shows it, if it can")),
        ],
    )
    filename = forms.CharField(
        label=gettext_lazy("File name"),
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    content_type = _header("Content-Type", "text/plain; charset=utf-8")
    cache_control = _header("Cache-Control", "no-store")
    content_language = _header("Content-Language", "zh-CN")
    content_encoding = _header("Content-Encoding", "gzip")
    expires = _header("Expires", "Thu, 01 Jan 2032 00:00:00 GMT")

    def __init__(self, *args: Any, longest: timedelta, **kwargs: Any) -> None:
        self.longest = longest
        super().__init__(*args, **kwargs)
        possible = [(str(int(time.total_seconds())), label) for time, label in LIFETIMES if time <= longest]
        self.fields["lifetime"].choices = [*possible, (CUSTOM, _("another time"))]  # type: ignore[attr-defined]

    def clean_filename(self) -> str:
        name: str = self.cleaned_data["filename"]
        if name and file_name(name) != name:
            raise ValidationError(
                _('A file name cannot hold / \\ : * ? " < > | or control characters, nor end in a dot.')
            )
        return name

    def clean(self) -> None:
        data = self.cleaned_data
        if data.get("lifetime") == CUSTOM and "amount" in data and not data["amount"]:
            self.add_error("amount", _("Enter how long the link shall work."))
            return
        lifetime = self._lifetime()
        if lifetime and not LIFETIME_MIN <= lifetime <= self.longest:
            self.add_error("amount", _("A link may work for %(time)s at most.") % {"time": self.longest_text})

    @property
    def longest_text(self) -> str:
        days = self.longest.days
        if self.longest % timedelta(days=1):
            return _("%(count)s hours") % {"count": int(self.longest.total_seconds() // 3600)}
        return _("%(count)s days") % {"count": days}

    @property
    def header_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in HEADERS]

    @property
    def has_header_errors(self) -> bool:
        return any(name in self.errors for name in HEADERS)

    def to_wish(self) -> Wish:
        """Return what a valid form asks for."""
        data = self.cleaned_data
        lifetime = self._lifetime()
        if lifetime is None:
            raise ValueError("The form holds no lifetime.")
        return Wish(
            lifetime=lifetime,
            is_inline=data["disposition"] == "inline",
            filename=data["filename"],
            response=ResponseHeaders(**{name: data[name] or None for name in HEADERS}),
        )

    def _lifetime(self) -> timedelta | None:
        data = self.cleaned_data
        if data.get("lifetime") != CUSTOM:
            return timedelta(seconds=int(data["lifetime"])) if data.get("lifetime") else None
        amount: int = data.get("amount") or 0
        # Beyond this timedelta itself gives up.
        return UNITS[data.get("unit") or "hours"] * min(amount, 1_000_000) if amount else None


class LinkListForm(forms.Form):
    """How the list of links is narrowed. What makes no sense is ignored."""

    STATES = ("active", "expired", "all")

    who = forms.CharField(required=False)
    state = forms.CharField(required=False)
    connection = forms.CharField(required=False)
    q = forms.CharField(required=False)

    def clean_who(self) -> str:
        return "all" if self.cleaned_data["who"] == "all" else "mine"

    def clean_state(self) -> str:
        state: str = self.cleaned_data["state"]
        return state if state in self.STATES else "active"
