"""The spool on file systems that several hosts share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from apps.transfers import spool


@pytest.fixture
def waiting(tmp_path: Path, settings: Any) -> spool.Slice:
    settings.SPOOL_DIR = tmp_path
    spool.spool_open(1)
    draft = spool.Draft(1, 7)
    draft.write(memoryview(b"content"))
    return draft.keep(0xABC)


def test_slice_is_opened_so_that_nfs_lets_it_be_locked(waiting: spool.Slice) -> None:
    with spool.slice_hold(waiting) as file:
        assert file is not None
        assert file.writable()
        assert file.read() == b"content"


def test_held_slice_is_nobody_elses(waiting: spool.Slice) -> None:
    with spool.slice_hold(waiting) as file, spool.slice_hold(waiting) as other:
        assert file is not None
        assert other is None
        assert not spool.slice_is_idle(waiting, min_age_s=0.0)

    assert spool.slice_is_idle(waiting, min_age_s=0.0)
