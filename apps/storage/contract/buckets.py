"""Buckets and what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from apps.storage.grants import Grant
from apps.storage.tags import Tag
from apps.storage.types import Bucket, BucketPage, Listing


class Buckets(Protocol):
    """Operations on the account and on whole buckets."""

    def list_buckets(self) -> Sequence[Bucket]:
        """Return all buckets of the account, of every region."""

    def list_bucket_page(
        self, *, marker: str = "", limit: int = 2000, region: str | None = None, tag: Tag | None = None
    ) -> BucketPage:
        """Return up to `limit` buckets after `marker`, by name; of one region, or with a tag, if given."""

    def bucket_name_check(self, *, bucket: str, region: str) -> None:
        """Raise Refused, with a sentence for a person, if no bucket can have this name. Sends nothing."""

    def head_bucket(self, *, bucket: str, region: str) -> None:
        """Return if the key may read the bucket; raises BucketNotFound or Denied."""

    def create_bucket(
        self,
        *,
        bucket: str,
        region: str,
        acl: str | None = None,
        grants: Sequence[Grant] = (),
        tags: Sequence[Tag] = (),
    ) -> None:
        """Create a bucket, private unless `acl` names a canned ACL; raises Conflict if the name is taken.

        `grants` add accounts to it; raises Refused for a group, which only a canned ACL can name here.
        """

    def delete_bucket(self, *, bucket: str, region: str) -> None:
        """Delete an empty bucket; raises Conflict while objects or unfinished uploads remain."""

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
        """Return up to `limit` keys and prefixes after `marker`, at most 1000."""
