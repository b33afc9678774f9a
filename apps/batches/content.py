"""What a ledger keeps of an object before and after: its grants and its headers, as JSON and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from apps.storage.grants import Acl, Grant, Grantee, GranteeKind
from apps.storage.types import ObjectHeaders, ObjectInfo

# The fields of an object's content that a person may change, by the name of their header.
CONTENT_HEADERS = (
    "content-type",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
)


def acl_text(acl: Acl) -> str:
    """Return grants as JSON text that `acl_read` turns back into the same grants."""
    return json.dumps(
        {
            "inherited": acl.is_inherited,
            "owner": _grantee_json(acl.owner),
            "grants": [[_grantee_json(grant.grantee), grant.permission] for grant in acl.grants],
        }
    )


def acl_read(text: str) -> Acl:
    data = json.loads(text)
    grants = tuple(Grant(_grantee(who), permission) for who, permission in data["grants"])
    return Acl(owner=_grantee(data["owner"]), grants=grants, is_inherited=data["inherited"])


def grants_json(grants: tuple[Grant, ...]) -> list[list[Any]]:
    """Return grants as plain values, for the options of a batch."""
    return [[_grantee_json(grant.grantee), grant.permission] for grant in grants]


def grants_read(data: list[list[Any]]) -> tuple[Grant, ...]:
    return tuple(Grant(_grantee(who), permission) for who, permission in data)


def _grantee_json(grantee: Grantee) -> dict[str, Any]:
    return {
        "kind": grantee.kind,
        "account": grantee.account,
        "sub_account": grantee.sub_account,
        "name": grantee.name,
        "raw": [list(pair) for pair in grantee.raw],
    }


def _grantee(data: Mapping[str, Any]) -> Grantee:
    return Grantee(
        kind=GranteeKind(data["kind"]),
        account=data["account"],
        sub_account=data["sub_account"],
        name=data["name"],
        raw=tuple((name, value) for name, value in data["raw"]),
    )


@dataclass(frozen=True)
class Content:
    """The headers, the metadata and the storage class of an object."""

    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    storage_class: str

    @property
    def text(self) -> str:
        """Return it as JSON text, the same for equal contents."""
        return json.dumps(
            {
                "headers": dict(self.headers),
                "metadata": dict(self.metadata),
                "storage_class": self.storage_class,
            },
            sort_keys=True,
        )

    def to_headers(self) -> ObjectHeaders:
        found = self.headers.get
        return ObjectHeaders(
            content_type=found("content-type"),
            cache_control=found("cache-control"),
            content_disposition=found("content-disposition"),
            content_encoding=found("content-encoding"),
            content_language=found("content-language"),
            expires=found("expires"),
            storage_class=self.storage_class or None,
            metadata=self.metadata,
        )


def content_of(info: ObjectInfo) -> Content:
    """Return what an object says of itself."""
    headers = {name.lower(): value for name, value in info.headers.items()}
    kept = {name: headers[name] for name in CONTENT_HEADERS if headers.get(name)}
    if info.content_type:
        kept["content-type"] = info.content_type
    return Content(kept, dict(info.metadata), info.storage_class)


def content_read(text: str) -> Content:
    data = json.loads(text)
    return Content(data["headers"], data["metadata"], data["storage_class"])


@dataclass(frozen=True)
class Kept:
    """What a ledger keeps, next to the content, of an object that is replaced in more than one request.

    The parts pin `etag`, and the grants are given again when the object is whole: by then nobody could read
    either from the object any more. `crc64` tells the object afterwards from one that somebody else stored.
    """

    etag: str
    crc64: str | None
    acl: Acl


def kept_add(text: str, kept: Kept) -> str:
    """Return the JSON text of a content with what has to survive the writing."""
    return json.dumps(
        json.loads(text) | {"etag": kept.etag, "crc64": kept.crc64, "acl": json.loads(acl_text(kept.acl))}
    )


def kept_in(text: str) -> Kept | None:
    """Return what `kept_add` wrote down, None where it wrote nothing."""
    data = json.loads(text)
    return Kept(data["etag"], data["crc64"], acl_read(json.dumps(data["acl"]))) if "acl" in data else None


def content_changed(content: Content, options: Mapping[str, Any]) -> Content:
    """Return the content with what a person wants changed: `set`, `remove`, `metadata`, `storage_class`.

    Metadata whose value is None is removed; with `is_metadata_replaced` only what is named stays.
    """
    headers = {
        name: value for name, value in content.headers.items() if name not in options.get("remove", ())
    }
    headers |= options.get("set", {})
    metadata = {} if options.get("is_metadata_replaced") else dict(content.metadata)
    for name, value in options.get("metadata", {}).items():
        if value is None:
            metadata.pop(name, None)
        else:
            metadata[name] = value
    changed = replace(content, headers=headers, metadata=metadata)
    return replace(changed, storage_class=options.get("storage_class") or content.storage_class)
