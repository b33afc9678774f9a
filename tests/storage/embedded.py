"""A bucket in a real embedded store, in memory, and our real client on a real socket."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apps.localstore import Account, LocalStore
from apps.storage import errors
from apps.storage.cos import CosClient, Retries
from apps.storage.types import Credentials, Endpoint

OWNER = Account(secret_id="AKIDPROPERTY", secret_key="property-secret")
REGION = "ap-guangzhou"
NAME = f"properties-{OWNER.appid}"


@dataclass(frozen=True)
class Home:
    """Where examples of a module happen. They share the bucket and leave nothing behind that matters."""

    client: CosClient
    port: int

    @property
    def at(self) -> dict[str, str]:
        return {"Bucket": NAME, "Region": REGION}

    def of(self, key: str) -> dict[str, str]:
        return {**self.at, "Key": key}

    def read(self, key: str, **options: Any) -> bytes:
        with self.client.get_object(**self.of(key), **options)["Body"] as body:
            return b"".join(body)

    def listed(self, **options: Any) -> list[str]:
        """Return all keys that a listing shows, of as many pages as there are."""
        found: list[str] = []
        page = self.client.get_bucket(**self.at, **options)
        while True:
            found += [record["Key"] for record in page["Contents"]]
            if page["IsTruncated"] != "true":
                return found
            page = self.client.get_bucket(**self.at, **{**options, "Marker": page["NextMarker"]})

    def exists(self, key: str) -> bool:
        try:
            self.client.head_object(**self.of(key))
        except errors.ObjectNotFound:
            return False
        return True


@contextmanager
def home() -> Iterator[Home]:
    """Yield a new bucket in a new store."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as data:
        store = LocalStore(data=Path(data), accounts=[OWNER])
        store.start()
        client = CosClient(
            credentials=Credentials(OWNER.secret_id, OWNER.secret_key),
            endpoint=Endpoint("http", connect_to=f"127.0.0.1:{store.port}"),
            retries=Retries(attempts=1),
        )
        client.put_bucket(Bucket=NAME, Region=REGION)
        yield Home(client, store.port)
        store.stop()
