"""Headers and metadata of one object, as a form with any number of lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.objects.rewriting import HEADER_NAMES
from apps.storage.features import Features
from apps.storage.types import ObjectHeaders
from apps.transfers.rules.headers import PRESETS, date_of, is_date, is_header_value, is_media_type, line_check


class HeadersForm(forms.Form):
    """What is left as it was is not judged: a store may hold what nobody would enter today."""

    content_type = forms.CharField(
        label="Content-Type",
        required=False,
        help_text=gettext_lazy("Such as text/html; charset=utf-8. Empty: the store decides."),
    )
    cache_control = forms.CharField(
        label="Cache-Control",
        required=False,
        help_text=gettext_lazy("How long browsers may keep it, such as max-age=3600."),
    )
    content_disposition = forms.CharField(
        label="Content-Disposition",
        required=False,
        help_text=gettext_lazy('attachment saves, inline shows; a name follows as ; filename="report.pdf".'),
    )
    content_encoding = forms.CharField(
        label="Content-Encoding",
        required=False,
        help_text=gettext_lazy("How the bytes are packed, such as gzip. This does not pack them."),
    )
    content_language = forms.CharField(
        label="Content-Language", required=False, help_text=gettext_lazy("Such as zh-CN or en.")
    )
    expires = forms.CharField(
        label="Expires",
        required=False,
        help_text=gettext_lazy("A date, such as 2027-01-31 or Sun, 31 Jan 2027 00:00:00 GMT."),
    )
    storage_class = forms.ChoiceField(label=gettext_lazy("Class"))

    def __init__(
        self, data: QueryDict | None = None, *, seen: ObjectHeaders, features: Features, **kwargs: Any
    ) -> None:
        self.seen = seen
        self.features = features
        self.lines = _lines_of(data) if data is not None else [*sorted(seen.metadata.items()), ("", "")]
        self.line_errors: dict[int, str] = {}
        initial = {name: getattr(seen, name) or "" for name in HEADER_NAMES}
        super().__init__(data, initial=initial, **kwargs)
        classes = dict.fromkeys([*features.storage_classes, seen.storage_class or "STANDARD"])
        self.fields["storage_class"].choices = [(name, name) for name in classes]  # type: ignore[attr-defined]

    @property
    def numbered_lines(self) -> Iterator[tuple[int, str, str, str]]:
        """Yield (number, name, value, error) of each line of metadata."""
        for number, (name, value) in enumerate(self.lines):
            yield number, name, value, self.line_errors.get(number, "")

    def clean(self) -> dict[str, Any]:
        for name in HEADER_NAMES:
            value = self.cleaned_data.get(name)
            if value and value != getattr(self.seen, name):
                self._check(name, value)
        self._check_metadata()
        return self.cleaned_data

    def to_headers(self) -> ObjectHeaders:
        values = {name: self.cleaned_data[name] or None for name in HEADER_NAMES}
        if values["expires"] and values["expires"] != self.seen.expires:
            values["expires"] = date_of(values["expires"])
        return ObjectHeaders(**values, metadata=self._metadata())

    def _check(self, name: str, value: str) -> None:
        try:
            is_header_value(value)
            if name == "content_type":
                is_media_type(value)
            if name == "expires":
                is_date(value)
        except ValidationError as error:
            self.add_error(name, error)

    def _check_metadata(self) -> None:
        names: set[str] = set()
        for number, (name, value) in enumerate(self.lines):
            if (name, value) == ("", ""):
                continue
            try:
                if self.seen.metadata.get(name) != value:
                    line_check(name, value)
                if name in names:
                    raise ValidationError(_("This name is there twice."))
            except ValidationError as error:
                self.line_errors[number] = error.messages[0]
            names.add(name)
        size = sum(len(name.encode()) + len(value.encode()) for name, value in self._metadata().items())
        if size > self.features.metadata_bytes_max:
            text = _(
                "Names and values of the metadata have %(size)s bytes, and at most %(max)s are possible."
            )
            self.add_error(None, text % {"size": size, "max": self.features.metadata_bytes_max})
        if self.line_errors:
            self.add_error(None, _("Some lines of the metadata cannot be stored as they are."))

    def _metadata(self) -> dict[str, str]:
        return {name: value for name, value in self.lines if name}


def preset_applied(headers: ObjectHeaders, name: str) -> ObjectHeaders:
    """Return headers with what a preset sets; everything else stays."""
    preset = PRESETS.get(name, ObjectHeaders())
    given = {field: value for field in HEADER_NAMES if (value := getattr(preset, field)) is not None}
    return replace(headers, **given)


def _lines_of(data: QueryDict) -> list[tuple[str, str]]:
    names, values = data.getlist("meta_name"), data.getlist("meta_value")
    return [
        (name.strip().lower().removeprefix("x-cos-meta-"), value.strip())
        for name, value in zip(names, values, strict=False)
    ]
