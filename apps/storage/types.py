"""What the pages and jobs know about a store: plain, frozen values with no provider's names in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, NamedTuple

from apps.storage.grants import Grantee


@dataclass(frozen=True)
class Credentials:
    """A key pair, and a token when the key is temporary. Never printed: the secret is left out of repr."""

    secret_id: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Endpoint:
    """Where a store answers.

    `scheme` and `suffix` make the public host (`{bucket}.cos.{region}.{suffix}`); `connect_to` is the
    `host:port` that the socket really goes to, for a store that has no DNS name of its own.
    """

    scheme: str = "https"
    suffix: str = "myqcloud.com"
    connect_to: str | None = None


@dataclass(frozen=True)
class Bucket:
    """One bucket of an account; `name` includes the APPID."""

    name: str
    region: str
    created_at: datetime | None


@dataclass(frozen=True)
class BucketPage:
    """One page of an account's buckets, and whose they are; `next_marker` is None on the last page."""

    owner: Grantee
    buckets: tuple[Bucket, ...]
    next_marker: str | None


class ObjectSummary(NamedTuple):
    """One row of a listing. `size` is bytes; `etag` keeps its quotes off.

    Pages have a thousand of these and listings millions: a tuple is made in a third of the time.
    """

    key: str
    size: int
    etag: str
    modified_at: datetime | None
    storage_class: str
    owner_id: str = ""


@dataclass(frozen=True)
class Listing:
    """One page of a listing in UTF-8 byte order of keys.

    `next_marker` is None on the last page; otherwise it continues after this page.
    """

    objects: tuple[ObjectSummary, ...]
    prefixes: tuple[str, ...]
    next_marker: str | None


@dataclass(frozen=True)
class ObjectInfo:
    """What HEAD says about one object. `crc64` is CRC-64/XZ as unsigned decimal text, None if not sent.

    `is_not_modified` is the answer to a condition: the object is still what the caller knows, and of the
    rest only the digests are told.
    """

    key: str
    size: int
    etag: str
    crc64: str | None
    content_type: str
    modified_at: datetime | None
    storage_class: str
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    is_not_modified: bool = False
    version_id: str | None = None


@dataclass(frozen=True)
class ResponseHeaders:
    """Headers that a download shall have instead of the stored ones; None keeps those."""

    content_type: str | None = None
    cache_control: str | None = None
    content_disposition: str | None = None
    content_encoding: str | None = None
    content_language: str | None = None
    expires: str | None = None


@dataclass(frozen=True)
class ObjectHeaders:
    """Headers and metadata that travel with a new object; None leaves the choice to the store."""

    content_type: str | None = None
    cache_control: str | None = None
    content_disposition: str | None = None
    content_encoding: str | None = None
    content_language: str | None = None
    expires: str | None = None
    storage_class: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FileSlice:
    """A range of an open local file that can be sent again from its start.

    `offset` and `length` are bytes. The file is read by position where it has a descriptor, so several
    slices of one open file may be sent at the same time.
    """

    file: BinaryIO
    offset: int
    length: int


@dataclass(frozen=True)
class StoredPart:
    """A part that the store has confirmed. `crc64` is None where the store does not report one."""

    number: int
    size: int
    etag: str
    crc64: str | None = None
    modified_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class StoredObject:
    """The store's answer to a finished write; `request_id` is what its support asks for."""

    etag: str
    crc64: str | None = None
    request_id: str = field(default="", compare=False)


@dataclass(frozen=True)
class UnfinishedUpload:
    """A multipart upload that was begun and neither completed nor aborted.

    `initiator_id` began it, `owner_id` will own the object: ids as the store writes them.
    `initiator_name` is the store's name for whoever began it, '' where it tells none beside the id.
    """

    key: str
    upload_id: str
    initiated_at: datetime | None
    initiator_id: str = ""
    owner_id: str = ""
    storage_class: str = ""
    initiator_name: str = ""


@dataclass(frozen=True)
class UnfinishedPage:
    """One page of unfinished uploads; both markers are None on the last page."""

    uploads: tuple[UnfinishedUpload, ...]
    next_key_marker: str | None
    next_upload_id_marker: str | None
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ObjectRef:
    """An object in a region of the same provider: the source of a copy.

    Read from an address that leads there from everywhere, it has no region.
    """

    bucket: str
    region: str
    key: str


@dataclass(frozen=True)
class DeleteFailure:
    """A key that Delete Multiple could not delete, with the store's own words.

    `request_id` is that of the request that the key went in.
    """

    key: str
    code: str
    message: str
    request_id: str = field(default="", compare=False)


@dataclass(frozen=True)
class DeleteOutcome:
    """What Delete Multiple reported; `request_id` is that of the batch, '' where none was sent."""

    deleted: tuple[str, ...]
    failures: tuple[DeleteFailure, ...]
    request_id: str = field(default="", compare=False)
