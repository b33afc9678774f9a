"""The source of a slice copy: who it is, what is known of it, and what of it travels along."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from apps.storage import errors
from apps.storage.cos.addresses import region_canonical, source_shown
from apps.storage.cos.arguments import mapping_argument
from apps.storage.cos.objects import ObjectOperations
from apps.storage.cos.options import CONTENT_OPTIONS, META_PREFIX, options_kept
from apps.storage.cos.records import crc64_text, object_size

_ARCHIVED = frozenset({"ARCHIVE", "DEEP_ARCHIVE", "MAZ_ARCHIVE"})
_PLACE = re.compile(
    r"(?:https?://)?(?P<bucket>[^./]+)\.cos(?:-internal)?\.(?P<region>[^./]+)\.[^/]+/(?P<key>.+)", re.DOTALL
)
_CONDITION_PREFIX = "CopySource"


@dataclass(frozen=True)
class Source:
    """An object as it was when the copy began. `size` is bytes, `etag` has its quotes.

    `crc64` is None for an object so old that the store knows none. `kept` are the options that give another
    object the same headers and metadata.
    """

    at: Mapping[str, str]
    size: int
    etag: str
    crc64: str | None
    kept: Mapping[str, Any]

    def is_at(self, at: Mapping[str, str]) -> bool:
        """Return whether a copy to `at` would be one onto the source itself."""
        same_region = region_canonical(self.at["Region"]) == region_canonical(at["Region"])
        return same_region and (self.at["Bucket"], self.at["Key"]) == (at["Bucket"], at["Key"])


def source_parse(source: str | Mapping[str, str]) -> dict[str, str]:
    """Return `Bucket`, `Region`, `Key` and, where one is named, `VersionId` of a `CopySource`.

    Text is `host/key`, with or without a scheme; the key is decoded after the cut at the first `?`. Raises
    Refused for a host that does not name a bucket and its region, such as a domain of one's own.
    """
    if not isinstance(source, str):
        mapping_argument("CopySource", source, "Bucket", "Region", "Key")
        return {name: source[name] for name in ("Bucket", "Region", "Key", "VersionId") if source.get(name)}
    place, _, query = source.partition("?")
    match = _PLACE.fullmatch(place)
    if match is None:
        raise errors.Refused(
            "CopySource must name a bucket, its region and an encoded key, as in "
            f"photos-1250000000.cos.ap-guangzhou.myqcloud.com/a%20b, not {source_shown(source)!r}."
        )
    found = {name.capitalize(): text for name, text in match.groupdict().items()}
    found["Key"] = unquote(found["Key"])
    for name, _, value in (pair.partition("=") for pair in query.split("&")):
        if name.lower() == "versionid" and value:
            found["VersionId"] = unquote(value)
    return found


def source_find(client: ObjectOperations, at: Mapping[str, Any], options: Mapping[str, Any]) -> Source:
    """Return what the store says of the object at `at`.

    The conditions among `options` (`CopySourceIf…`) hold for this look; the copy itself is then pinned to
    what was seen. Raises ObjectNotFound, and Conflict when a condition fails or the object is archived.
    """
    conditions: dict[str, Any] = {
        name.removeprefix(_CONDITION_PREFIX): value
        for name, value in options.items()
        if name.startswith(f"{_CONDITION_PREFIX}If") and value is not None
    }
    try:
        fields = client.head_object(**at, **conditions)
    except errors.ObjectNotFound as error:
        error.message = "The source of the copy does not exist."
        raise
    if fields["NotModified"]:
        raise errors.Conflict("The source of the copy does not meet the conditions.", status=304)
    _require_readable(fields)
    size, crc64 = object_size(fields), crc64_text(fields["CRC64"])
    return Source(at, size, fields["ETag"], crc64, options_kept(fields))


def is_replacing(options: Mapping[str, Any]) -> bool:
    """Return whether headers and metadata are to be `options` instead of the source's.

    Raises Refused for headers that the store would ignore, because nobody said that they replace anything.
    """
    if str(options.get("MetadataDirective") or "Copy").lower() == "replaced":
        return True
    ignored = [
        name for name in options if name in (*CONTENT_OPTIONS, "Metadata") or name.startswith(META_PREFIX)
    ]
    if any(options[name] for name in ignored):
        raise errors.Refused(
            f"{ignored[0]} takes effect only with MetadataDirective='Replaced', which drops the source's "
            "headers and metadata."
        )
    return False


def options_begun(source: Source, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of Initiate: the source's headers and metadata unless replaced, and all else given.

    A limit on traffic is for requests that carry bytes, and conditions are for the source. Raises Refused
    for tags that are to be copied, because only a single request can do that.
    """
    if str(options.get("TaggingDirective") or "").lower() == "copy":
        raise errors.Refused("Tags do not come along with a copy in parts. Give them as Tagging.")
    given = {
        name: value
        for name, value in options.items()
        if name not in ("MetadataDirective", "TaggingDirective", "TrafficLimit")
        and not name.startswith(_CONDITION_PREFIX)
    }
    return given if is_replacing(options) else {**given, **source.kept}


def _require_readable(fields: Mapping[str, Any]) -> None:
    restored = 'ongoing-request="false"' in str(fields.get("x-cos-restore") or "")
    if str(fields["x-cos-storage-class"]).upper() in _ARCHIVED and not restored:
        raise errors.Conflict(
            "The source of the copy is archived. Restore it first; that takes minutes to hours.",
            code="InvalidObjectState",
            status=403,
        )
