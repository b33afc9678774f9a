"""What a new object gets besides its bytes, kept with the transfer that makes it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from apps.storage.grants import Grant, Grantee, GranteeKind
from apps.storage.tags import Tag
from apps.storage.types import ObjectHeaders, ObjectInfo


@dataclass(frozen=True)
class NewObject:
    """Headers, class, metadata, access and tags of an object that is about to be stored.

    `acl` is a canned name of `Features.object_acls`, '' for what the bucket decides; `grants` add accounts.
    """

    headers: ObjectHeaders = field(default_factory=ObjectHeaders)
    acl: str = ""
    grants: tuple[Grant, ...] = ()
    tags: tuple[Tag, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what a JSON column keeps of this."""
        return {
            "headers": {name: value for name, value in asdict(self.headers).items() if value},
            "acl": self.acl,
            "grants": [asdict(grant) for grant in self.grants],
            "tags": [asdict(tag) for tag in self.tags],
        }


@dataclass(frozen=True)
class CopyDetail:
    """How a copy differs from a plain one.

    `is_replaced` says that headers and metadata are not the source's, `has_tags` that its tags are not,
    `has_crc64` that the source's CRC-64 is known, so that the copy is compared with it.
    `grants_later` are those of the source that headers cannot express: the copy begins private and gets them
    when it is whole. None when there is nothing to give. `lost` names what could not be kept.
    What a move pins of its source besides the bytes: `source_seen` is `seen_of` its head, `source_acl` the
    digest of its grants where they are kept. `reads_by` is the slug of the connection that the source is read
    through where it is another one, '' where it is the copy's own.
    """

    is_replaced: bool = False
    has_tags: bool = False
    has_crc64: bool = False
    grants_later: tuple[Grant, ...] | None = None
    lost: tuple[str, ...] = ()
    source_seen: str = ""
    source_acl: str = ""
    reads_by: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what a JSON column keeps of this."""
        later = None if self.grants_later is None else [asdict(grant) for grant in self.grants_later]
        return {
            "is_replaced": self.is_replaced,
            "has_tags": self.has_tags,
            "has_crc64": self.has_crc64,
            "grants_later": later,
            "lost": list(self.lost),
            "source_seen": self.source_seen,
            "source_acl": self.source_acl,
            "reads_by": self.reads_by,
        }


def copy_detail_of(data: dict[str, Any]) -> CopyDetail:
    """Return what `CopyDetail.to_json` wrote; an empty mapping gives a plain copy."""
    later = data.get("grants_later")
    return CopyDetail(
        is_replaced=data.get("is_replaced", False),
        has_tags=data.get("has_tags", False),
        has_crc64=data.get("has_crc64", False),
        grants_later=None if later is None else tuple(_grant_of(item) for item in later),
        lost=tuple(data.get("lost", ())),
        source_seen=data.get("source_seen", ""),
        source_acl=data.get("source_acl", ""),
        reads_by=data.get("reads_by", ""),
    )


def headers_of(info: ObjectInfo) -> ObjectHeaders:
    """Return what an object says of its content: a copy in parts is a new object and inherits nothing."""
    headers = {name.lower(): value for name, value in info.headers.items()}
    return ObjectHeaders(
        content_type=info.content_type or None,
        cache_control=headers.get("cache-control"),
        content_disposition=headers.get("content-disposition"),
        content_encoding=headers.get("content-encoding"),
        content_language=headers.get("content-language"),
        expires=headers.get("expires"),
        metadata=info.metadata,
    )


def seen_of(info: ObjectInfo) -> str:
    """Return a digest of when an object was stored and of all that it says besides its bytes.

    Stored again with the same bytes and another header it has the same ETag. When alone would not do: a head
    tells it in whole seconds.
    """
    said = asdict(headers_of(info))
    said["metadata"] = sorted(said["metadata"].items())
    said["modified_at"] = info.modified_at.isoformat(timespec="seconds") if info.modified_at else ""
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def new_object_of(data: dict[str, Any]) -> NewObject:
    """Return what `NewObject.to_json` wrote; an empty mapping gives an object with nothing special."""
    return NewObject(
        headers=ObjectHeaders(**data.get("headers", {})),
        acl=data.get("acl", ""),
        grants=tuple(_grant_of(item) for item in data.get("grants", ())),
        tags=tuple(Tag(**item) for item in data.get("tags", ())),
    )


def _grant_of(data: dict[str, Any]) -> Grant:
    said = data["grantee"]
    raw = tuple((name, value) for name, value in said["raw"])
    grantee = Grantee(**{**said, "kind": GranteeKind(said["kind"]), "raw": raw})
    return Grant(grantee=grantee, permission=data["permission"])
