"""What the index remembers: buckets, objects, uploads, parts, and the blobs below them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import NamedTuple


class Grant(NamedTuple):
    """One permission for one grantee: a canonical id or the URI of a group."""

    grantee: str
    permission: str


Acl = tuple[Grant, ...]
Fields = tuple[tuple[str, str], ...]


class Segment(NamedTuple):
    """A run of bytes inside an immutable blob; an object is a list of these."""

    blob: str
    offset: int
    size: int


@dataclass(frozen=True)
class Blob:
    """Bytes on disk that never change. `data` holds small ones inside the index itself."""

    id: str
    size: int
    md5: str
    crc64: int
    data: bytes | None = None

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Return this blob as the whole content of an object; empty content needs none."""
        return (Segment(self.id, 0, self.size),) if self.size else ()


@dataclass(frozen=True)
class Bucket:
    """One bucket. `owner` is the root uin; `created_ms` is unix time in milliseconds."""

    name: str
    owner: str
    region: str
    created_ms: int
    acl: Acl = ()
    az: str = ""
    cors: str | None = None
    tags: Fields = ()


@dataclass(frozen=True)
class Content:
    """Bytes with their digests: what an object and a part have in common.

    `etag` is without quotes; `crc64` is CRC-64/XZ of the whole.
    """

    size: int
    etag: str
    crc64: int
    modified_ms: int
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True)
class Traits:
    """What a PUT or an Initiate says about the object beside its bytes.

    `acl` None means that the bucket's ACL decides.
    """

    owner: str
    storage_class: str = "STANDARD"
    fields: Fields = ()
    acl: Acl | None = None


@dataclass(frozen=True)
class StoredObject:
    """One object under its key."""

    bucket: str
    key: str
    content: Content
    traits: Traits


@dataclass(frozen=True)
class Upload:
    """An unfinished multipart upload."""

    id: str
    bucket: str
    key: str
    initiated_ms: int
    initiator: str
    traits: Traits


@dataclass(frozen=True)
class Part:
    """One part of an unfinished upload."""

    number: int
    content: Content = field(compare=False)


def iso_ms(ms: int) -> str:
    """Return `2020-12-10T03:37:30.000Z`."""
    return iso_s(ms)[:-1] + f".{ms % 1000:03d}Z"


def iso_s(ms: int) -> str:
    """Return `2020-12-10T03:37:30Z`."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def http_date(ms: int) -> str:
    """Return the RFC 1123 form that HTTP headers use."""
    return formatdate(ms // 1000, usegmt=True)
