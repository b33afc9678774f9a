from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from html import unescape

import pytest
from django.utils.timezone import get_current_timezone

from apps.objects.rows import RowWords, key_html, rows_html
from apps.objects.tokens import TOKEN_MAX, trail_pack, trail_unpack
from apps.storage.keys import key_name, key_parent, prefix_steps, visible
from apps.storage.sizes import size_parse, size_text
from apps.storage.types import Listing, ObjectSummary

WORDS = RowWords(
    folder="/f?prefix=",
    detail="/o?key=",
    download="/d?key=",
    measure="/m?prefix=",
    download_label="Download",
    measure_label="count it",
    unread_label="not checked",
    zone=get_current_timezone(),
)


@pytest.mark.parametrize(
    ("key", "seen"),
    [
        ("plain.txt", "plain.txt"),
        (" edges ", "␠edges␠"),
        ("a b", "a b"),
        ("\x00\n\x7f\x85", "␀␊␡U+0085"),
        ("x\u202ey\u200bz", "xU+202EyU+200Bz"),
        ("\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
        ("pay\u200dpal", "payU+200Dpal"),
        ("العربية", "العربية"),
    ],
    ids=ascii,
)
def test_what_a_screen_would_hide_is_visible(key: str, seen: str) -> None:
    assert visible(key) == seen


def test_key_is_escaped() -> None:
    assert key_html('<b>"&') == '<bdi class="key">&lt;b&gt;&quot;&amp;</bdi>'


@pytest.mark.parametrize(
    ("key", "name", "parent"),
    [
        ("a", "a", ""),
        ("a/b", "b", "a/"),
        ("a/b/", "b/", "a/"),
        ("a//", "/", "a/"),
        ("/", "/", ""),
        ("", "", ""),
    ],
)
def test_key_is_cut_at_its_last_slash(key: str, name: str, parent: str) -> None:
    assert (key_name(key), key_parent(key)) == (name, parent)


def test_folder_without_a_name_is_a_step_of_its_own() -> None:
    assert list(prefix_steps("a//b/")) == [("a/", "a/"), ("/", "a//"), ("b/", "a//b/")]


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (1024**2 - 1, "1023 KiB"), (5 * 1024**4, "5.00 TiB")],
)
def test_size_rounds_down(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500", 500),
        ("1.5 MiB", 1_572_864),
        ("10k", 10_240),
        (" 2 GB ", 2_000_000_000),
        ("5 B", 5),
        ("1,500", None),
        ("1e3", None),
        ("-1", None),
        ("", None),
        ("x", None),
        ("٣", None),
    ],
)
def test_size_is_read_as_it_was_written(text: str, size: int | None) -> None:
    assert size_parse(text) == size


@pytest.mark.parametrize("key", ["plain name.txt", "a", "-", "a/b/"])
def test_plain_name_is_drawn_as_any_other(key: str) -> None:
    assert key_html(key) == f'<bdi class="key">{key}</bdi>'


@pytest.mark.parametrize("key", [" a", "a ", "a\n", "a\x00b", "", "a&b"], ids=ascii)
def test_name_that_hides_something_is_not_plain(key: str) -> None:
    assert visible(key) in unescape(re.sub("<[^>]*>", "", key_html(key)))


def test_trail_survives_the_address() -> None:
    steps = [("", 1), ("ключ\n/é", 101), ("z" * 850, 201)]

    assert list(trail_unpack(trail_pack(steps))) == steps


def test_long_trail_forgets_the_oldest_pages_only() -> None:
    steps = [(f"{number:08}-{hash(str(number)) & 0xFFFFFFFF:08x}", number) for number in range(5000)]

    token = trail_pack(steps)

    assert 0 < len(token) <= TOKEN_MAX
    assert trail_unpack(token)[-1] == steps[-1]


@pytest.mark.parametrize("token", ["x", "!!!!", "eJw", "A" * 2000, "eNoDAAAAAAE"])
def test_broken_trail_is_no_trail(token: str) -> None:
    assert trail_unpack(token) == ()


def test_thousand_rows_are_cheap() -> None:
    moment = datetime(2026, 8, 12, 9, 31, tzinfo=UTC)
    objects = tuple(
        ObjectSummary(f"dir/report-{number:04}.pdf", number * 1000, "etag", moment, "STANDARD")
        for number in range(1000)
    )
    listing = Listing(objects=objects, prefixes=(), next_marker=None)
    rows_html(listing, WORDS, read={})

    before = time.process_time()
    html = rows_html(listing, WORDS, read={})
    spent_s = time.process_time() - before

    assert html.count("<tr>") == 1000
    assert len(html) < 700_000
    # Filters and tags per row need about 0.2 s; this leaves room for a slow machine.
    assert spent_s < 0.1
