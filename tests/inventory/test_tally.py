"""Figures of bounded size stay exact, whatever the number of folders."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

from apps.inventory.charts import TILES_MAX, histogram_of, level_best, slices_of, treemaps_of
from apps.inventory.tally import GROUPS_KEPT, Tally, tally_of
from apps.storage.types import ObjectSummary

NOW = datetime(2026, 8, 1, tzinfo=UTC)


def summaries(sizes: dict[str, int]) -> list[ObjectSummary]:
    keys = sorted(sizes, key=str.encode)
    return [ObjectSummary(key, sizes[key], "", NOW, "STANDARD") for key in keys]


def tally_in_pages(sizes: dict[str, int], *, page: int) -> Tally:
    """Add page by page, through the stored text each time, as workers do."""
    objects, text = summaries(sizes), ""
    for at in range(0, len(objects), page):
        tally = tally_of(text)
        tally.add_page(objects[at : at + page])
        text = tally.to_json()
    tally = tally_of(text)
    tally.close()
    return tally


def test_folders_are_summed_at_every_depth() -> None:
    sizes = {"a/1": 1, "a/b/2": 2, "a/b/c/3": 4, "a/b/c/d/4": 8, "e": 16}

    tally = tally_in_pages(sizes, page=2)

    found = [{(g.prefix, g.is_direct): g.size for g in level.kept} for level in tally.levels]
    assert found[0] == {("a/", False): 15, ("", True): 16}
    assert found[1] == {("a/b/", False): 14, ("a/", True): 1, ("", True): 16}
    assert found[2] == {("a/b/c/", False): 12, ("a/b/", True): 2, ("a/", True): 1, ("", True): 16}


def test_objects_between_folders_belong_to_one_group() -> None:
    tally = tally_in_pages({"a": 1, "b/1": 1, "c": 1, "d/1": 1, "e": 1}, page=1)

    assert {(g.prefix, g.objects) for g in tally.levels[0].kept} == {("", 3), ("b/", 1), ("d/", 1)}


def test_many_folders_keep_the_largest_exactly_and_the_sum_of_the_others() -> None:
    chance = random.Random(7)
    sizes = {f"{folder:05}/{item}": chance.randrange(1000) for folder in range(3000) for item in range(3)}
    wanted: Counter[str] = Counter()
    for key, size in sizes.items():
        wanted[key.split("/")[0] + "/"] += size

    tally = tally_in_pages(sizes, page=1000)

    level = tally.levels[0]
    assert sorted(g.size for g in level.kept) == sorted(size for _, size in wanted.most_common(GROUPS_KEPT))
    assert level.rest.groups == 3000 - GROUPS_KEPT
    assert sum(g.size for g in level.kept) + level.rest.size == sum(sizes.values())
    assert len(tally.to_json()) < 40_000


def test_odd_keys_are_added_like_others() -> None:
    tally = tally_in_pages({"/": 1, "//": 1, "/a": 1, "a//b": 1, "\x00/\x01": 1, "中/文": 1}, page=2)

    assert tally.total.objects == 6
    assert sum(g.objects for g in tally.levels[0].kept) == 6
    assert sum(g.objects for g in tally.levels[2].kept) == 6


def test_empty_objects_and_folder_markers_are_counted() -> None:
    tally = tally_in_pages({"a/": 0, "a/b": 0, "c": 1}, page=10)

    assert (tally.empty, tally.markers) == (2, 1)


def test_histogram_covers_every_object_once() -> None:
    sizes = {f"{bits:02}": (1 << bits) - 1 for bits in range(45)} | {"zero": 0, "huge": 1 << 48}

    bars = histogram_of(tally_in_pages(sizes, page=7))

    assert sum(bar.found.objects for bar in bars) == len(sizes)
    assert sum(bar.found.size for bar in bars) == sum(sizes.values())
    assert bars[0].found.objects == 2
    assert bars[-1].high is None
    assert all(low.high == high.low for low, high in pairwise(bars[1:]))


def test_treemap_fills_its_room_and_names_what_is_left() -> None:
    sizes = {f"{folder:03}/x": 1000 + folder for folder in range(200)}
    tally = tally_in_pages(sizes, page=100)
    slices = slices_of(
        level_best(tally),
        total=tally.total,
        prefix="",
        by_size=True,
        name_of=lambda group: group.prefix,
        url_of=lambda prefix: f"?{prefix}",
    )

    wide, narrow = treemaps_of(slices, by_size=True, others="Others")

    assert len(slices) == TILES_MAX + 1
    assert sum(item.group.objects for item in slices) == 200
    assert abs(sum(item.share for item in slices) - 1) < 1e-9
    for drawing in (wide, narrow):
        covered = sum((tile.width + 2) * (tile.height + 2) for tile in drawing.tiles)
        assert abs(covered / (drawing.width * drawing.height) - 1) < 0.02


def test_nothing_to_draw_is_no_drawing() -> None:
    tally = tally_in_pages({"a/": 0}, page=1)
    slices = slices_of(level_best(tally), total=tally.total, prefix="", by_size=True, name_of=str, url_of=str)

    assert treemaps_of(slices, by_size=True, others="") == []
