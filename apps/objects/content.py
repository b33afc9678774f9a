"""What a download says about itself: which bytes, under which name, and that all of them came."""

from __future__ import annotations

import re
from collections.abc import Iterator

from apps.storage.errors import Interrupted
from apps.storage.keys import key_name
from apps.storage.store import ObjectBody

NAME_MAX = 180
FALLBACK_NAME = "download"

_ONE_RANGE = re.compile(r"bytes=(?:[0-9]{1,19}-[0-9]{0,19}|-[0-9]{1,19})")
# What a file system refuses, and what makes `exe.txt` out of `txt.exe`.
_NOT_IN_NAMES = re.compile(
    '[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029"\\\\:*?<>|]'
)


def range_wanted(header: str) -> str | None:
    """Return a Range header that asks for one range of bytes; None for everything else, which is ignored.

    Several ranges at once would need a multipart answer. RFC 9110, 14.2 lets a server send the whole.
    """
    value = header.replace(" ", "")
    return value if _ONE_RANGE.fullmatch(value) else None


def is_unchanged(if_none_match: str | None, etag: str) -> bool:
    """Return whether an If-None-Match header names this ETag."""
    if if_none_match is None:
        return False
    given = (candidate.strip().removeprefix("W/").strip('"') for candidate in if_none_match.split(","))
    return if_none_match.strip() == "*" or etag in given


def filename_of(key: str) -> str:
    """Return a file name for a key: its last segment, without what misleads or what a disk refuses."""
    name = key_name(key).rstrip("/")
    name = _NOT_IN_NAMES.sub("_", name).strip(" .") or FALLBACK_NAME
    if len(name) <= NAME_MAX:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 20:
        return name[:NAME_MAX]
    return f"{stem[: NAME_MAX - len(ending) - 1]}.{ending}"


class WholeBody:
    """The chunks of a download. A body that ends too early raises, so that the answer is cut as well.

    A short file with a clean end would look complete to the person who saved it.
    """

    def __init__(self, body: ObjectBody) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        left = self._body.content_length
        for chunk in self._body:
            left -= len(chunk)
            yield chunk
        if left > 0:
            raise Interrupted("The store ended the object too early.")

    def close(self) -> None:
        """Let go of the store's connection; called by the server whenever the client leaves."""
        self._body.close()
