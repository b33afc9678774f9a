"""What is configured on a bucket or an object: grants, CORS rules, tags, place.

Each write replaces everything that was there. Read, change what was read, compare digests, write: whatever
is made from nothing loses what somebody else put there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from apps.storage.cors import Cors, Preflight
from apps.storage.grants import Acl
from apps.storage.tags import Tag


class Access(Protocol):
    """Operations on ACLs, CORS and tags.

    Where nothing is configured a read returns an empty value, and writing an empty value removes what is
    there: a page shows "none" either way, and what was read can always be written back.
    """

    def get_bucket_acl(self, *, bucket: str, region: str) -> Acl:
        """Return the grants of a bucket; raises Denied without READ_ACP."""

    def put_bucket_acl(self, *, bucket: str, region: str, acl: Acl | str) -> None:
        """Replace the grants of a bucket, by all of them or by a canned name of `Features.bucket_acls`.

        What was read is written back as it was spelled. Raises Refused for an ACL that holds something
        unknown, because the write would lose it.
        """

    def get_object_acl(self, *, bucket: str, region: str, key: str) -> Acl:
        """Return the grants of an object, `is_inherited` where the bucket's decide."""

    def put_object_acl(self, *, bucket: str, region: str, key: str, acl: Acl | str) -> str:
        """Replace the grants of an object, as for a bucket; one that is inherited takes them away.

        Returns the id of the request, for a receipt.
        """

    def get_bucket_cors(self, *, bucket: str, region: str) -> Cors:
        """Return the CORS rules of a bucket, in the order in which they are tried."""

    def put_bucket_cors(self, *, bucket: str, region: str, cors: Cors) -> None:
        """Replace the CORS rules of a bucket; raises Refused for elements that a write would lose."""

    def delete_bucket_cors(self, *, bucket: str, region: str) -> None:
        """Remove the CORS rules of a bucket, if it has any."""

    def preflight(
        self, *, bucket: str, region: str, key: str, origin: str, method: str, headers: Sequence[str] = ()
    ) -> Preflight:
        """Ask the store, unsigned as a browser does, whether a page of `origin` may send a request.

        The object need not exist. A refusal is an answer, not an error.
        """

    def get_bucket_tags(self, *, bucket: str, region: str) -> tuple[Tag, ...]:
        """Return the tags of a bucket in the store's order."""

    def put_bucket_tags(self, *, bucket: str, region: str, tags: Sequence[Tag]) -> None:
        """Replace the tags of a bucket. They may be visible only seconds later."""

    def delete_bucket_tags(self, *, bucket: str, region: str) -> None:
        """Remove the tags of a bucket, if it has any."""

    def bucket_location(self, *, bucket: str, region: str) -> str:
        """Return the region that a bucket says it is in, by today's name; its owner may ask."""
