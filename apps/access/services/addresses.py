"""What somebody pasted: which bucket and key of their own connections it means.

Nothing is asked of a host that the text names. An address is only read, and what is asked afterwards goes to
the endpoint of a connection that the person may see.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import unquote, urlsplit

from django.utils import timezone

from apps.connections.models import Connection, KnownBucket
from apps.connections.services import bucket_region, buckets_ask, buckets_remember, store_for
from apps.storage.errors import StorageError
from apps.storage.types import ObjectRef

# Nobody waits for a slow account longer than for the page.
LIST_TIMEOUT_S = 6.0
# How tools for the command line write a bucket and a key.
_TOOLS = re.compile(r"(cos|s3)://", re.I)
# What was odd about the text, in the order in which it is told.
NOTES = ("domain", "path", "fragment", "expired")


@dataclass(frozen=True)
class Meant:
    """A bucket of a connection, and maybe a key, that a text means.

    `said_region` is what the address says where that is wrong. `expires_at` is when its signature ends.
    `notes` are of NOTES.
    """

    connection: Connection
    bucket: str
    region: str
    key: str = ""
    said_region: str = ""
    expires_at: datetime | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parts:
    """An address taken apart, as far as it matters here."""

    host: str
    path: str
    has_scheme: bool
    has_fragment: bool


class NotYours(Exception):
    """The text means nothing in any connection of the person. `is_address` tells a host from a key."""

    def __init__(self, *, is_address: bool, host: str = "") -> None:
        super().__init__()
        self.is_address, self.host = is_address, host


def meant_by(text: str, connections: Sequence[Connection], *, bucket: str = "") -> Meant:
    """Return what a pasted text means: an address, `bucket/key`, or with `bucket` a key.

    `connections` are those of the person, the likeliest first. Raises NotYours.
    """
    parts = _split(text.strip())
    if tool := _TOOLS.match(text.strip()):
        return _by_key(text.strip()[tool.end() :], connections, "")
    if parts is None:
        return _by_key(text, connections, bucket)
    notes = ("fragment",) if parts.has_fragment else ()
    for connection in connections:
        ref, expires_at = _address_of(connection, text.strip())
        if ref is not None and (place := bucket_place(connections, connection, ref.bucket)):
            said = ref.region if ref.region not in ("", place.region) else ""
            return replace(place, key=ref.key, said_region=said, expires_at=expires_at, notes=notes)
    if bucket and not parts.has_scheme:
        return _by_key(text, connections, bucket)
    key = unquote(parts.path[1:])
    if bucket and (place := bucket_place(connections, None, bucket)):
        return replace(place, key=key, notes=("domain", *notes))
    first, _slash, rest = key.partition("/")
    if first and (place := bucket_place(connections, None, first, is_asked=False)):
        return replace(place, key=rest, notes=("path", *notes))
    raise NotYours(is_address=True, host=parts.host)


def bucket_place(
    connections: Sequence[Connection], likeliest: Connection | None, bucket: str, *, is_asked: bool = True
) -> Meant | None:
    """Return where a bucket is among the connections; None where none lists it.

    What was seen before is enough; else all connections are asked at the same time, unless `is_asked` is
    false.
    """
    ordered = sorted(connections, key=lambda one: likeliest is not None and one.pk != likeliest.pk)
    known = KnownBucket.objects.filter(connection__in=ordered, name=bucket)
    places = {row.connection_id: row.region for row in known}
    if not places and is_asked:
        places = _asked(ordered, bucket)
    return next((Meant(one, bucket, places[one.pk]) for one in ordered if one.pk in places), None)


def bucket_of(connection: Connection, bucket: str) -> Meant | None:
    """Return where a bucket of one connection is, also where its key may not list buckets.

    Then the bucket is looked for in the connection's default region, as on every page of that connection.
    """
    try:
        return Meant(connection, bucket, bucket_region(connection, bucket))
    except StorageError:
        return None


def _asked(connections: Sequence[Connection], bucket: str) -> dict[int, str]:
    places = {}
    for reading in buckets_ask(connections, timeout_s=LIST_TIMEOUT_S):
        if reading.error is not None:
            continue
        buckets_remember(reading.connection, reading.buckets, seen_at=timezone.now())
        region = next((one.region for one in reading.buckets if one.name == bucket), None)
        if region is not None:
            places[reading.connection.pk] = region
    return places


def _by_key(text: str, connections: Sequence[Connection], bucket: str) -> Meant:
    if bucket and (place := bucket_place(connections, None, bucket)):
        return replace(place, key=text)
    first, _slash, rest = text.strip().partition("/")
    if first and (place := bucket_place(connections, None, first)):
        return replace(place, key=rest)
    raise NotYours(is_address=False)


def _address_of(connection: Connection, text: str) -> tuple[ObjectRef | None, datetime | None]:
    """Return what an address means to the store of a connection. Sends nothing."""
    address = text if "://" in text else f"https://{text}"
    address = address.partition("#")[0]
    try:
        store = store_for(connection)
        ref = store.object_of_url(address)
        if ref is None and urlsplit(address).path in ("", "/"):
            whole = store.object_of_url(urlsplit(address)._replace(path="/-", query="").geturl())
            ref = whole and ObjectRef(whole.bucket, whole.region, "")
        return ref, store.url_expires_at(address)
    except (StorageError, ValueError):
        return None, None


def _split(text: str) -> Parts | None:
    """Return the parts of an address, None for a text that is none."""
    has_scheme = text.lower().startswith(("http://", "https://"))
    if not has_scheme and not _is_host(text.partition("/")[0]):
        return None
    try:
        parts = urlsplit(text if has_scheme else f"https://{text}")
        return Parts(parts.hostname or "", parts.path, has_scheme, bool(parts.fragment))
    except ValueError:
        return None


def _is_host(text: str) -> bool:
    name = text.partition(":")[0]
    labels = name.split(".")
    return len(labels) > 2 and all(label.replace("-", "a").isalnum() for label in labels) and name.isascii()
