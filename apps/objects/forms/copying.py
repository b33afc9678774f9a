"""What a single copy can be told besides where it goes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.objects.services import CopyOptions
from apps.storage.features import Features
from apps.storage.types import ObjectHeaders
from apps.transfers.rules.headers import is_header_value, metadata_of

KEPT = "kept"
PUBLIC_WORD = "public"
_CONTENT = (
    "content_type",
    "cache_control",
    "content_disposition",
    "content_encoding",
    "content_language",
    "expires",
)


def _header(label: str, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, validators=[is_header_value], **options)


def _moment(label: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": "1"})
    return forms.DateTimeField(label=label, required=False, widget=widget)


class CopyOptionsForm(forms.Form):
    """Every parameter of Put Object - Copy. Left alone, it says nothing and the copy is a plain one."""

    directive = forms.ChoiceField(
        label=gettext_lazy("Headers and metadata"),
        required=False,
        choices=[
            ("", gettext_lazy("As the source has them")),
            ("replace", gettext_lazy("Only those below")),
        ],
    )
    content_type = _header("Content-Type")
    cache_control = _header("Cache-Control")
    content_disposition = _header("Content-Disposition")
    content_encoding = _header("Content-Encoding")
    content_language = _header("Content-Language")
    expires = _header("Expires")
    metadata = forms.CharField(
        label="x-cos-meta-*",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One on each line, such as team: blue."),
    )
    storage_class = forms.ChoiceField(label=gettext_lazy("Class"), required=False)
    access = forms.ChoiceField(label=gettext_lazy("Access"), required=False)
    public = forms.CharField(
        label=gettext_lazy("Type public"),
        required=False,
        help_text=gettext_lazy("Only if strangers shall be able to read the copy."),
    )
    version = _header(
        gettext_lazy("Version id of the source"),  # type: ignore[arg-type]
        help_text=gettext_lazy("Empty: the newest version."),
    )
    if_match = _header("x-cos-copy-source-If-Match")
    if_none_match = _header("x-cos-copy-source-If-None-Match")
    if_modified_since = _moment("x-cos-copy-source-If-Modified-Since")
    if_unmodified_since = _moment("x-cos-copy-source-If-Unmodified-Since")

    def __init__(self, *args: Any, features: Features, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.features = features
        classes = [
            ("", _("STANDARD, as any new copy")),
            *((one, one) for one in features.storage_classes[1:]),
        ]
        self.fields["storage_class"].choices = classes  # type: ignore[attr-defined]
        canned = [one for one in features.object_canned_acls if not one.is_inherited]
        self.exposing = {one.name for one in canned if one.grants}
        self.fields["access"].choices = [  # type: ignore[attr-defined]
            ("", _("As the bucket decides")),
            (KEPT, _("As the source has it")),
            *((one.name, one.name) for one in canned),
        ]

    def clean(self) -> None:
        data = self.cleaned_data
        if data.get("directive") != "replace" and (
            data.get("metadata") or any(data.get(name) for name in _CONTENT)
        ):
            self.add_error("directive", _("Choose “Only those below”, or leave the headers empty."))
        asks_same = data.get("if_match") or data.get("if_unmodified_since")
        if asks_same and (data.get("if_none_match") or data.get("if_modified_since")):
            # Source: PUT Object - Copy, 2024-12.
            self.add_error(
                None,
                _("If-Match goes with If-Unmodified-Since, and If-None-Match with If-Modified-Since."),
            )
        if data.get("access") in self.exposing and data.get("public", "").strip() != PUBLIC_WORD:
            self.add_error("public", _("Type the word public: strangers will be able to read the copy."))

    def clean_metadata(self) -> dict[str, str]:
        return metadata_of(self.cleaned_data["metadata"], bytes_max=self.features.metadata_bytes_max)

    def to_options(self) -> CopyOptions:
        data = self.cleaned_data
        access = data["access"]
        headers = None
        if data["directive"] == "replace":
            values = {name: data[name] or None for name in _CONTENT}
            headers = ObjectHeaders(
                **values, storage_class=data["storage_class"] or "STANDARD", metadata=data["metadata"]
            )
        return CopyOptions(
            headers=headers,
            storage_class=data["storage_class"] or None,
            acl=access if access not in ("", KEPT) else None,
            is_acl_kept=access == KEPT,
            version_id=data["version"] or None,
            if_match=data["if_match"] or None,
            if_none_match=data["if_none_match"] or None,
            if_modified_since=data["if_modified_since"],
            if_unmodified_since=data["if_unmodified_since"],
        )
