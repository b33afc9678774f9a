"""A bucket in an embedded store for slice uploads and copies, and what tests ask of both."""

from __future__ import annotations

import os
import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.localstore import Account, LocalStore
from apps.storage.cos import CosClient, Retries, Timeouts
from apps.storage.digest import crc64_update
from apps.storage.types import Credentials, Endpoint

MIB = 1 << 20
ACCOUNT = Account(secret_id="AKIDSLICES", secret_key="slices-secret")
KEY = "dir/big file+ü.bin"


@dataclass
class Ground:
    """A client, its bucket, and the server behind it."""

    client: CosClient
    server: LocalStore
    at: dict[str, str]

    @property
    def place(self) -> dict[str, str]:
        return {"Bucket": self.at["Bucket"], "Region": self.at["Region"]}

    def strike(self, kind: str, **options: Any) -> None:
        self.server.faults.add(kind, **options)

    def asked(self, operation: str) -> list[int]:
        """Return the statuses of this operation on this bucket so far, oldest first."""
        rows = [row for row in self.server.journal if str(row["host"]).startswith(self.at["Bucket"])]
        return [int(str(row["status"])) for row in rows if row["operation"] == operation]

    def unfinished(self) -> list[str]:
        return [upload["UploadId"] for upload in self.client.multipart_list(**self.place)["Upload"]]

    def keys(self) -> list[str]:
        return [row["Key"] for row in self.client.get_bucket(**self.place)["Contents"]]

    def read(self, **at: str) -> bytes:
        with self.client.get_object(**{**self.at, **at})["Body"] as body:
            return b"".join(body)


def client_to(server: LocalStore, *, tidy_s: float = 5.0, **retries: Any) -> CosClient:
    return CosClient(
        credentials=Credentials(ACCOUNT.secret_id, ACCOUNT.secret_key),
        endpoint=Endpoint("http", connect_to=f"127.0.0.1:{server.port}"),
        retries=Retries(**{"attempts": 4, "first_delay_s": 0.01, **retries}),
        timeouts=Timeouts(connect_s=5, small_s=20, stalled_s=30, tidy_s=tidy_s),
    )


@contextmanager
def store_running() -> Iterator[LocalStore]:
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="slices-", dir=memory) as folder:
        server = LocalStore(Path(folder), [ACCOUNT])
        server.start()
        yield server
        server.stop()


def ground_of(server: LocalStore) -> Ground:
    server.faults.clear()
    client = client_to(server)
    at = {"Bucket": f"slices-{secrets.token_hex(4)}-1250000000", "Region": "ap-guangzhou"}
    client.put_bucket(**at)
    return Ground(client, server, {**at, "Key": KEY})


def crc64_text(data: bytes) -> str:
    return str(crc64_update(data))


def file_of(folder: Path, data: bytes) -> Path:
    path = folder / f"file-{secrets.token_hex(4)}"
    path.write_bytes(data)
    # As if it had been at rest for a while, so that a later write shows in its time.
    os.utime(path, ns=(10**18, 10**18))
    return path


def slice_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("slice")]
