"""The checksum that a browser computes is the one that the store and the workers compute."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from apps.storage.digest import crc64_update

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

SUMS = """async (sizes) => {
  const { crc64 } = await import('/static/js/crc64.js');
  const fill = (size) => Uint8Array.from({ length: size }, (_, at) => (at * 7 + (at >> 3)) % 256);
  return Promise.all(sizes.map((size) => crc64(new Blob([fill(size)]))));
}"""
CHECK = """async () => {
  const { crc64 } = await import('/static/js/crc64.js');
  return crc64(new Blob(['123456789']));
}"""
STOPPED = """async () => {
  const { crc64 } = await import('/static/js/crc64.js');
  const stop = new AbortController();
  const blob = new Blob([new Uint8Array(8 << 20)]);
  const onProgress = () => stop.abort();
  const first = await crc64(blob, { signal: stop.signal, onProgress }).catch((error) => error.name);
  return [first, await crc64(new Blob([]))];
}"""


def filled(size: int) -> bytes:
    return bytes((at * 7 + (at >> 3)) % 256 for at in range(size))


def test_check_value(page: Page) -> None:
    page.goto("/jobs/")

    assert page.evaluate(CHECK) == "11051210869376104954"


def test_lengths_around_the_lanes_and_the_pieces(page: Page) -> None:
    sizes = [0, 1, 7, 8, 9, 15, 17, (2 << 20) - 1, 2 << 20, (2 << 20) + 9]
    page.goto("/jobs/")

    said = page.evaluate(SUMS, sizes)

    assert said == [str(crc64_update(filled(size))) for size in sizes]


def test_one_that_is_stopped_leaves_the_worker_to_the_next(page: Page) -> None:
    page.goto("/jobs/")

    assert page.evaluate(STOPPED) == ["AbortError", "0"]
