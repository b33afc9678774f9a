"""One request on its way through an operation: what it points at, who sent it, how to read its body."""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

from apps.localstore.accounts import Account, Directory
from apps.localstore.acl import is_granted, is_owner
from apps.localstore.blobs import BlobWriter
from apps.localstore.bodies import Body
from apps.localstore.digits import whole_number
from apps.localstore.engine import Engine
from apps.localstore.errors import StoreError
from apps.localstore.markup import BODY_LIMIT
from apps.localstore.pacing import Pacer
from apps.localstore.records import Acl, Blob, Bucket
from apps.localstore.request import Pairs, Request
from apps.localstore.responses import Header
from apps.localstore.targets import Place

OBJECT_LIMIT = 5 * 1024**3
TRAFFIC_LIMITS = (819200, 838860800)


@dataclass
class Call:
    """Everything that an operation may look at. `now_ms` is when it began, in unix milliseconds.

    `slow(headers)` surrounds work that may take long: from there on a refusal
    may come inside a 200, which has those headers.
    """

    engine: Engine
    directory: Directory
    regions: frozenset[str]
    request: Request
    place: Place
    body: Body
    now_ms: int
    account: Account | None = None
    disk_full: bool = False
    found: Bucket | None = None
    slow: Callable[[list[Header]], AbstractContextManager[None]] = lambda _: nullcontext()
    stopping: threading.Event = field(default_factory=threading.Event)
    _began_s: float = field(default_factory=time.monotonic)

    @property
    def headers(self) -> Pairs:
        """Return the request's headers."""
        return self.request.headers

    @property
    def query(self) -> Pairs:
        """Return the request's parameters."""
        return self.request.query

    @property
    def key(self) -> str:
        """Return the object key."""
        return self.request.key

    @property
    def commit_ms(self) -> int:
        """Return the time by now, in unix milliseconds: bodies may arrive for hours."""
        return self.now_ms + int((time.monotonic() - self._began_s) * 1000)

    @property
    def bucket(self) -> Bucket:
        """Return the bucket; dispatch has made sure that there is one."""
        if self.found is None:
            raise StoreError("NoSuchBucket")
        return self.found

    def require_owner(self) -> None:
        """Refuse everybody but the bucket's owner."""
        if not is_owner(self.account, self.bucket.owner):
            raise StoreError("AccessDenied")

    def require(self, permission: str, bucket: Bucket | None = None) -> None:
        """Refuse a request that the bucket's ACL does not cover."""
        bucket = bucket or self.bucket
        if not (is_owner(self.account, bucket.owner) or is_granted(self.account, bucket.acl, permission)):
            raise StoreError("AccessDenied")

    def require_object(self, permission: str, bucket: Bucket, owner: str, acl: Acl | None) -> None:
        """Refuse a request that neither the object's ACL nor, without one, the bucket's covers."""
        if is_owner(self.account, owner) or is_owner(self.account, bucket.owner):
            return
        if not is_granted(self.account, bucket.acl if acl is None else acl, permission):
            raise StoreError("AccessDenied")

    def number(self, name: str, default: int, *, low: int = 0, high: int | None = None) -> int:
        """Return a whole number from the query, clamped to `high`. Raises InvalidArgument."""
        found = whole_number(self.query.get(name, str(default)))
        if found is None or found < low:
            raise StoreError("InvalidArgument", f"{name} must be a whole number of at least {low}.")
        return found if high is None else min(found, high)

    def traffic_limit(self) -> float:
        """Return what `x-cos-traffic-limit` allows, in bytes per second; 0.0 without one.

        The header counts bits, and a presigned link may carry it as a
        parameter. Raises InvalidArgument. Source: Single-Connection Bandwidth
        Limits, 2024-12.
        """
        name = "x-cos-traffic-limit"
        text = self.headers.get(name) or self.query.get(name)
        if not text:
            return 0.0
        bits = whole_number(text)
        if bits is None or not TRAFFIC_LIMITS[0] <= bits <= TRAFFIC_LIMITS[1]:
            raise StoreError("InvalidArgument", "x-cos-traffic-limit is out of bounds.")
        return bits / 8

    def read_xml(self, *, limit: int = BODY_LIMIT, md5_required: bool = False) -> bytes:
        """Return the body of a document operation after checking its Content-MD5."""
        wanted = content_md5(self.headers)
        if md5_required and not wanted:
            raise StoreError("InvalidRequest", "Missing required header for this request: Content-MD5")
        body = self.body.read(limit)
        if wanted and hashlib.md5(body).hexdigest() != wanted:
            raise StoreError("BadDigest")
        return body

    @contextmanager
    def received(self) -> Iterator[Blob]:
        """Receive the body into a durable blob, and remove it again if the block fails.

        Raises MissingContentLength, EntityTooLarge, IncompleteBody, BadDigest,
        InvalidDigest, InvalidSHA1Digest, or InternalError on a full disk.
        """
        if self.body.length == 0 and "content-length" not in self.headers:
            raise StoreError("MissingContentLength")
        wanted = content_md5(self.headers)
        sha1 = self.headers.get("x-cos-content-sha1").lower()
        if pace := self.traffic_limit():
            self.body.pacers += (Pacer(pace, self.stopping),)
        writer = self.engine.blobs.writer(sha1=bool(sha1), full=self.disk_full)
        try:
            blob = self._fill(writer, wanted, sha1)
            yield blob
        except BaseException:
            writer.discard()
            raise

    def _fill(self, writer: BlobWriter, wanted: str, sha1: str) -> Blob:
        try:
            for view in self.body.pieces(OBJECT_LIMIT):
                writer.write(view)
            if wanted and writer.md5 != wanted:
                raise StoreError("BadDigest")
            if sha1 and writer.sha1 != sha1:
                raise StoreError("InvalidSHA1Digest")
            return writer.finish()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreError("InternalError", "The disk of the store is full.", closes=True) from error
            raise


def content_md5(headers: Pairs) -> str:
    """Return Content-MD5 in hex, or an empty string without one. Raises InvalidDigest."""
    text = headers.get("content-md5")
    if not text:
        return ""
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise StoreError("InvalidDigest") from error
    if len(digest) != 16:
        raise StoreError("InvalidDigest")
    return digest.hex()


def check_key(key: str) -> None:
    """Refuse keys that the service refuses. Raises KeyTooLong or InvalidObjectName.

    A leading slash is an ordinary character here, because clients in the field
    rely on it; 0x18 to 0x1B and a leading backslash are not.
    """
    if len(key.encode("utf-8", "surrogateescape")) > 850:
        raise StoreError("KeyTooLong")
    if key.startswith("\\") or any(c in key for c in "\x18\x19\x1a\x1b"):
        raise StoreError("InvalidObjectName")
