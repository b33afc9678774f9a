"""The console's own client, doing the work of the client benchmark."""

from __future__ import annotations

from itertools import islice
from typing import Any

from apps.storage.cos import CosClient
from apps.storage.types import Credentials, Endpoint


class Ours:
    """`CosClient` as the console uses it: ACLs of many objects over one thread, listings page by page."""

    def __init__(
        self, port: int, *, bucket: str, region: str, keys: tuple[str, str] = ("AKIDbench", "bench")
    ) -> None:
        self._client = CosClient(
            credentials=Credentials(*keys),
            endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{port}"),
        )
        self._at: dict[str, Any] = {"Bucket": bucket, "Region": region}

    def acls(self, *, count: int, in_flight: int) -> int:
        """Read `count` ACLs and return the grants found."""
        keys = (f"photos/{number}.jpg" for number in range(count))
        grants = 0
        for _, found in self._client.get_object_acls(**self._at, Keys=keys, InFlight=in_flight):
            if isinstance(found, Exception):
                raise found
            grants += len(found["AccessControlList"]["Grant"])
        return grants

    def listing(self, *, count: int) -> int:
        """List `count` pages and return the keys found."""
        pages = self._client.get_bucket_pages(**self._at)
        return sum(len(page["Contents"]) for page in islice(pages, count))

    def upload(self, *, count: int, file: str, part_size: int, threads: int) -> int:
        """Upload the file, whose size is `count` MiB, and return that size."""
        self._client.slice_upload_file(
            **self._at, Key=f"upload-{count}", FilePath=file, SliceSize=part_size, AsyncLimit=threads
        )
        return count

    def copy(self, *, count: int, part_size: int, threads: int) -> int:
        """Copy an object of `count` parts and return their number."""
        source = {**self._at, "Key": "source"}
        self._client.slice_copy_file(
            **self._at,
            Key="copy",
            CopySource=source,
            ChunkSize=part_size,
            SliceSize=part_size,
            AsyncLimit=threads,
        )
        return count
