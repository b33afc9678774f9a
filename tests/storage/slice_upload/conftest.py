"""A file of four slices, and the call that sends it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.storage.recorder import reply
from tests.storage.slices import MIB, Ground, file_of

SIZE = 3 * MIB + 7
# What a canceled call may take at most here; each of these would hang for far longer.
SOON_S = 5
BEGUN = reply(200, b"<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>")


@pytest.fixture
def data() -> bytes:
    return os.urandom(SIZE)


@pytest.fixture
def path(tmp_path: Path, data: bytes) -> Path:
    return file_of(tmp_path, data)


def upload(ground: Ground, path: Path, **more: Any) -> dict[str, Any]:
    return ground.client.slice_upload_file(**{**ground.at, "FilePath": path, "SliceSize": MIB, **more})
