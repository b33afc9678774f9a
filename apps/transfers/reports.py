"""What a browser says of parts that it sends to the store itself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from apps.storage.types import StoredPart

CRC64_MAX = (1 << 64) - 1


class PartReport(forms.Form):
    """One part as the store answered and as the browser summed it up. The ETag may be hidden from it."""

    number = forms.IntegerField(min_value=1)
    size = forms.IntegerField(min_value=0)
    etag = forms.CharField(
        required=False, max_length=100, validators=[RegexValidator(r'^"?[0-9A-Za-z-]+"?$')]
    )
    crc64 = forms.CharField(max_length=20, validators=[RegexValidator(r"^[0-9]+$")])

    def clean_etag(self) -> str:
        return str(self.cleaned_data["etag"]).strip('"')

    def clean_crc64(self) -> str:
        value = int(self.cleaned_data["crc64"])
        if value > CRC64_MAX:
            raise forms.ValidationError("A CRC-64 has 64 bits.")
        return str(value)

    def to_part(self) -> StoredPart:
        data: dict[str, Any] = self.cleaned_data
        return StoredPart(number=data["number"], size=data["size"], etag=data["etag"], crc64=data["crc64"])


def numbers_of(said: object, *, at_most: int) -> list[int]:
    """Return the part numbers that a script asks about; raises ValueError for anything else."""
    if not isinstance(said, list) or not 0 < len(said) <= at_most:
        raise ValueError("A list of part numbers is needed.")
    if any(not isinstance(number, int) or isinstance(number, bool) for number in said):
        raise ValueError("A part number is a whole number.")
    return list(dict.fromkeys(said))


def parts_of(said: object, *, at_most: int) -> list[StoredPart]:
    """Return the parts that a script reports; raises ValueError when one of them makes no sense."""
    if not isinstance(said, list) or not 0 < len(said) <= at_most:
        raise ValueError("A list of parts is needed.")
    forms_ = [PartReport(one if isinstance(one, dict) else {}) for one in said]
    if not all(form.is_valid() for form in forms_):
        raise ValueError("A part has a number, a size, an ETag and a CRC-64.")
    return [form.to_part() for form in forms_]
