"""boto3, doing the same work in S3's words.

Its costliest habits are off, as somebody who cares would have it: no digest of bodies where none is asked
for, no payload in the signature.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from harness.crowd import crowd_run


class Boto3:
    """The S3 client with as many threads as calls in flight."""

    def __init__(self, port: int, *, bucket: str, region: str) -> None:
        config = Config(
            max_pool_connections=64,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"payload_signing_enabled": False, "addressing_style": "path"},
        )
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name=region,
            aws_access_key_id="AKIDbench",
            aws_secret_access_key="bench",
            config=config,
        )
        self._bucket = bucket

    def acls(self, *, count: int, in_flight: int) -> int:
        """Read `count` ACLs and return the grants found."""
        return sum(crowd_run(self._grants, range(count), threads=in_flight))

    def _grants(self, number: int) -> int:
        found = self._client.get_object_acl(Bucket=self._bucket, Key=f"photos/{number}.jpg")
        return len(found["Grants"])

    def listing(self, *, count: int) -> int:
        """List `count` pages and return the keys found."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        return sum(len(page["Contents"]) for page in islice(pages, count))

    def upload(self, *, count: int, file: str, part_size: int, threads: int) -> int:
        """Upload the file, whose size is `count` MiB."""
        transfer = TransferConfig(
            multipart_threshold=part_size, multipart_chunksize=part_size, max_concurrency=threads
        )
        self._client.upload_file(file, self._bucket, "upload", Config=transfer)
        return count

    def copy(self, *, count: int, part_size: int, threads: int) -> int:
        """Copy an object of `count` parts with the transfer manager, and return their number."""
        transfer = TransferConfig(
            multipart_threshold=part_size, multipart_chunksize=part_size, max_concurrency=threads
        )
        source = {"Bucket": self._bucket, "Key": "source"}
        self._client.copy(source, self._bucket, "copy", Config=transfer)
        return count
