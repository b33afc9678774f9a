from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.transfers.services.adopting import FileChosen

PARTS_MAX = 10_000
# Of a CRC-64 in decimal digits; Python refuses to read a number of thousands.
DIGITS_MAX = 20


class FileChosenForm(forms.Form):
    """What the browser says about the file to go on with, and the CRC-64 of the parts that it compared."""

    size = forms.IntegerField(min_value=1, max_value=2**60)
    last_modified = forms.IntegerField(required=False, min_value=-(2**53), max_value=2**53)
    compared = forms.JSONField(required=False)
    # The digest of the parts that the file was compared with.
    seen = forms.CharField(required=False, max_length=64)

    def clean_compared(self) -> dict[int, str]:
        given = self.cleaned_data["compared"] or {}
        if not isinstance(given, dict) or len(given) > PARTS_MAX:
            raise ValidationError(_("The digests of the parts were not understood."))
        return {_number_of(number): _digest_of(crc64) for number, crc64 in given.items()}

    def to_file(self) -> FileChosen:
        data = self.cleaned_data
        return FileChosen(size=data["size"], modified_ms=data["last_modified"], compared=data["compared"])

    def sentence(self) -> str:
        return " ".join(str(message) for messages in self.errors.values() for message in messages)


def _number_of(text: str) -> int:
    if not _is_number(text) or not 1 <= int(text) <= PARTS_MAX:
        raise ValidationError(_("The digests of the parts were not understood."))
    return int(text)


def _digest_of(value: Any) -> str:
    if not isinstance(value, str) or not _is_number(value) or int(value) >= 2**64:
        raise ValidationError(_("The digests of the parts were not understood."))
    return value


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX


class CompleteForm(forms.Form):
    """The number of parts, typed where an object of this key is replaced.

    `seen` is the digest of the parts that the person looked at, and has to be the one of those now.
    """

    seen = forms.CharField(widget=forms.HiddenInput())
    size = forms.CharField(
        label=gettext_lazy("Bytes of the new object"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, expected: int, digest: str, is_taken: bool, **kwargs: Any) -> None:
        self.expected, self.digest, self.is_taken = expected, digest, is_taken
        super().__init__(*args, **kwargs)

    def clean_size(self) -> str:
        typed: str = self.cleaned_data["size"]
        if self.is_taken and typed.replace(",", "").replace(" ", "") != str(self.expected):
            raise ValidationError(_("Type %(size)s to confirm."), params={"size": self.expected})
        return typed

    def clean(self) -> None:
        if not self.errors and self.cleaned_data["seen"] != self.digest:
            self.add_error("size", _("Somebody sent or replaced a part since you looked. Look once more."))
