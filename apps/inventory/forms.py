from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.inventory.folding import fold, words_of
from apps.inventory.searching import ORDERS, Wanted
from apps.transfers.fields import DayField, KeyField, SizeField

ENDINGS_MAX = 10


class ScopeForm(forms.Form):
    """Which part of a bucket: everything below a prefix, all of it when that is empty."""

    prefix = KeyField(required=False)  # type: ignore[assignment]


class SearchForm(ScopeForm):
    """The address of a search. What makes no sense is said beside its field, and nothing typed is lost."""

    q = forms.CharField(required=False, max_length=850, strip=False, label=gettext_lazy("Key contains"))
    endings = forms.CharField(
        required=False, max_length=200, label=gettext_lazy("Type, by its ending"),
        widget=forms.TextInput(attrs={"placeholder": "pdf, docx", "autocomplete": "off"}),
    )  # fmt: skip
    min_size = SizeField(label=gettext_lazy("Size from"))
    max_size = SizeField(label=gettext_lazy("Size to"))
    after = DayField(label=gettext_lazy("Changed from"))
    before = DayField(label=gettext_lazy("Changed until"))

    def __init__(self, *args: Any, classes: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = [("", _("Any")), *((name, name) for name in classes)]
        self.fields["class"] = forms.CharField(
            required=False, label=_("Class"), max_length=40, widget=forms.Select(choices=shown)
        )

    def clean_q(self) -> str:
        # A browser's text field holds no NUL, and PostgreSQL's text neither.
        return str(self.cleaned_data["q"]).replace("\x00", "␀")

    def clean(self) -> None:
        first, last = self.cleaned_data.get("min_size"), self.cleaned_data.get("max_size")
        if first is not None and last is not None and first > last:
            self.add_error("max_size", _("This is less than the size it starts from."))
        begin, end = self.cleaned_data.get("after"), self.cleaned_data.get("before")
        if begin and end and begin > end:
            self.add_error("before", _("This is before the day it starts from."))

    @property
    def filters(self) -> list[forms.BoundField]:
        """The fields that narrow a search beside its words."""
        return [self[name] for name in ("endings", "class", "min_size", "max_size", "after", "before")]

    @property
    def shown(self) -> list[forms.BoundField]:
        """The fields that a person fills in."""
        return [self["q"], *self.filters]

    @property
    def has_filters(self) -> bool:
        return any(self.data.get(field.name) for field in self.filters)

    def to_wanted(self) -> Wanted:
        """Return what is searched for; the day in `before` belongs to it as a whole, in the person's zone."""
        data = self.cleaned_data
        sort = self.data.get("sort", "")
        last = data["before"]
        return Wanted(
            words=words_of(data["q"]),
            prefix=data["prefix"],
            endings=_endings(data["endings"]),
            storage_class=data["class"],
            min_size=data["min_size"],
            max_size=data["max_size"],
            after_ms=_midnight_ms(data["after"]),
            before_ms=_midnight_ms(last and last + timedelta(days=1)),
            sort=sort if sort.removeprefix("-") in ORDERS else "name",
        )


def _endings(text: str) -> tuple[str, ...]:
    """Return `pdf, *.tar.gz` as the folded ends of keys, each with its dot."""
    named = (part.lstrip("*.") for part in re.split(r"[\s,;]+", text.replace("\x00", "")))
    return tuple(dict.fromkeys(f".{fold(name)}" for name in named if name))[:ENDINGS_MAX]


def _midnight_ms(day: date | None) -> int | None:
    if day is None:
        return None
    return int(timezone.make_aware(datetime.combine(day, time.min)).timestamp() * 1000)
