"""The official Python SDK, doing the work of the client benchmark.

It is given what helps it: the address itself instead of a proxy, connections for all its threads, quiet logs.
"""

from __future__ import annotations

import logging
from typing import Any

from qcloud_cos import CosConfig, CosS3Client

from harness.crowd import crowd_run


class Sdk:
    """`CosS3Client` with as many threads as calls in flight: it has no other way to send several at once."""

    def __init__(self, port: int, *, bucket: str, region: str) -> None:
        logging.getLogger("qcloud_cos").setLevel(logging.ERROR)
        config = CosConfig(
            Region=region,
            SecretId="AKIDbench",
            SecretKey="bench",
            Scheme="http",
            Domain=f"127.0.0.1:{port}",
            PoolConnections=64,
            PoolMaxSize=64,
        )
        self._client: Any = CosS3Client(config)
        self._bucket = bucket

    def acls(self, *, count: int, in_flight: int) -> int:
        """Read `count` ACLs and return the grants found."""
        return sum(crowd_run(self._grants, range(count), threads=in_flight))

    def _grants(self, number: int) -> int:
        found = self._client.get_object_acl(Bucket=self._bucket, Key=f"photos/{number}.jpg")
        return len(found["AccessControlList"]["Grant"])

    def listing(self, *, count: int) -> int:
        """List `count` pages and return the keys found."""
        keys, marker = 0, ""
        for _ in range(count):
            page = self._client.list_objects(Bucket=self._bucket, Marker=marker)
            keys += len(page["Contents"])
            marker = page.get("NextMarker", "")
        return keys
