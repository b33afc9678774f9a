from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class NameTypedForm(forms.Form):
    """The bucket's name, typed, because nothing brings back what goes with it."""

    name = forms.CharField(
        label=gettext_lazy("Name of the bucket"),
        max_length=100,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: Any, bucket: str, **kwargs: Any) -> None:
        self.bucket = bucket
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.bucket:
            raise ValidationError(_("Type %(name)s to confirm."), params={"name": self.bucket})
        return name
