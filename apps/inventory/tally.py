"""What a walk adds up: figures of bounded size over any number of objects, ready to be stored after a page.

A store lists keys in byte order, so that everything below one prefix comes in one run. A group is therefore
final when the walk leaves its prefix, and keeping only the largest groups keeps them exactly: what was let
go can never come back, and is part of `Rest`.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from apps.storage.types import ObjectSummary

# How many folders deep groups are made, and how many of the largest are kept at each depth.
DEPTHS = 3
GROUPS_KEPT = 60
# A store has a dozen classes; whatever answers with more is not listened to any further.
CLASSES_KEPT = 40
CLASS_REST = "…"
EXTREMES_KEPT = 5
HISTOGRAM_SLOTS = 64


@dataclass
class Sum:
    """Objects and their bytes."""

    objects: int = 0
    size: int = 0

    def add(self, objects: int, size: int) -> None:
        self.objects += objects
        self.size += size


@dataclass(frozen=True, order=True)
class Group:
    """What lies below a prefix; with `is_direct` only what lies in it and in no folder of it."""

    size: int
    objects: int
    prefix: str
    is_direct: bool = False


@dataclass
class Rest:
    """What is not in the groups that were kept: so many groups, with these sums."""

    groups: int = 0
    objects: int = 0
    size: int = 0


@dataclass
class Level:
    """The groups of one depth: the largest, and the sum of the others."""

    kept: list[Group] = field(default_factory=list)
    rest: Rest = field(default_factory=Rest)

    def add(self, group: Group) -> None:
        if len(self.kept) < GROUPS_KEPT:
            heapq.heappush(self.kept, group)
            return
        smallest = heapq.heappushpop(self.kept, group)
        self.rest.groups += 1
        self.rest.objects += smallest.objects
        self.rest.size += smallest.size

    @property
    def count(self) -> int:
        return len(self.kept) + self.rest.groups


@dataclass
class Open:
    """A prefix that the walk is still in: its own objects, and those of its folders that are done with."""

    prefix: str
    direct: Sum = field(default_factory=Sum)
    below: Sum = field(default_factory=Sum)


@dataclass(frozen=True, order=True)
class Seen:
    """An object that stands out: `rank` is what it is largest, newest or oldest by."""

    rank: int
    key: str
    size: int
    modified_ms: int


@dataclass
class Tally:
    """The figures of the objects seen so far."""

    prefix: str
    total: Sum = field(default_factory=Sum)
    empty: int = 0
    markers: int = 0
    classes: dict[str, Sum] = field(default_factory=dict)
    histogram: list[Sum] = field(default_factory=lambda: [Sum() for _ in range(HISTOGRAM_SLOTS)])
    largest: list[Seen] = field(default_factory=list)
    newest: list[Seen] = field(default_factory=list)
    oldest: list[Seen] = field(default_factory=list)
    levels: list[Level] = field(default_factory=lambda: [Level() for _ in range(DEPTHS)])
    open: list[Open] = field(default_factory=list)

    def add_page(self, objects: Iterable[ObjectSummary]) -> None:
        """Add objects that follow all those before in the order of keys."""
        for summary in objects:
            self._add(summary)

    def _add(self, summary: ObjectSummary) -> None:
        size = summary.size
        self.total.add(1, size)
        self._sum_of_class(summary.storage_class).add(1, size)
        self.histogram[min(size.bit_length(), HISTOGRAM_SLOTS - 1)].add(1, size)
        if not size:
            self.empty += 1
            self.markers += summary.key.endswith("/")
        self._open_of(summary.key).direct.add(1, size)
        _keep_extremes(self, summary)

    def _sum_of_class(self, name: str) -> Sum:
        found = self.classes.get(name)
        if found is None:
            name = name if len(self.classes) < CLASSES_KEPT else CLASS_REST
            found = self.classes.setdefault(name, Sum())
        return found

    def _open_of(self, key: str) -> Open:
        """Return the innermost prefix that groups are made of, after leaving those that are done with."""
        if not self.open:
            self.open.append(Open(self.prefix))
        while not key.startswith(self.open[-1].prefix):
            self._close()
        while len(self.open) <= DEPTHS:
            begin = len(self.open[-1].prefix)
            slash = key.find("/", begin)
            if slash < 0:
                break
            self.open.append(Open(key[: slash + 1]))
        return self.open[-1]

    def _close(self) -> None:
        """Leave the innermost prefix: its sums are final now."""
        depth = len(self.open) - 1
        left = self.open.pop()
        objects = left.direct.objects + left.below.objects
        size = left.direct.size + left.below.size
        if self.open:
            self.open[-1].below.add(objects, size)
            self.levels[depth - 1].add(Group(size, objects, left.prefix))
        if left.direct.objects:
            # Deeper groups do not hold them: there they are a group of their own.
            for level in self.levels[depth:]:
                level.add(Group(left.direct.size, left.direct.objects, left.prefix, is_direct=True))

    def close(self) -> None:
        """Leave every prefix, as at the end of a walk."""
        while self.open:
            self._close()

    def to_json(self) -> str:
        """Return the figures as ASCII text, whatever keys they name."""
        histogram = {str(slot): _plain(found) for slot, found in enumerate(self.histogram) if found.objects}
        return json.dumps(
            {
                "prefix": self.prefix,
                "total": _plain(self.total),
                "empty": self.empty,
                "markers": self.markers,
                "classes": {name: _plain(found) for name, found in self.classes.items()},
                "histogram": histogram,
                "largest": [_seen(item) for item in self.largest],
                "newest": [_seen(item) for item in self.newest],
                "oldest": [_seen(item) for item in self.oldest],
                "levels": [_plain_level(level) for level in self.levels],
                "open": [[item.prefix, _plain(item.direct), _plain(item.below)] for item in self.open],
            },
            separators=(",", ":"),
        )


def tally_of(text: str, *, prefix: str = "") -> Tally:
    """Return the figures that `to_json` made text of; empty text stands for a walk that has not begun."""
    if not text:
        return Tally(prefix)
    said = json.loads(text)
    tally = Tally(said["prefix"], total=Sum(*said["total"]), empty=said["empty"], markers=said["markers"])
    tally.classes = {name: Sum(*found) for name, found in said["classes"].items()}
    for slot, found in said["histogram"].items():
        tally.histogram[int(slot)] = Sum(*found)
    for name in ("largest", "newest", "oldest"):
        setattr(tally, name, [Seen(*item) for item in said[name]])
    tally.levels = [Level([Group(*item) for item in kept], Rest(*rest)) for kept, rest in said["levels"]]
    tally.open = [Open(prefix, Sum(*direct), Sum(*below)) for prefix, direct, below in said["open"]]
    return tally


def _keep_extremes(tally: Tally, summary: ObjectSummary) -> None:
    size, key = summary.size, summary.key
    modified_ms = modified_ms_of(summary)
    if len(tally.largest) < EXTREMES_KEPT or size > tally.largest[0].rank:
        _push(tally.largest, Seen(size, key, size, modified_ms))
    if not modified_ms:
        return
    if len(tally.newest) < EXTREMES_KEPT or modified_ms > tally.newest[0].rank:
        _push(tally.newest, Seen(modified_ms, key, size, modified_ms))
    if len(tally.oldest) < EXTREMES_KEPT or -modified_ms > tally.oldest[0].rank:
        _push(tally.oldest, Seen(-modified_ms, key, size, modified_ms))


def _push(heap: list[Seen], item: Seen) -> None:
    if len(heap) < EXTREMES_KEPT:
        heapq.heappush(heap, item)
    else:
        heapq.heappushpop(heap, item)


def modified_ms_of(summary: ObjectSummary) -> int:
    """Return when an object was last changed, in milliseconds since 1970; 0 where the store does not say."""
    return int(summary.modified_at.timestamp() * 1000) if summary.modified_at else 0


def _plain(found: Sum) -> list[int]:
    return [found.objects, found.size]


def _seen(item: Seen) -> list[Any]:
    return [item.rank, item.key, item.size, item.modified_ms]


def _plain_level(level: Level) -> list[Any]:
    kept = [[group.size, group.objects, group.prefix, group.is_direct] for group in level.kept]
    return [kept, [level.rest.groups, level.rest.objects, level.rest.size]]
