"""Which objects a person means: some that were marked, or all that match."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from apps.storage.keys import has_ending, key_name, key_parent, key_query
from apps.storage.types import ObjectSummary


@dataclass(frozen=True)
class Match:
    """All objects under `prefix` whose name there begins with `find`, and that pass the filters.

    What a name `contains` and its `endings` are looked for in the last segment of a key: an object is not
    taken because a folder around it is called so. `endings` are in lower case and without their dot. Sizes
    are bytes, both ends included; `after` and `before` are moments of the last change, the first included.
    Folders below are included unless it `is_flat`.
    """

    prefix: str = ""
    find: str = ""
    contains: str = ""
    endings: tuple[str, ...] = ()
    min_size: int | None = None
    max_size: int | None = None
    after: datetime | None = None
    before: datetime | None = None
    storage_class: str = ""
    is_flat: bool = False

    @property
    def is_whole_bucket(self) -> bool:
        """Return whether nothing narrows this down before objects are looked at."""
        return not self.prefix and not self.find

    def takes(self, summary: ObjectSummary) -> bool:
        """Return whether an object that lies under `prefix` and `find` passes the filters.

        The empty object that stands for the folder itself is none of those in it.
        """
        if self.prefix and summary.key == self.prefix:
            return False
        if self.contains and self.contains.casefold() not in key_name(summary.key).casefold():
            return False
        if self.endings and not has_ending(summary.key, self.endings):
            return False
        if self.storage_class and summary.storage_class != self.storage_class:
            return False
        if self.min_size is not None and summary.size < self.min_size:
            return False
        if self.max_size is not None and summary.size > self.max_size:
            return False
        return self._takes_time(summary.modified_at)

    def _takes_time(self, moment: datetime | None) -> bool:
        if self.after is None and self.before is None:
            return True
        # An object of which nobody knows when it was changed is not what somebody asked for by its date.
        if moment is None or (self.after is not None and moment < self.after):
            return False
        return self.before is None or moment < self.before


@dataclass(frozen=True)
class Source:
    """One piece of a selection that is listed by itself: some keys, or all under a prefix.

    A copy keeps of its name what follows `base`, and of single keys the last segment.
    """

    keys: tuple[str, ...] = ()
    prefix: str = ""
    base: str | None = None
    match: Match | None = None


@dataclass(frozen=True)
class Selection:
    """Keys and folders, or a match. Folders end in a slash: `photos/` is never a part of `photos-old/`."""

    keys: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    match: Match | None = None

    @property
    def is_empty(self) -> bool:
        return not self.keys and not self.folders and self.match is None

    def sources(self, *, keys_at_once: int = 1000) -> list[Source]:
        """Return what is to be listed, each object in one source only."""
        if self.match is not None:
            match = self.match
            return [Source(prefix=match.prefix + match.find, base=match.prefix, match=match)]
        folders = list(_outermost(self.folders))
        inside = tuple(folders)
        keys = [key for key in dict.fromkeys(self.keys) if not key.startswith(inside)]
        chunks = [tuple(keys[at : at + keys_at_once]) for at in range(0, len(keys), keys_at_once)]
        return [
            *(Source(keys=chunk) for chunk in chunks),
            *(Source(prefix=folder, base=key_parent(folder)) for folder in folders),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; keys are percent-encoded, because JSON columns refuse a NUL."""
        if self.match is None:
            return {
                "keys": [key_query(key) for key in self.keys],
                "folders": [key_query(folder) for folder in self.folders],
            }
        match = self.match
        return {
            "match": {
                "prefix": key_query(match.prefix),
                "find": key_query(match.find),
                "contains": key_query(match.contains),
                "endings": [key_query(ending) for ending in match.endings],
                "min_size": match.min_size,
                "max_size": match.max_size,
                "after": match.after and match.after.isoformat(),
                "before": match.before and match.before.isoformat(),
                "storage_class": match.storage_class,
                "is_flat": match.is_flat,
            }
        }


def _outermost(folders: Iterable[str]) -> Iterator[str]:
    """Yield each folder that lies in no other one."""
    last = None
    for folder in sorted(set(folders)):
        if last is None or not folder.startswith(last):
            last = folder
            yield folder


def selection_of(data: dict[str, Any]) -> Selection:
    """Return the selection that `to_json` wrote down."""
    found = data.get("match")
    if found is None:
        return Selection(
            keys=tuple(unquote(key) for key in data.get("keys", ())),
            folders=tuple(unquote(folder) for folder in data.get("folders", ())),
        )
    return Selection(
        match=Match(
            prefix=unquote(found["prefix"]),
            find=unquote(found["find"]),
            contains=unquote(found["contains"]),
            endings=tuple(unquote(ending) for ending in found.get("endings", ())),
            min_size=found["min_size"],
            max_size=found["max_size"],
            after=_moment(found["after"]),
            before=_moment(found["before"]),
            storage_class=found["storage_class"],
            is_flat=found["is_flat"],
        )
    )


def endings_of(text: str) -> tuple[str, ...]:
    """Return `pdf, *.tar.gz` as endings in lower case, without their dots."""
    named = (part.lstrip("*.") for part in re.split(r"[\s,;]+", text.lower()))
    return tuple(dict.fromkeys(name for name in named if name))


def name_below(key: str, base: str | None) -> str:
    """Return what a copy of `key` keeps of its name: all below `base`, or the last segment without one."""
    return key_name(key) if base is None else key[len(base) :]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
