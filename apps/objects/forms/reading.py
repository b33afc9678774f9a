from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.objects.reading import ReadOptions
from apps.storage.types import ResponseHeaders
from apps.transfers.rules.headers import is_header_value

PARTS = (
    ("", gettext_lazy("All of it")),
    ("first", gettext_lazy("The first bytes")),
    ("last", gettext_lazy("The last bytes")),
    ("between", gettext_lazy("From one byte to another")),
)
SIZE_MAX = 1 << 50


class _Moment(forms.DateTimeField):
    """A time in the person's zone, to the second: HTTP dates have no less."""

    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": "1"})


def _header(label: str, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, validators=[is_header_value], **options)


class ReadForm(forms.Form):
    """Everything that Head Object and Get Object can be asked. All of it may be left empty."""

    part = forms.ChoiceField(label=gettext_lazy("Bytes"), choices=PARTS, required=False)
    count = forms.IntegerField(
        label=gettext_lazy("How many bytes"), required=False, min_value=1, max_value=SIZE_MAX
    )
    first = forms.IntegerField(
        label=gettext_lazy("From byte"),
        required=False,
        min_value=0,
        max_value=SIZE_MAX,
        help_text=gettext_lazy("Counted from 0."),
    )
    last = forms.IntegerField(
        label=gettext_lazy("To byte"),
        required=False,
        min_value=0,
        max_value=SIZE_MAX,
        help_text=gettext_lazy("Included. Empty: to the end."),
    )
    if_modified_since = _Moment(label="If-Modified-Since", required=False)
    if_unmodified_since = _Moment(label="If-Unmodified-Since", required=False)
    if_none_match = _header("If-None-Match", help_text=gettext_lazy("An ETag that you have already."))
    if_match = _header("If-Match", help_text=gettext_lazy("The ETag that it must have."))
    version = _header(
        gettext_lazy("Version id"),  # type: ignore[arg-type]
        help_text=gettext_lazy("Empty: the newest version."),
    )
    content_type = _header("Content-Type")
    content_language = _header("Content-Language")
    expires = _header("Expires")
    cache_control = _header("Cache-Control")
    content_disposition = _header("Content-Disposition")
    content_encoding = _header("Content-Encoding")

    def clean(self) -> None:
        data = self.cleaned_data
        if data.get("part") in ("first", "last") and not data.get("count") and "count" not in self.errors:
            self.add_error("count", _("Enter how many bytes."))
        if data.get("part") == "between" and data.get("first") is None and "first" not in self.errors:
            self.add_error("first", _("Enter where to begin."))
        first, last = data.get("first"), data.get("last")
        if data.get("part") == "between" and first is not None and last is not None and last < first:
            self.add_error("last", ValidationError(_("This is before the first byte.")))

    def to_options(self) -> ReadOptions:
        data = self.cleaned_data
        replaced = (
            "content_type",
            "content_language",
            "expires",
            "cache_control",
            "content_disposition",
            "content_encoding",
        )
        return ReadOptions(
            version_id=data["version"] or None,
            byte_range=self._range(),
            if_match=data["if_match"] or None,
            if_none_match=data["if_none_match"] or None,
            if_modified_since=data["if_modified_since"],
            if_unmodified_since=data["if_unmodified_since"],
            response=ResponseHeaders(**{name: data[name] or None for name in replaced}),
        )

    def to_query(self) -> dict[str, str]:
        """Return what was entered, as it was entered, for an address."""
        return {name: text for name in self.fields if (text := str(self.data.get(name, "")).strip())}

    def _range(self) -> str | None:
        data = self.cleaned_data
        match data["part"]:
            case "first":
                return f"bytes=0-{data['count'] - 1}"
            case "last":
                return f"bytes=-{data['count']}"
            case "between":
                return f"bytes={data['first']}-{'' if data['last'] is None else data['last']}"
            case _whole:
                return None
