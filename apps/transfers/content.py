"""What a new object gets besides its bytes, kept with the transfer that makes it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from apps.storage.grants import Grant, Grantee, GranteeKind
from apps.storage.tags import Tag
from apps.storage.types import ObjectHeaders


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
    """

    is_replaced: bool = False
    has_tags: bool = False
    has_crc64: bool = False
    grants_later: tuple[Grant, ...] | None = None
    lost: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what a JSON column keeps of this."""
        later = None if self.grants_later is None else [asdict(grant) for grant in self.grants_later]
        return {
            "is_replaced": self.is_replaced,
            "has_tags": self.has_tags,
            "has_crc64": self.has_crc64,
            "grants_later": later,
            "lost": list(self.lost),
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
    )


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
