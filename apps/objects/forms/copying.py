"""What a single copy can be told besides where it goes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.storage.features import Features
from apps.storage.sizes import size_text
from apps.storage.types import ObjectHeaders
from apps.transfers.fields import SizeField
from apps.transfers.forms.options import CONTENT, UploadOptionsForm
from apps.transfers.rules.headers import date_of, is_header_value
from apps.transfers.services.copies import COPY_IN_PARTS_FROM, COPY_PART_SIZE, PART_SIZE_LEAST, CopyWanted

KEPT = "kept"
CONDITIONS = ("version", "if_match", "if_none_match", "if_modified_since", "if_unmodified_since")
PARTS = ("parts_from", "part_size")


def _etag(label: str, **options: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(
        label=label, required=False, validators=[is_header_value], widget=widget, **options
    )


def _moment(label: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": "1"})
    return forms.DateTimeField(label=label, required=False, widget=widget)


class CopyOptionsForm(UploadOptionsForm):
    """Every parameter of Put Object - Copy and of Slice Copy File. Left alone, the copy is a plain one."""

    directive = forms.ChoiceField(
        label=gettext_lazy("Headers and metadata"),
        required=False,
        choices=[
            ("", gettext_lazy("As the source has them")),
            ("replace", gettext_lazy("Only those below")),
        ],
    )
    version = _etag(
        gettext_lazy("Version id of the source"),  # type: ignore[arg-type]
        help_text=gettext_lazy("Empty: the newest version."),
    )
    if_match = _etag("x-cos-copy-source-If-Match")
    if_none_match = _etag("x-cos-copy-source-If-None-Match")
    if_modified_since = _moment("x-cos-copy-source-If-Modified-Since")
    if_unmodified_since = _moment("x-cos-copy-source-If-Unmodified-Since")
    parts_from = SizeField(label=gettext_lazy("Copy in parts above"))
    part_size = SizeField(label=gettext_lazy("Size of a part"))

    def __init__(self, *args: Any, features: Features, **kwargs: Any) -> None:
        super().__init__(*args, features=features, **kwargs)
        self.fields["content_type"].help_text = _("Such as text/html; charset=utf-8.")
        self.fields["public"].help_text = _("Only if strangers shall be able to read the copy.")
        self.fields["tags"].help_text = _(
            "One on each line, such as team=blue. Left empty, the tags of the source come along where the "
            "store copies by itself and in one request, and are not read otherwise."
        )
        self._choose(
            "storage_class", _("As the source has it"), [(one, one) for one in features.storage_classes]
        )
        canned = [(one.name, one.title) for one in self.canned]
        self._choose("acl", _("As the bucket decides"), [(KEPT, _("As the source has it")), *canned])
        self._sizes_explain(features)

    def _sizes_explain(self, features: Features) -> None:
        usual = _("Usually %(size)s.")
        self.fields["parts_from"].help_text = " ".join(
            [
                usual % {"size": size_text(COPY_IN_PARTS_FROM)},
                _("Up to %(size)s one request can copy.") % {"size": size_text(features.single_copy_max)},
            ]
        )
        self.fields["part_size"].help_text = " ".join(
            [
                usual % {"size": size_text(COPY_PART_SIZE)},
                _("It grows until %(count)s parts are enough.") % {"count": features.parts_max},
            ]
        )

    @property
    def condition_fields(self) -> list[BoundField]:
        return [self[name] for name in CONDITIONS]

    @property
    def part_fields(self) -> list[BoundField]:
        return [self[name] for name in PARTS]

    def clean_part_size(self) -> int | None:
        size: int | None = self.cleaned_data["part_size"]
        if size is not None and not PART_SIZE_LEAST <= size <= self.features.part_size_max:
            limits = {"least": size_text(PART_SIZE_LEAST), "most": size_text(self.features.part_size_max)}
            raise forms.ValidationError(_("A part has %(least)s to %(most)s.") % limits)
        return size

    def clean_parts_from(self) -> int | None:
        size: int | None = self.cleaned_data["parts_from"]
        if size is not None and size > self.features.single_copy_max:
            most = {"size": size_text(self.features.single_copy_max)}
            raise forms.ValidationError(_("Up to %(size)s one request can copy.") % most)
        return size

    def clean(self) -> None:
        super().clean()
        data = self.cleaned_data
        if data.get("directive") != "replace" and (
            data.get("metadata") or any(data.get(name) for name in CONTENT)
        ):
            self.add_error("directive", _("Choose “Only those below”, or leave the headers empty."))
        asks_same = data.get("if_match") or data.get("if_unmodified_since")
        if asks_same and (data.get("if_none_match") or data.get("if_modified_since")):
            # Source: PUT Object - Copy, 2024-12.
            self.add_error(
                None,
                _("If-Match goes with If-Unmodified-Since, and If-None-Match with If-Modified-Since."),
            )
        if data.get("acl") == KEPT and data.get("grants"):
            self.add_error("acl", _("Either keep the grants of the source, or name accounts below."))

    def to_wanted(self, *, is_move: bool = False) -> CopyWanted:
        data = self.cleaned_data
        return CopyWanted(
            headers=self._headers() if data["directive"] == "replace" else None,
            storage_class=data["storage_class"] or None,
            acl=data["acl"] if data["acl"] not in ("", KEPT) else None,
            grants=data["grants"],
            is_acl_kept=data["acl"] == KEPT,
            tags=data["tags"] or None,
            version_id=data["version"] or None,
            if_match=data["if_match"] or None,
            if_none_match=data["if_none_match"] or None,
            if_modified_since=data["if_modified_since"],
            if_unmodified_since=data["if_unmodified_since"],
            parts_from=data["parts_from"],
            part_size=data["part_size"],
            is_move=is_move,
        )

    def _headers(self) -> ObjectHeaders:
        data = self.cleaned_data
        values = {name: data[name] or None for name in CONTENT}
        values["expires"] = date_of(data["expires"]) if data["expires"] else None
        return ObjectHeaders(**values, metadata=data["metadata"])
