"""The pictures of a bucket: a treemap of its folders, and its objects by size.

Positions are numbers for SVG attributes, because the pages' policy allows no style of their own. A drawing
does not grow with its text: each treemap is laid out twice, for a wide page and for a phone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import squarify

from apps.inventory.tally import Group, Level, Sum, Tally
from apps.storage.keys import visible
from apps.storage.sizes import size_text

TILES_MAX = 24
TONES = 6
# In the units of a drawing, which are CSS pixels at its full width.
_GAP = 2.0
_PAD = 8.0
_CHARACTER = 8.2
_LABEL_HEIGHT = 24.0
_TWO_LINES_HEIGHT = 44.0


@dataclass(frozen=True)
class Slice:
    """One group as it is shown: `share` of the whole is 0 to 1, `url` is '' for what has no folder."""

    group: Group
    name: str
    share: float
    url: str
    tone: int

    @property
    def percent(self) -> str:
        """Return the share in words that never round to nothing or to everything."""
        if 0 < self.share < 0.001:
            return "< 0.1 %"
        return f"{min(self.share, 0.999) if self.share < 1 else 1:.1%}".replace("%", " %")


@dataclass(frozen=True)
class Tile:
    """A slice in its place. `label` and `said` are '' where there is no room for them."""

    slice: Slice
    x: float
    y: float
    width: float
    height: float
    label: str
    said: str


@dataclass(frozen=True)
class Treemap:
    """A drawing of `width` by `height` units; `name` is what the style sheet shows it by."""

    name: str
    width: int
    height: int
    tiles: Sequence[Tile]


@dataclass(frozen=True)
class Bar:
    """Objects between two sizes: at least `low` and below `high` bytes; `high` is None for the last bar."""

    low: int
    high: int | None
    found: Sum

    @property
    def low_text(self) -> str:
        return _round_text(self.low)

    @property
    def high_text(self) -> str:
        return _round_text(self.high or 0)


def level_best(tally: Tally) -> Level:
    """Return the groups of the first depth that tells folders apart: one folder around all says nothing."""
    return next((level for level in tally.levels if level.count > 1), tally.levels[-1])


def slices_of(
    level: Level,
    *,
    total: Sum,
    prefix: str,
    by_size: bool,
    name_of: Callable[[Group], str],
    url_of: Callable[[str], str],
) -> list[Slice]:
    """Return the largest groups, largest first, and as the last one all the others, without a folder."""
    whole = total.size if by_size else total.objects
    ordered = sorted(level.kept, key=lambda group: _weight(group, by_size), reverse=True)
    shown, left = ordered[:TILES_MAX], ordered[TILES_MAX:]
    slices = [
        Slice(
            group,
            name_of(group),
            _weight(group, by_size) / whole if whole else 0.0,
            url_of(group.prefix),
            number % TONES,
        )
        for number, group in enumerate(shown)
    ]
    others = Group(
        size=level.rest.size + sum(group.size for group in left),
        objects=level.rest.objects + sum(group.objects for group in left),
        prefix=prefix,
    )
    if others.objects:
        share = _weight(others, by_size) / whole if whole else 0.0
        slices.append(Slice(others, "", share, "", TONES))
    return slices


def treemaps_of(slices: Sequence[Slice], *, by_size: bool, others: str) -> list[Treemap]:
    """Return the drawings, none where there is nothing to draw; `others` names the slice without a name."""
    drawn = [item for item in slices if _weight(item.group, by_size)]
    if not drawn:
        return []
    return [
        _treemap("wide", 1040, 340, drawn, by_size=by_size, others=others),
        _treemap("narrow", 340, 420, drawn, by_size=by_size, others=others),
    ]


def histogram_of(tally: Tally) -> list[Bar]:
    """Return the objects by size, in steps of sixteen; empty objects have a bar of their own."""
    # A slot holds the sizes of so many bits: slot 11 begins with 1 KiB, and each step has four slots.
    steps = [
        (0, 0),
        (1, 10),
        *((first, first + 3) for first in range(11, 43, 4)),
        (43, len(tally.histogram) - 1),
    ]
    bars = []
    for first, last in steps:
        found = Sum()
        for slot in tally.histogram[first : last + 1]:
            found.add(slot.objects, slot.size)
        high = None if last >= 43 else 1 if last == 0 else 1 << last
        bars.append(Bar(0 if first == 0 else 1 << (first - 1), high, found))
    used = [number for number, bar in enumerate(bars) if bar.found.objects]
    return bars[used[0] : used[-1] + 1] if used else []


def _round_text(size: int) -> str:
    """Return a power of two without the digits that a measured size has: `16 KiB`."""
    number, unit = size_text(size).split(" ")
    return f"{float(number):g} {unit}"


def _treemap(
    name: str, width: int, height: int, slices: Sequence[Slice], *, by_size: bool, others: str
) -> Treemap:
    # The last slice holds the others and may be the largest: the layout wants the largest first.
    ordered = sorted(slices, key=lambda item: _weight(item.group, by_size), reverse=True)
    areas = squarify.normalize_sizes([_weight(item.group, by_size) for item in ordered], width, height)
    places = squarify.squarify(areas, 0, 0, width, height)
    tiles = [
        _tile(item, place, by_size=by_size, others=others)
        for item, place in zip(ordered, places, strict=True)
        if place["dx"] > 2 * _GAP and place["dy"] > 2 * _GAP
    ]
    return Treemap(name, width, height, tiles)


def _tile(item: Slice, place: dict[str, float], *, by_size: bool, others: str) -> Tile:
    width, height = place["dx"] - _GAP, place["dy"] - _GAP
    room = int((width - 2 * _PAD) / _CHARACTER)
    label = _fitting(visible(item.name) or others, room) if height >= _LABEL_HEIGHT else ""
    said = size_text(item.group.size) if by_size else f"{item.group.objects:,}"
    has_room = label and height >= _TWO_LINES_HEIGHT and len(said) <= room
    return Tile(
        item,
        round(place["x"], 1),
        round(place["y"], 1),
        round(width, 1),
        round(height, 1),
        label,
        said if has_room else "",
    )


def _fitting(text: str, room: int) -> str:
    """Return as much of a text as `room` narrow characters take, '' where that would say nothing."""
    taken = 0
    for at, character in enumerate(text):
        taken += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if taken > room:
            return f"{text[: at - 1]}…" if at > 3 else ""
    return text


def _weight(group: Group, by_size: bool) -> int:
    return group.size if by_size else group.objects
