from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.storage.errors import Refused
from apps.storage.multipart import plan_parts
from apps.storage.types import ObjectHeaders
from apps.transfers.content import NewObject
from apps.transfers.fields import KeyField, is_new_key
from apps.transfers.services.uploads import UploadWanted


class UploadStartForm(forms.Form):
    """What the browser says about a file. Names differ from the model's: they are the File API's."""

    key = KeyField(validators=[is_new_key])
    size = forms.IntegerField(min_value=0)
    type = forms.CharField(max_length=200, required=False)
    last_modified = forms.IntegerField(required=False, min_value=-(2**53), max_value=2**53)
    replace = forms.BooleanField(required=False)

    def clean_size(self) -> int:
        size: int = self.cleaned_data["size"]
        try:
            plan_parts(size)
        except Refused as error:
            raise forms.ValidationError(error.message) from None
        return size

    def clean_type(self) -> str:
        value: str = self.cleaned_data["type"]
        if not value.isascii() or not value.isprintable():
            raise forms.ValidationError(_("The content type may hold printable ASCII characters only."))
        return value

    def to_wanted(self) -> UploadWanted:
        data: dict[str, Any] = self.cleaned_data
        return UploadWanted(
            key=data["key"],
            size=data["size"],
            file_modified_ms=data["last_modified"],
            new_object=NewObject(headers=ObjectHeaders(content_type=data["type"] or None)),
        )

    def sentence(self) -> str:
        """Return all that is wrong as one text for the file's row in the tray."""
        return " ".join(str(message) for messages in self.errors.values() for message in messages)
