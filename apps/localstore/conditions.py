"""If-Match and its three relatives, for reads and copy sources; and the wish not to overwrite, for writes."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from apps.localstore.errors import NotModified, StoreError
from apps.localstore.index import Writer
from apps.localstore.records import Content, http_date
from apps.localstore.request import Pairs
from apps.localstore.responses import digest_headers
from apps.localstore.rows import object_find


def _names_etag(header: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")]
    return "*" in tags or etag in tags


def _is_after(content: Content, header: str) -> bool | None:
    """Tell whether the object changed after a date; None when the date cannot be read."""
    try:
        moment = parsedate_to_datetime(header).timestamp()
    except (ValueError, OverflowError):
        return None
    return content.modified_ms // 1000 > moment


def check_read(content: Content, headers: Pairs) -> None:
    """Raise NotModified or PreconditionFailed when a read is not wanted (RFC 9110, 13.2.2)."""
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    since, unmodified = headers.get("if-modified-since"), headers.get("if-unmodified-since")
    if match:
        if not _names_etag(match, content.etag):
            raise StoreError("PreconditionFailed")
    elif unmodified and _is_after(content, unmodified):
        raise StoreError("PreconditionFailed")
    if none_match:
        unchanged = _names_etag(none_match, content.etag)
    else:
        unchanged = bool(since) and _is_after(content, since) is False
    if unchanged:
        raise NotModified([*digest_headers(content), ("Last-Modified", http_date(content.modified_ms))])


def range_wanted(content: Content, headers: Pairs) -> str:
    """Return the Range header, unless If-Range names another content than this (RFC 9110, 13.1.5)."""
    condition = headers.get("if-range")
    if not condition:
        return headers.get("range")
    is_date = not condition.startswith(('"', "W/"))
    same = _is_after(content, condition) is False if is_date else condition == f'"{content.etag}"'
    return headers.get("range") if same else ""


def check_copy(content: Content, headers: Pairs) -> None:
    """Raise PreconditionFailed when a copy source is not what the caller thinks it is.

    Only If-Match with If-Unmodified-Since, and If-None-Match with
    If-Modified-Since, go together; other mixes are an InvalidArgument.
    Source: PUT Object - Copy, 2024-12.
    """

    def header(name: str) -> str:
        return headers.get(f"x-cos-copy-source-{name}")

    match, none_match = header("if-match"), header("if-none-match")
    since, unmodified = header("if-modified-since"), header("if-unmodified-since")
    if (match or unmodified) and (none_match or since):
        raise StoreError("InvalidArgument", "These conditions on a copy source exclude each other.")
    failed = (
        (match and not _names_etag(match, content.etag)),
        (none_match and _names_etag(none_match, content.etag)),
        (unmodified and not match and _is_after(content, unmodified)),
        (since and not none_match and _is_after(content, since) is False),
    )
    if any(failed):
        raise StoreError("PreconditionFailed")


def check_vacant(tx: Writer, bucket: str, key: str, headers: Pairs) -> None:
    """Raise FileAlreadyExists when the key is taken and the write may not replace it.

    `x-cos-forbid-overwrite`, 2026-11: PUT Object, its copy, and Complete. Within
    the transaction that writes, so that of two such writers one wins.
    """
    if headers.get("x-cos-forbid-overwrite").lower() == "true" and object_find(tx, bucket, key):
        raise StoreError("FileAlreadyExists")
