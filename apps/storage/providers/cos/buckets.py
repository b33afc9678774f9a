"""Buckets and what is in them."""

from __future__ import annotations

from collections.abc import Sequence

from apps.storage import errors
from apps.storage.cos.addresses import bucket_host
from apps.storage.cos.records import next_marker
from apps.storage.grants import Grant
from apps.storage.providers.cos.client import OnClient
from apps.storage.providers.cos.grants import grant_options, grantee_of
from apps.storage.providers.cos.listing import listing_of
from apps.storage.providers.cos.settings import tag_options
from apps.storage.providers.cos.values import bucket_of
from apps.storage.tags import Tag
from apps.storage.types import Bucket, BucketPage, Endpoint, Listing

# Source: COS "Bucket overview", 2024-12.
_HOST_MAX = 60


class BucketCalls(OnClient):
    """`contract.buckets` on the COS client."""

    def list_bucket_page(
        self, *, marker: str = "", limit: int = 2000, region: str | None = None, tag: Tag | None = None
    ) -> BucketPage:
        page = self.client.get_service(
            Region=region,
            Marker=marker or None,
            MaxKeys=limit,
            TagKey=tag.key if tag else None,
            TagValue=tag.value if tag else None,
        )
        return BucketPage(
            owner=grantee_of(page["Owner"]),
            buckets=tuple(bucket_of(record) for record in page["Buckets"]),
            next_marker=next_marker(page, marker),
        )

    def list_buckets(self) -> Sequence[Bucket]:
        page = self.list_bucket_page()
        buckets = list(page.buckets)
        while page.next_marker is not None:
            page = self.list_bucket_page(marker=page.next_marker)
            buckets += page.buckets
        return buckets

    def bucket_name_check(self, *, bucket: str, region: str) -> None:
        # The limit is for the public host, whichever address leads to the store.
        length = len(bucket_host(Endpoint(), bucket, region))
        if length > _HOST_MAX:
            raise errors.Refused(
                f"With its region the bucket's host name has {length} characters; the limit is {_HOST_MAX}."
            )

    def head_bucket(self, *, bucket: str, region: str) -> None:
        found = self.client.head_bucket(Bucket=bucket, Region=region)
        told = {"request_id": found["RequestId"], "operation": "Head Bucket"}
        if not found["BucketExist"]:
            raise errors.BucketNotFound("The bucket does not exist in this region.", status=404, **told)
        if not found["BucketAuth"]:
            raise errors.Denied("The key may not read this bucket.", status=403, **told)

    def create_bucket(
        self,
        *,
        bucket: str,
        region: str,
        acl: str | None = None,
        grants: Sequence[Grant] = (),
        tags: Sequence[Tag] = (),
    ) -> None:
        self.client.put_bucket(
            Bucket=bucket, Region=region, **grant_options(acl, grants), **tag_options(tags)
        )

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
        body = self.client.get_bucket_xml(
            Bucket=bucket, Region=region, Prefix=prefix, Delimiter=delimiter, Marker=marker, MaxKeys=limit
        )
        return listing_of(body, marker=marker)
