from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.storage.errors import Refused
from apps.storage.multipart import plan_parts
from apps.transfers.content import NewObject, new_object_of
from apps.transfers.fields import KeyField, is_new_key
from apps.transfers.services.uploads import UploadWanted
from apps.transfers.tokens import TokenRefused, options_read


class UploadStartForm(forms.Form):
    """What the browser says about a file. Names differ from the model's: they are the File API's.

    `options` is what the upload sheet was given for the batch: checked there, carried here, and read for the
    `place` that it was checked for.
    """

    key = KeyField(validators=[is_new_key])
    size = forms.IntegerField(min_value=0)
    type = forms.CharField(max_length=200, required=False)
    last_modified = forms.IntegerField(required=False, min_value=-(2**53), max_value=2**53)
    replace = forms.BooleanField(required=False)
    # The ETag of the object that may be replaced, as it was shown.
    seen = forms.CharField(max_length=100, required=False)
    # The id that the browser chose for the upload's job, so that it may ask for it twice.
    job = forms.UUIDField(required=False)
    options = forms.CharField(required=False)
    # The job of the batch that the file belongs to.
    parent = forms.UUIDField(required=False)

    def __init__(self, *args: Any, place: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place

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

    def clean_options(self) -> NewObject:
        token: str = self.cleaned_data["options"]
        if not token:
            return NewObject()
        try:
            return new_object_of(options_read(token, place=self.place))
        except TokenRefused:
            raise forms.ValidationError(
                _("The headers and access chosen for this upload are too old. Choose the file again.")
            ) from None

    def to_wanted(self) -> UploadWanted:
        data: dict[str, Any] = self.cleaned_data
        chosen: NewObject = data["options"]
        headers = replace(chosen.headers, content_type=data["type"] or None)
        return UploadWanted(
            key=data["key"],
            size=data["size"],
            file_modified_ms=data["last_modified"],
            new_object=replace(chosen, headers=headers),
            job_id=data["job"],
            seen_etag=data["seen"],
        )

    def sentence(self) -> str:
        """Return all that is wrong as one text for the file's row in the tray."""
        return " ".join(str(message) for messages in self.errors.values() for message in messages)
