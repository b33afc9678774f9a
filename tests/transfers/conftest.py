from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.storage.digest import crc64_update
from apps.storage.types import ObjectHeaders
from apps.transfers import spool
from apps.transfers.content import NewObject
from apps.transfers.models import Transfer
from apps.transfers.services import uploads

MIB = 1 << 20


@pytest.fixture(autouse=True)
def spool_dir(settings: Any, tmp_path: Path) -> Path:
    settings.SPOOL_DIR = tmp_path / "spool"
    return tmp_path / "spool"


def slice_put(transfer: Transfer, number: int, data: bytes) -> None:
    """Lay a slice into the spool, as the receiver does."""
    draft = spool.Draft(transfer.pk, number)
    draft.write(memoryview(data))
    draft.keep(crc64_update(data))


@pytest.fixture
def content() -> bytes:
    """Three parts: two of 8 MiB and a short one."""
    return os.urandom(17 * MIB + 123)


@pytest.fixture
def begin(owner: Person, connection: Connection, bucket: str) -> Callable[..., Transfer]:
    def start(size: int, *, key: str = "dir/video.mov", replace: bool = False) -> Transfer:
        wanted = uploads.UploadWanted(
            key=key, size=size, new_object=NewObject(headers=ObjectHeaders(content_type="video/quicktime"))
        )
        return uploads.upload_start(
            owner=owner, connection=connection, bucket=bucket, wanted=wanted, replace=replace
        )

    return start
