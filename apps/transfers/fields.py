"""Keys, sizes and days as a form takes them, for every app that asks a person for one."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext as _

from apps.storage.sizes import size_parse

KEY_BYTES_MAX = 850


def is_key_length(key: str) -> None:
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise ValidationError(_("This holds half of a Unicode pair, which no key can.")) from None
    if length > KEY_BYTES_MAX:
        raise ValidationError(
            _("Too long: %(length)s bytes in UTF-8, and a key has at most %(max)s."),
            params={"length": length, "max": KEY_BYTES_MAX},
        )


def is_new_key(key: str) -> None:
    """Check what the store would refuse, and what can be stored but never asked for again."""
    if key[0] in "/\\":
        raise ValidationError(_("A key must not start with / or \\."))
    if any("\x18" <= character <= "\x1b" or character == "\x00" for character in key):
        raise ValidationError(
            _("The control characters 0x00 and 0x18 to 0x1B are not possible in a new key.")
        )


class KeyField(forms.CharField):
    """A key or prefix as it is: spaces at the ends and control characters belong to it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)
        self.validators = [v for v in self.validators if not isinstance(v, ProhibitNullCharactersValidator)]
        self.validators.append(is_key_length)


class SizeField(forms.CharField):
    """A size as a person writes it, in bytes when it is clean; None when nothing is written."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=40, **kwargs)
        self.widget.attrs |= {"placeholder": "10 MiB", "autocomplete": "off", "size": "8"}

    def clean(self, value: Any) -> int | None:
        text: str = super().clean(value)
        if not text:
            return None
        size = size_parse(text)
        if size is None:
            raise ValidationError(_("Write a number and a unit, such as 500 KiB, 10 MiB or 1.5 GiB."))
        return size


class DayField(forms.DateField):
    """A day of the calendar, as the browser's own picker writes it."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(required=False, input_formats=["%Y-%m-%d"], widget=widget, **kwargs)

    def clean(self, value: Any) -> date | None:
        try:
            day: date | None = super().clean(value)
        except ValidationError:
            day = date.min
        if day is not None and not 1970 <= day.year < 9999:
            raise ValidationError(_("Write a day as year-month-day, such as 2026-08-31."))
        return day
