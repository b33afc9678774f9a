"""Buckets and what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.storage import errors
from apps.storage.providers.cos.client import OnClient
from apps.storage.providers.cos.values import bucket_of, summary_of
from apps.storage.types import Bucket, Listing


class BucketCalls(OnClient):
    """`contract.buckets` on the COS client."""

    def list_buckets(self) -> Sequence[Bucket]:
        buckets: list[Bucket] = []
        marker: str | None = None
        while True:
            page = self.client.get_service(Marker=marker)
            buckets += [bucket_of(record) for record in page["Buckets"]]
            if page["IsTruncated"] != "true" or page["NextMarker"] in ("", marker):
                return buckets
            marker = page["NextMarker"]

    def head_bucket(self, *, bucket: str, region: str) -> None:
        found = self.client.head_bucket(Bucket=bucket, Region=region)
        told = {"request_id": found["RequestId"], "operation": "Head Bucket"}
        if not found["BucketExist"]:
            raise errors.BucketNotFound("The bucket does not exist in this region.", status=404, **told)
        if not found["BucketAuth"]:
            raise errors.Denied("The key may not read this bucket.", status=403, **told)

    def create_bucket(self, *, bucket: str, region: str, acl: str | None = None) -> None:
        options: dict[str, Any] = {"ACL": acl} if acl else {}
        self.client.put_bucket(Bucket=bucket, Region=region, **options)

    def delete_bucket(self, *, bucket: str, region: str) -> None:
        self.client.delete_bucket(Bucket=bucket, Region=region)

    def list_objects(
        self,
        *,
        bucket: str,
        region: str,
        prefix: str = "",
        delimiter: str = "",
        marker: str = "",
        limit: int = 1000,
    ) -> Listing:
        page = self.client.get_bucket(
            Bucket=bucket, Region=region, Prefix=prefix, Delimiter=delimiter, Marker=marker, MaxKeys=limit
        )
        return Listing(
            objects=tuple(summary_of(record) for record in page["Contents"]),
            prefixes=tuple(entry["Prefix"] for entry in page["CommonPrefixes"]),
            next_marker=page["NextMarker"] or None if page["IsTruncated"] == "true" else None,
        )
