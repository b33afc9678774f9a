"""What the scripts say about figures and keys is what the server says."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page

from apps.storage.keys import visible
from apps.storage.sizes import size_text
from console.figures import duration_text, percent
from tests.console.test_figures import DURATIONS, SIZES

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

KEYS = [
    "a/b c.txt",
    " a ",
    "  ",
    "",
    "a\x00b\nc\x7f",
    "\u202egpj.exe",
    "zero\u200bwidth",
    "no\u00a0break",
    "资料",
    "👩\u200d💻",
    "a\u200db",
    "tag\U000e0041",
]


def evaluated(page: Page, module: str, body: str) -> object:
    page.goto("/jobs/")
    return json.loads(
        page.evaluate(f"async () => {{ const m = await import('/static/js/{module}'); return {body}; }}")
    )


def test_sizes(page: Page) -> None:
    sizes = [size for size, _ in SIZES]

    said = evaluated(page, "figures.js", f"JSON.stringify({sizes}.map(m.size))")

    assert said == [size_text(size) for size in sizes]


def test_durations(page: Page) -> None:
    seconds = [second for second, _ in DURATIONS]

    said = evaluated(page, "figures.js", f"JSON.stringify({seconds}.map(m.duration))")

    assert said == [duration_text(second) for second in seconds]


def test_percents(page: Page) -> None:
    said = evaluated(page, "figures.js", "JSON.stringify([m.percent(0, 0), m.percent(999, 1000)])")

    assert said == [percent(0, 0), percent(999, 1000)]


def test_hidden_characters(page: Page) -> None:
    body = f"JSON.stringify({json.dumps(KEYS)}.map((key) => m.visibleKey(key).textContent))"

    said = evaluated(page, "visible.js", body)

    assert said == [visible(key) for key in KEYS]
