"""What somebody wants explained: an address or a key, and maybe a page in a browser."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.rules.answers import Origin
from apps.connections.models import Connection

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+|null")


class AskForm(forms.Form):
    """The question. An address may be a secret, so that it is posted and never kept in one of ours."""

    url = forms.CharField(
        label=gettext_lazy("Address or key"),
        max_length=8000,
        strip=False,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        ),
        help_text=gettext_lazy(
            "An address of the store, also one with a signature; bucket/key; or a key of the bucket below."
        ),
    )
    connection = forms.ChoiceField(label=gettext_lazy("Connection"), required=False)
    bucket = forms.CharField(
        label=gettext_lazy("Bucket"),
        required=False,
        max_length=100,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        ),
        help_text=gettext_lazy("Only needed for a key alone, or for a domain of your own."),
    )
    origin = forms.CharField(
        label=gettext_lazy("Page in a browser (origin)"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": "https://www.example.com", "autocomplete": "off"}),
        help_text=gettext_lazy("Asks whether CORS lets a page of this site in."),
    )
    method = forms.ChoiceField(
        label=gettext_lazy("Method"), required=False, choices=[(one, one) for one in METHODS], initial="GET"
    )

    def __init__(self, *args: Any, connections: Sequence[Connection], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("All connections")), *((one.slug, one.name) for one in connections)]
        self.fields["connection"].choices = choices  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if not url.strip():
            raise ValidationError(_("Paste an address or a key."))
        return url

    def clean_origin(self) -> str:
        origin = str(self.cleaned_data["origin"]).strip().rstrip("/")
        if origin and not _ORIGIN.fullmatch(origin):
            raise ValidationError(_("An origin is a scheme and a host, such as https://www.example.com."))
        return origin

    def to_origin(self) -> Origin | None:
        origin = self.cleaned_data["origin"]
        return Origin(origin, self.cleaned_data["method"] or "GET") if origin else None


def origin_of(origin: str, method: str) -> Origin | None:
    """Return the page in a browser that an address of ours names, None where it names none that can be."""
    if not _ORIGIN.fullmatch(origin):
        return None
    return Origin(origin, method if method in METHODS else "GET")
