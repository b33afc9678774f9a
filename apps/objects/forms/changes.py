from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.connections.models import Role
from apps.transfers.fields import KEY_BYTES_MAX, KeyField, is_key_length, is_new_key
from apps.transfers.forms.places import Offer, Place, PlaceField


class DeleteForm(forms.Form):
    """The ETag that the person saw, so that a newer object is not deleted by an old page."""

    etag = forms.CharField(required=False, widget=forms.HiddenInput)


COPY, MOVE = "copy", "move"


class CopyForm(forms.Form):
    """Where the copy goes, and what becomes of its source."""

    bucket = PlaceField(label=gettext_lazy("To bucket"))
    key = KeyField(
        label=gettext_lazy("To key"),
        validators=[is_new_key],
        help_text=gettext_lazy("The whole name, folders included, such as archive/2026/report.pdf."),
    )
    action = forms.ChoiceField(
        label=gettext_lazy("The source"),
        required=False,
        initial=COPY,
        choices=[
            (COPY, gettext_lazy("Keep it: this is a copy")),
            (MOVE, gettext_lazy("Delete it once the copy is complete and verified: this is a move")),
        ],
        widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
    )
    replace = forms.BooleanField(
        label=gettext_lazy("Replace an object that has this key already"), required=False
    )

    def __init__(self, *args: Any, offer: Offer, can_delete: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bucket: Any = self.fields["bucket"]
        bucket.offer(offer)
        self.can_delete = can_delete

    def clean_action(self) -> str:
        action: str = self.cleaned_data["action"] or COPY
        if action == MOVE and not self.can_delete:
            words = _("To delete the source you need the role “%(role)s” there.")
            raise ValidationError(words % {"role": Role.WRITER.label})
        return action

    def to_place(self) -> Place:
        place: Place = self.cleaned_data["bucket"]
        return place


class FolderForm(forms.Form):
    """The name of a folder inside the prefix `parent`."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=KEY_BYTES_MAX,
        help_text=gettext_lazy(
            "An empty object with this name and a slash is created, so that the folder shows."
        ),
    )

    def __init__(self, *args: Any, parent: str, **kwargs: Any) -> None:
        self.parent = parent
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].removesuffix("/")
        if "/" in name:
            raise ValidationError(_("One folder at a time: leave out the slash."))
        if name in {"", ".", ".."}:
            raise ValidationError(_("Many programs cannot open a folder with this name. Choose another one."))
        key = f"{self.parent}{name}/"
        is_key_length(key)
        is_new_key(key)
        return name

    def to_key(self) -> str:
        return f"{self.parent}{self.cleaned_data['name']}/"
