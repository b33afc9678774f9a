"""What a person asked of a folder: which page of it, and what of that page in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from apps.storage.keys import has_ending, key_name
from apps.storage.types import Listing, ObjectSummary

LONG_AGO = datetime.min.replace(tzinfo=UTC)
# The store lists names in the order of their UTF-8 bytes. Whatever else is asked for is done to one page.
ORDERS: dict[str, Callable[[ObjectSummary], Any]] = {
    "name": lambda summary: summary.key.encode("utf-8", "surrogatepass"),
    "size": lambda summary: summary.size,
    "changed": lambda summary: summary.modified_at or LONG_AGO,
    "class": lambda summary: summary.storage_class,
}


@dataclass(frozen=True)
class PageFilter:
    """What the rows of a page must be. Sizes are bytes, both ends included; `before` itself is left out.

    `endings` are in lower case and without their dot.
    """

    contains: str = ""
    endings: tuple[str, ...] = ()
    min_size: int | None = None
    max_size: int | None = None
    after: datetime | None = None
    before: datetime | None = None
    storage_class: str = ""

    @property
    def is_empty(self) -> bool:
        return self == _EVERYTHING

    @property
    def has_facts(self) -> bool:
        """Return whether something is asked that only objects have, so that no folder can match."""
        return self != PageFilter(contains=self.contains)

    def takes(self, summary: ObjectSummary) -> bool:
        return (
            self.takes_name(summary.key)
            and (not self.endings or has_ending(summary.key, self.endings))
            and (self.min_size is None or summary.size >= self.min_size)
            and (self.max_size is None or summary.size <= self.max_size)
            and (not self.storage_class or summary.storage_class == self.storage_class)
            and self._takes_moment(summary.modified_at)
        )

    def takes_folder(self, folder: str) -> bool:
        return not self.has_facts and self.takes_name(folder)

    def takes_name(self, key: str) -> bool:
        return not self.contains or self.contains.casefold() in key_name(key).casefold()

    def _takes_moment(self, moment: datetime | None) -> bool:
        if self.after is None and self.before is None:
            return True
        if moment is None:
            return False
        return (self.after is None or moment >= self.after) and (self.before is None or moment < self.before)


_EVERYTHING = PageFilter()


@dataclass(frozen=True)
class ListQuery:
    """Which page of which folder. `first` is the number of its first row.

    `sort` is a name in ORDERS, after a `-` downwards, or empty for the store's own order. `given` holds what
    the address says about rows and columns, as it was typed, so that links to other pages keep it.
    """

    prefix: str
    find: str
    marker: str
    limit: int
    first: int
    trail: tuple[tuple[str, int], ...]
    sort: str = ""
    wanted: PageFilter = _EVERYTHING
    given: Mapping[str, str] = field(default_factory=dict)


def is_marker(summary: ObjectSummary, prefix: str) -> bool:
    """Return whether this is the empty object that stands for the folder itself."""
    return summary.key == prefix and summary.size == 0


def page_arrange(listing: Listing, query: ListQuery) -> Listing:
    """Return the rows of a page that are wanted, folders apart, in the order that is wanted.

    The 0-byte object that a folder leaves under its own name is not a row of that folder.
    """
    prefixes, objects = listing.prefixes, listing.objects
    if objects and is_marker(objects[0], query.prefix):
        objects = objects[1:]
    if not query.wanted.is_empty:
        prefixes = tuple(folder for folder in prefixes if query.wanted.takes_folder(folder))
        objects = tuple(summary for summary in objects if query.wanted.takes(summary))
    if query.sort:
        is_down = query.sort.startswith("-")
        objects = tuple(sorted(objects, key=ORDERS[query.sort.lstrip("-")], reverse=is_down))
        if query.sort == "-name":
            prefixes = prefixes[::-1]
    return Listing(objects=objects, prefixes=prefixes, next_marker=listing.next_marker)
