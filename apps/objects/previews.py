"""What of an object can be shown, and how: read by range, capped, and never as anything that runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum

from apps.objects.content import is_unchanged, range_wanted
from apps.objects.kinds import HEAD_BYTES, Kind, content_type_of, kind_of
from apps.objects.pdfs import PDF_MAX, may_hold_script
from apps.objects.services import Download, shown_headers
from apps.objects.texts import (
    TEXT_MAX,
    Decoded,
    dump_of,
    json_laid_out,
    table_rows,
    text_decode,
    text_visible,
    unzipped,
)
from apps.storage.errors import Refused
from apps.storage.store import ObjectBody, ObjectStore
from apps.storage.types import ObjectInfo, ObjectRef

IMAGE_MAX = 20 << 20
_TABLE_ENDINGS = (".csv", ".tsv")
_JSON_ENDINGS = (".json", ".geojson", ".ipynb", ".webmanifest", ".map")


class Obstacle(StrEnum):
    """Why nothing is shown although there is something."""

    EMPTY = "empty"
    ARCHIVED = "archived"
    TOO_LARGE = "too large"
    HAS_SCRIPT = "script"


@dataclass(frozen=True)
class Preview:
    """What to show. `shown` is how many bytes that covers; `layout` is "", "json" or "table"."""

    kind: Kind | None
    obstacle: Obstacle | None = None
    content_type: str = ""
    text: str = ""
    encoding: str = ""
    layout: str = ""
    rows: list[list[str]] = field(default_factory=list)
    shown: int = 0
    limit: int = 0


class NotShown(Exception):
    """These bytes may not be shown as anything but text."""


def is_archived(store: ObjectStore, info: ObjectInfo) -> bool:
    """Return whether an object must be restored before it can be read, and has not been.

    Source: COS "POST Object restore", 2026-08: `x-cos-restore` says `ongoing-request="false"` once it is.
    """
    is_restored = 'ongoing-request="false"' in info.headers.get("x-cos-restore", "")
    return info.storage_class in store.features.archive_classes and not is_restored


def preview_of(store: ObjectStore, *, ref: ObjectRef, info: ObjectInfo) -> Preview:
    """Return how to show the object that `info` describes; one request, for a PDF two.

    Raises StorageError, Conflict among them when the object was replaced meanwhile.
    """
    if is_archived(store, info):
        return Preview(None, Obstacle.ARCHIVED)
    if not info.size:
        return Preview(None, Obstacle.EMPTY)
    with closing(_opened(store, ref=ref, info=info, last=TEXT_MAX - 1)) as body:
        chunks = iter(body)
        head = _at_least(chunks, HEAD_BYTES)
        content_type = content_type_of(head)
        kind = kind_of(content_type)
        if kind is None or kind == Kind.DRAWING:
            data = head + b"".join(chunks)
    if kind is None or kind == Kind.DRAWING:
        return _of_text(info, data, content_type)
    return _of_media(store, ref, info, content_type)


def shown_open(
    store: ObjectStore, *, ref: ObjectRef, headers: Mapping[str, str], is_embedded: bool
) -> Download:
    """Open the bytes of an object to be shown inside the console, as the request's headers ask.

    The content type is what the first bytes prove. Raises NotShown for everything that could be active or is
    too large, and StorageError. The caller closes the body.
    """
    try:
        info, head = _head_of(store, ref)
    except Refused as error:
        # An empty object has no first byte.
        raise NotShown from error
    content_type = content_type_of(head)
    kind = kind_of(content_type)
    if kind is None or (kind in (Kind.IMAGE, Kind.DRAWING, Kind.PDF) and info.size > IMAGE_MAX):
        raise NotShown
    # Only within an image does a drawing run no script: opened by itself it is saved, not shown.
    is_saved = kind == Kind.DRAWING and not is_embedded
    answer = shown_headers(info, content_type, is_saved=is_saved, may_be_framed=kind == Kind.PDF)
    if is_unchanged(headers.get("If-None-Match"), info.etag):
        return Download(304, answer)
    if kind == Kind.PDF:
        return _checked_pdf(store, ref, info, answer)
    wanted = range_wanted(headers.get("Range", ""))
    body = store.get_object(
        bucket=ref.bucket, region=ref.region, key=ref.key, byte_range=wanted, if_match=info.etag
    )
    if body.content_range:
        answer["Content-Range"] = body.content_range
    answer["Content-Length"] = str(body.content_length)
    return Download(body.status, answer, body)


def _of_media(store: ObjectStore, ref: ObjectRef, info: ObjectInfo, content_type: str) -> Preview:
    kind = kind_of(content_type)
    if kind in (Kind.IMAGE, Kind.PDF) and info.size > IMAGE_MAX:
        return Preview(kind, Obstacle.TOO_LARGE, content_type, limit=IMAGE_MAX)
    if kind == Kind.PDF and may_hold_script(_whole(store, ref, info)):
        return Preview(kind, Obstacle.HAS_SCRIPT, content_type)
    return Preview(kind, None, content_type, shown=info.size)


def _of_text(info: ObjectInfo, data: bytes, content_type: str) -> Preview:
    shown = len(data)
    unpacked = unzipped(data) if info.headers.get("content-encoding", "").lower() == "gzip" else None
    is_cut = shown < info.size or (unpacked is not None and len(unpacked) >= TEXT_MAX)
    decoded = text_decode(data if unpacked is None else unpacked, is_cut=is_cut)
    if decoded is None:
        return Preview(Kind.BINARY, None, text=dump_of(data), shown=min(shown, 512))
    kind = Kind.DRAWING if content_type and shown == info.size else Kind.TEXT
    layout, text, rows = _laid_out(info, decoded, is_cut=is_cut)
    return Preview(kind, None, content_type, text, decoded.encoding, layout, rows, shown)


def _laid_out(info: ObjectInfo, decoded: Decoded, *, is_cut: bool) -> tuple[str, str, list[list[str]]]:
    """Return the layout of a text, the text, and its rows if it is a table."""
    name, stored = info.key.lower(), info.content_type.partition(";")[0].strip().lower()
    if name.endswith(_TABLE_ENDINGS) or stored in ("text/csv", "text/tab-separated-values"):
        if rows := table_rows(decoded.text, is_cut=is_cut):
            return "table", text_visible(decoded.text), rows
    elif not is_cut and (name.endswith(_JSON_ENDINGS) or stored.endswith(("/json", "+json"))):
        laid_out = json_laid_out(decoded.text)
        if laid_out is not None:
            return "json", text_visible(laid_out), []
    return "", text_visible(decoded.text), []


def _opened(store: ObjectStore, *, ref: ObjectRef, info: ObjectInfo, last: int) -> ObjectBody:
    return store.get_object(
        bucket=ref.bucket,
        region=ref.region,
        key=ref.key,
        byte_range=f"bytes=0-{min(last, info.size - 1)}",
        if_match=info.etag,
    )


def _head_of(store: ObjectStore, ref: ObjectRef) -> tuple[ObjectInfo, bytes]:
    body = store.get_object(
        bucket=ref.bucket, region=ref.region, key=ref.key, byte_range=f"bytes=0-{HEAD_BYTES - 1}"
    )
    with closing(body):
        return body.info, b"".join(body)


def _whole(store: ObjectStore, ref: ObjectRef, info: ObjectInfo) -> bytes:
    with closing(_opened(store, ref=ref, info=info, last=PDF_MAX - 1)) as body:
        return b"".join(body)


def _checked_pdf(store: ObjectStore, ref: ObjectRef, info: ObjectInfo, answer: dict[str, str]) -> Download:
    """Return a PDF whose very bytes were looked through; it is small enough to be held."""
    data = _whole(store, ref, info)
    if may_hold_script(data):
        raise NotShown
    answer["Content-Length"] = str(len(data))
    return Download(200, answer, HeldBody(info, data))


@dataclass
class HeldBody:
    """The bytes of an object that were read already, as a body to be sent."""

    info: ObjectInfo
    data: bytes
    status: int = 200
    content_range: str | None = None
    content_length: int = field(init=False)

    def __post_init__(self) -> None:
        self.content_length = len(self.data)

    def __iter__(self) -> Iterator[bytes]:
        yield self.data

    def close(self) -> None:
        """There is nothing to let go of."""


def _at_least(chunks: Iterable[bytes], size: int) -> bytes:
    """Return the first chunks, as many as make up `size` bytes."""
    taken = b""
    for chunk in chunks:
        taken += chunk
        if len(taken) >= size:
            break
    return taken
