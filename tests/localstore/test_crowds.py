"""More connections than the store has room or threads for: refused with an answer, and served again after."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from apps.localstore import LocalStore
from tests.localstore.conftest import OWNER
from tests.localstore.wire import Wire

# More than a process can address, so that no thread can be started.
ENDLESS_STACK = 1 << 47


@contextmanager
def without_threads() -> Iterator[None]:
    before = threading.stack_size(ENDLESS_STACK)
    try:
        yield
    finally:
        threading.stack_size(before)


def test_shortage_of_threads_passes(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = LocalStore(data=folder, accounts=[OWNER])
    store.start()
    try:
        with without_threads():
            for _ in range(3):
                with Wire(store.port, OWNER) as refused:
                    assert refused.reply("GET").status == 503

        with Wire(store.port, OWNER) as wire:
            assert wire.call("PUT", "/").status == 200
    finally:
        store.stop()
    assert "A connection could not be served" in caplog.text
