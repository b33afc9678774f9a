from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import unquote

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.batches.selection import endings_of
from apps.objects.columns import COLUMNS, Layout, layout_of
from apps.objects.queries import ORDERS, ListQuery, PageFilter
from apps.objects.tokens import trail_unpack
from apps.transfers.fields import KEY_BYTES_MAX, DayField, KeyField, SizeField, is_key_length

PAGE_SIZES = (50, 100, 250, 1000)
PAGE_SIZE = 100
# What a link to another page of the same view carries along.
FILTERS = ("contains", "endings", "min_size", "max_size", "after", "before", "class")
ENDINGS_MAX = 200


class ListForm(forms.Form):
    """The address of a page of a folder. Numbers that make no sense fall back; text is checked."""

    prefix = KeyField(required=False)  # type: ignore[assignment]
    find = KeyField(required=False, label=gettext_lazy("Names starting with"))
    marker = KeyField(required=False)
    limit = forms.CharField(required=False)
    first = forms.CharField(required=False)
    trail = forms.CharField(required=False)
    sort = forms.CharField(required=False)
    open = KeyField(required=False)
    contains = forms.CharField(required=False, max_length=KEY_BYTES_MAX, label=gettext_lazy("Name contains"))
    endings = forms.CharField(
        required=False, max_length=ENDINGS_MAX, label=gettext_lazy("Type, by its ending")
    )
    min_size = SizeField(label=gettext_lazy("Size from"))
    max_size = SizeField(label=gettext_lazy("Size to"))
    after = DayField(label=gettext_lazy("Changed from"))
    before = DayField(label=gettext_lazy("Changed until"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["class"] = forms.CharField(required=False, label=_("Class"), max_length=100)

    def clean_prefix(self) -> str:
        """Return the folder: as it is, or percent-encoded in `in`, where a form could not carry it."""
        prefix: str = self.cleaned_data["prefix"]
        return prefix or unquote(self.data.get("in", ""))

    def clean(self) -> None:
        is_key_length(self.cleaned_data.get("prefix", "") + self.cleaned_data.get("find", ""))
        first, last = self.cleaned_data.get("min_size"), self.cleaned_data.get("max_size")
        if first is not None and last is not None and first > last:
            self.add_error("max_size", _("This is less than the size it starts from."))
        begin, end = self.cleaned_data.get("after"), self.cleaned_data.get("before")
        if begin and end and begin > end:
            self.add_error("before", _("This is before the day it starts from."))

    def to_query(self) -> ListQuery:
        data = self.cleaned_data
        limit = _number(data["limit"])
        sort = data["sort"] if data["sort"].removeprefix("-") in ORDERS else ""
        given = {name: self.data.get(name, "") for name in FILTERS}
        return ListQuery(
            prefix=data["prefix"],
            find=data["find"],
            marker=data["marker"],
            limit=limit if limit in PAGE_SIZES else PAGE_SIZE,
            first=max(1, _number(data["first"])) if data["marker"] else 1,
            trail=trail_unpack(data["trail"]),
            sort="" if sort == "name" else sort,
            wanted=self.to_filter(),
            given={name: text for name, text in given.items() if text},
        )

    def to_filter(self) -> PageFilter:
        """Return the filter; the day in `before` belongs to it as a whole, in the person's zone."""
        data = self.cleaned_data
        return PageFilter(
            contains=data["contains"],
            endings=endings_of(data["endings"]),
            min_size=data["min_size"],
            max_size=data["max_size"],
            after=_midnight(data["after"]),
            before=_midnight(data["before"] and data["before"] + timedelta(days=1)),
            storage_class=data["class"],
        )


class ColumnsForm(forms.Form):
    """What a person wants to see in each row. `query` is the address to come back to."""

    columns = forms.MultipleChoiceField(required=False, choices=[(name, name) for name in COLUMNS])
    density = forms.ChoiceField(required=False, choices=[("comfortable", ""), ("compact", "")])
    query = forms.CharField(required=False, strip=False)

    def to_layout(self) -> Layout:
        data = self.cleaned_data
        return layout_of(data["columns"], is_compact=data["density"] == "compact")


def _midnight(day: date | None) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time())) if day else None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
