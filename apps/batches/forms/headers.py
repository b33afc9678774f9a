from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.batches.content import CONTENT_HEADERS
from apps.batches.forms.action import CHECK, ActionForm
from apps.connections.models import Connection
from apps.connections.services import store_for

PRESETS = {
    "": gettext_lazy("None: set them one by one"),
    "no-cache": gettext_lazy("No cache: browsers and CDN ask each time"),
    "web-asset": gettext_lazy("Web asset: kept for a year, for names that change with their content"),
    "download": gettext_lazy("Download: browsers save instead of showing"),
}
PRESET_HEADERS = {
    "no-cache": {"cache-control": "no-cache"},
    "web-asset": {"cache-control": "public, max-age=31536000, immutable"},
    "download": {"content-disposition": "attachment"},
}


class ContentForm(ActionForm):
    """The headers and the metadata of an object, as they are typed."""

    content_type = forms.CharField(label="Content-Type", max_length=200, required=False)
    cache_control = forms.CharField(label="Cache-Control", max_length=500, required=False)
    content_disposition = forms.CharField(label="Content-Disposition", max_length=500, required=False)
    content_encoding = forms.CharField(label="Content-Encoding", max_length=100, required=False)
    content_language = forms.CharField(label="Content-Language", max_length=100, required=False)
    expires = forms.CharField(label="Expires", max_length=100, required=False)
    metadata = forms.CharField(
        label=gettext_lazy("Metadata"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One a line, such as owner: ana. A name with nothing after the colon is removed."
        ),
    )

    def clean(self) -> None:
        for name in CONTENT_HEADERS:
            if not self._typed(name).isprintable():
                self.add_error(_field_of(name), _("This holds a character that no header can."))

    def clean_metadata(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for line in self.cleaned_data["metadata"].splitlines():
            if not line.strip():
                continue
            name, colon, value = line.partition(":")
            name = name.strip().lower().removeprefix("x-cos-meta-")
            if not colon or not name or not name.isascii() or not name.replace("-", "").isalnum():
                raise ValidationError(
                    _("“%(line)s” is no name and value: names hold letters, digits and hyphens.")
                    % {"line": line}
                )
            found[name] = value.strip() or None
        most = store_for(self.target_connection).features.metadata_bytes_max
        size = sum(len(name) + len((value or "").encode()) for name, value in found.items())
        if size > most:
            raise ValidationError(
                _("This is more metadata than an object can have: %(size)s of %(max)s bytes.")
                % {"size": size, "max": most}
            )
        return found

    @property
    def target_connection(self) -> Connection:
        """The connection whose limits count."""
        return self.batch.connection

    def _typed(self, name: str) -> str:
        text: str = self.cleaned_data.get(_field_of(name), "")
        return text

    def headers_typed(self) -> dict[str, str]:
        return {name: self._typed(name) for name in CONTENT_HEADERS if self._typed(name)}


def _field_of(header: str) -> str:
    return header.replace("-", "_")


class HeadersForm(ContentForm):
    """Which headers, metadata and class the objects get; what is left empty stays as each object has it."""

    field_order = ("preset", *(_field_of(name) for name in CONTENT_HEADERS), "remove", "metadata")
    preset = forms.ChoiceField(label=gettext_lazy("Preset"), choices=list(PRESETS.items()), required=False)
    remove = forms.MultipleChoiceField(
        label=gettext_lazy("Remove"),
        choices=[(name, name.title()) for name in CONTENT_HEADERS if name != "content-type"],
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs=CHECK),
    )
    is_metadata_replaced = forms.BooleanField(label=gettext_lazy("Remove all other metadata"), required=False)
    storage_class = forms.ChoiceField(label=gettext_lazy("Class"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        classes = [(name, name) for name in store_for(self.batch.connection).features.storage_classes]
        self.fields["storage_class"].choices = [("", _("As it is")), *classes]  # type: ignore[attr-defined]

    def clean(self) -> None:
        super().clean()
        data = self.cleaned_data
        for name in CONTENT_HEADERS:
            if self._typed(name) and name in data.get("remove", ()):
                self.add_error(
                    "remove", _("%(header)s cannot be set and removed.") % {"header": name.title()}
                )
        if not self.errors and not self._has_changes():
            raise ValidationError(_("Nothing is to be changed. Set a header, some metadata or a class."))

    def _has_changes(self) -> bool:
        data = self.cleaned_data
        return bool(
            self._set()
            or data["remove"]
            or data["metadata"]
            or data["is_metadata_replaced"]
            or data["storage_class"]
        )

    def _set(self) -> dict[str, str]:
        return {**PRESET_HEADERS.get(self.cleaned_data["preset"], {}), **self.headers_typed()}

    def to_options(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "set": self._set(),
            "remove": data["remove"],
            "metadata": data["metadata"],
            "is_metadata_replaced": data["is_metadata_replaced"],
            "storage_class": data["storage_class"],
        }
