"""The thread that writes to all open pages, over real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from apps.jobs import writer as module
from apps.jobs.outbox import Outbox
from apps.jobs.writer import Writer

PATIENCE_S = 20.0


class Opened:
    """One page: the browser's end of its line, what is put in for it, and whether it was let go."""

    def __init__(self, writer: Writer) -> None:
        ours, self.browser = socket.socketpair()
        self.browser.settimeout(PATIENCE_S)
        self.outbox = Outbox()
        self.is_closed = threading.Event()
        writer.add(ours, self.outbox, head=b"head;", on_close=self.is_closed.set)

    def read_until(self, end: bytes) -> bytes:
        found = b""
        while not found.endswith(end):
            data = self.browser.recv(1 << 16)
            assert data, f"the line ended after {found[-200:]!r}"
            found += data
        return found


@pytest.fixture(scope="module")
def writer() -> Writer:
    """Its thread never ends; a process has one."""
    return Writer()


@pytest.fixture
def page(writer: Writer) -> Iterator[Opened]:
    page = Opened(writer)
    yield page
    page.browser.close()
    assert page.is_closed.wait(PATIENCE_S)


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_head_comes_first_and_news_at_once(page: Opened) -> None:
    assert page.read_until(b"head;") == b"head;"

    page.outbox.put("1", b"one;")

    assert page.read_until(b"one;") == b"one;"


def test_browser_that_leaves_is_noticed(writer: Writer, page: Opened) -> None:
    page.browser.close()

    assert page.is_closed.wait(PATIENCE_S)
    assert len(writer) == 0
    page.outbox.put("1", b"nobody hears this")


def test_ended_stream_is_closed_after_what_was_said(page: Opened) -> None:
    page.outbox.put("1", b"last;")
    page.outbox.end()

    assert page.read_until(b"last;") == b"head;last;"
    assert page.browser.recv(1) == b""


def test_page_that_does_not_read_gets_the_newest_and_holds_up_nobody(writer: Writer, page: Opened) -> None:
    stuck = Opened(writer)
    filler = b"x" * 100_000 + b";"
    for number in range(100):
        stuck.outbox.put("1", filler + b"%d;" % number)
        page.outbox.put("1", b"%d;" % number)
    assert page.read_until(b"99;")

    read = stuck.read_until(b";99;")

    # What is between the first ones, which the kernel took, and the newest was never written.
    assert len(read) < 50 * len(filler)
    stuck.browser.close()
    assert stuck.is_closed.wait(PATIENCE_S)


def test_silent_line_is_kept_alive_and_a_stuck_one_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP_ALIVE_S", 0.2)
    writer = Writer()
    silent, stuck = Opened(writer), Opened(writer)
    stuck.outbox.put("1", b"x" * 10_000_000)

    assert silent.read_until(module.KEEP_ALIVE)
    assert stuck.is_closed.wait(PATIENCE_S)

    assert not silent.is_closed.is_set()
    assert silent.read_until(module.KEEP_ALIVE)
    silent.browser.close()
    stuck.browser.close()
    assert silent.is_closed.wait(PATIENCE_S)


def test_two_hundred_pages_hear_everything(writer: Writer) -> None:
    pages = [Opened(writer) for _ in range(200)]
    for number in range(20):
        for page in pages:
            page.outbox.put(str(number), b"%d;" % number)

    heard = [page.read_until(b";19;") for page in pages]

    assert all(text.count(b";") == 21 for text in heard)
    for page in pages:
        page.browser.close()
    until(lambda: len(writer) == 0)
