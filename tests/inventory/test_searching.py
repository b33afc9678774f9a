"""Search and sort over the index: exact, in pages that neither repeat nor skip a row."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from apps.connections.models import Connection
from apps.inventory.folding import words_of
from apps.inventory.models import Walk
from apps.inventory.searching import Cursor, Wanted, cursor_of, index_matches, index_search, index_walk
from apps.inventory.walking import walk_batch
from tests.hostile import HOSTILE_KEYS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Fill = Callable[..., None]
Begin = Callable[..., Walk]


def keys(walk: Walk, **wanted: object) -> list[str]:
    return [row.key for row in index_search(walk, Wanted(**wanted)).rows]  # type: ignore[arg-type]


def test_words_are_found_anywhere_in_any_order_and_case(fill: Fill, counted: Begin) -> None:
    fill([("a/Report-2026.PDF", 1), ("b/report-2025.pdf", 1), ("2026/notes.txt", 1)])
    walk = counted()

    assert keys(walk, words=words_of("report")) == ["a/Report-2026.PDF", "b/report-2025.pdf"]
    assert keys(walk, words=words_of("2026 REPORT")) == ["a/Report-2026.PDF"]
    assert keys(walk, words=words_of("none")) == []


def test_letters_beyond_ascii_have_cases_too(fill: Fill, counted: Begin) -> None:
    fill([("ÉTÉ/Straße.txt", 1), ("资料/文件.txt", 1)])
    walk = counted()

    assert keys(walk, words=words_of("été STRASSE")) == ["ÉTÉ/Straße.txt"]
    assert keys(walk, words=words_of("文件")) == ["资料/文件.txt"]


def test_signs_of_patterns_mean_themselves(fill: Fill, counted: Begin) -> None:
    fill([("100%_done", 1), ("100 done", 1), ("a\\b", 1), ("[x]*?", 1), ("it's", 1)])
    walk = counted()

    assert keys(walk, words=words_of("%")) == ["100%_done"]
    assert keys(walk, words=words_of("_")) == ["100%_done"]
    assert keys(walk, words=words_of("\\")) == ["a\\b"]
    assert keys(walk, words=words_of("*?")) == ["[x]*?"]
    assert keys(walk, words=words_of("'")) == ["it's"]
    assert keys(walk, words=words_of('"0 d"')) == ["100 done"]


@pytest.mark.parametrize("key", [*HOSTILE_KEYS, "nul\x00inside"])
def test_hostile_key_is_found_by_itself(fill: Fill, counted: Begin, key: str) -> None:
    fill([(key, 1), ("other", 1)])
    walk = counted()

    assert key in keys(walk, words=words_of(f'"{key}"') if '"' not in key else words_of(key))


def test_hidden_characters_are_found_by_the_signs_that_pages_show(fill: Fill, counted: Begin) -> None:
    fill([("a\nb", 1), ("nul\x00", 1), ("plain", 1)])
    walk = counted()

    assert keys(walk, words=words_of("a␊b")) == ["a\nb"]
    assert keys(walk, words=words_of("␀")) == ["nul\x00"]


def test_prefix_keeps_to_its_folder(fill: Fill, counted: Begin) -> None:
    fill([("a", 1), ("a/1", 1), ("a/2", 1), ("a0", 1), ("b/1", 1), ("中/1", 1), ("中0", 1)])
    walk = counted()

    assert keys(walk, prefix="a/") == ["a/1", "a/2"]
    assert keys(walk, prefix="中/") == ["中/1"]
    assert keys(walk, prefix="zz/") == []
    assert keys(walk, prefix="a/", words=("2",)) == ["a/2"]


def test_filters_narrow_the_rows(fill: Fill, counted: Begin) -> None:
    fill([("a.pdf", 10), ("b.PDF", 20), ("pdf", 30)], modified_ms=1000)
    fill([("c.tar.gz", 40)], storage_class="ARCHIVE", modified_ms=2000)
    walk = counted()

    assert keys(walk, endings=(".pdf",)) == ["a.pdf", "b.PDF"]
    assert keys(walk, endings=(".tar.gz", ".pdf")) == ["a.pdf", "b.PDF", "c.tar.gz"]
    assert keys(walk, min_size=20, max_size=30) == ["b.PDF", "pdf"]
    assert keys(walk, storage_class="ARCHIVE") == ["c.tar.gz"]
    assert keys(walk, after_ms=1001) == ["c.tar.gz"]
    assert keys(walk, before_ms=2000, after_ms=1000) == ["a.pdf", "b.PDF", "pdf"]


@pytest.mark.parametrize("sort", ["name", "-name", "size", "-size", "changed", "-changed", "class", "-class"])
def test_pages_hold_every_row_once_there_and_back(fill: Fill, counted: Begin, sort: str) -> None:
    chance = random.Random(5)
    for storage_class in ("STANDARD", "ARCHIVE"):
        for modified_ms in (1000, 2000):
            stem = f"{storage_class}{modified_ms}"
            fill(
                ((f"{stem}/{number:03}", chance.randrange(9)) for number in range(90)),
                storage_class=storage_class,
                modified_ms=modified_ms,
            )
    walk = counted()

    pages = [index_search(walk, Wanted(sort=sort))]
    while pages[-1].next:
        pages.append(index_search(walk, Wanted(sort=sort), cursor=pages[-1].next))
    back = [pages[-1]]
    while back[-1].previous:
        back.append(index_search(walk, Wanted(sort=sort), cursor=back[-1].previous))

    assert [len(page.rows) for page in pages] == [100, 100, 100, 60]
    seen = [row.key for page in pages for row in page.rows]
    assert len(set(seen)) == 360
    assert [[row.key for row in page.rows] for page in reversed(back)] == [
        [row.key for row in page.rows] for page in pages
    ]
    sizes = [row.size for page in pages for row in page.rows]
    if sort.endswith("size"):
        assert sizes == sorted(sizes, reverse=sort.startswith("-"))


def test_page_of_an_older_index_begins_anew(fill: Fill, counted: Begin) -> None:
    fill((f"{number:03}", 1) for number in range(150))
    walk = counted()

    page = index_search(walk, Wanted(), cursor=Cursor(walk.pk + 1, 120, "120"))

    assert page.rows[0].key == "000"


def test_cursor_that_was_edited_is_none() -> None:
    assert cursor_of(str(Cursor(1, 2, "STANDARD.x", is_back=True))) == Cursor(
        1, 2, "STANDARD.x", is_back=True
    )
    for text in ("", "1", "1.2.f", "x.2.f.1", "1.-2.f.1", "1." + "9" * 30 + ".f.1"):
        assert cursor_of(text) is None


def test_matches_are_counted(fill: Fill, counted: Begin) -> None:
    fill([("a", 1), ("ab", 2), ("b", 4)])
    walk = counted()

    found = index_matches(walk, Wanted(words=("a",)))
    none = index_matches(walk, Wanted(words=("zz",)))

    assert (found.objects, found.size, none.objects, none.size) == (2, 3, 0, 0)


def test_index_in_the_making_can_be_searched_until_there_is_a_whole_one(
    fill: Fill, begin: Begin, connection: Connection, bucket: str
) -> None:
    fill([("a", 1)])
    assert index_walk(connection, bucket=bucket) is None
    first = begin()
    assert index_walk(connection, bucket=bucket) is None
    assert walk_batch(walk_id=first.pk) is True
    second = begin()
    Walk.objects.filter(pk=second.pk).update(kept=1)

    found = index_walk(connection, bucket=bucket)

    assert found is not None
    assert found.pk == first.pk
