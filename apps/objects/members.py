"""What an object is called inside a zip: a name that no unpacking program can be led astray by."""

from __future__ import annotations

import re
from collections.abc import Container
from hashlib import sha256

MANIFEST = "_manifest.csv"
SEGMENT_BYTES_MAX = 180
# Windows refuses some, screens hide others, and terminals act upon the rest.
_UNSAFE = re.compile(
    '[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff"\\\\:*?<>|]'
)
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
# Packing these again takes time and saves room; most of everything else is packed already.
_TEXT_ENDINGS = re.compile(
    r"(?i).*\.(?:txt|csv|tsv|json|jsonl|ndjson|log|xml|html?|css|js|mjs|md|svg|ya?ml|sql|py|java|c|h|cpp|go|rs|ts)"
)


def member_name(key: str, base: str) -> str:
    """Return the name of a key below `base`, a folder's with a slash at its end.

    No segment is empty, `.` or `..`, ends in a dot or a blank, or holds a character that misleads. A name
    that had to be changed ends in a mark made of its key, so that two keys never share one.
    """
    wanted = key[len(base) :]
    is_folder = wanted.endswith("/")
    segments = wanted.removesuffix("/").split("/")
    name = "/".join(_segment_safe(segment) for segment in segments)
    if name != wanted.removesuffix("/") or name == MANIFEST:
        name = _marked(name, key)
    return f"{name}/" if is_folder else name


def beside(name: str, files: Container[str]) -> str:
    """Return a name whose folders are no files: a store may have both `a` and `a/b`, a disk has one of them.

    `files` are the names of the files that are in the zip so far; a store lists `a` before `a/b`.
    """
    at = name.find("/")
    while 0 <= at < len(name) - 1:
        if name[:at] in files:
            return beside(f"{_marked(name[:at], name[:at])}{name[at:]}", files)
        at = name.find("/", at + 1)
    return name


def is_text_name(name: str) -> bool:
    """Return whether an object with this name is worth packing tighter."""
    return _TEXT_ENDINGS.fullmatch(name) is not None


def common_base(keys: tuple[str, ...]) -> str:
    """Return the folder that all keys and folders lie in; a folder lies in the one around it."""
    parents = [key[: key.rfind("/", 0, len(key) - 1) + 1] for key in keys]
    first, last = min(parents), max(parents)
    length = next((at for at, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), None)
    shared = first[: min(len(first), len(last)) if length is None else length]
    return shared[: shared.rfind("/") + 1]


def _segment_safe(segment: str) -> str:
    safe = _UNSAFE.sub("_", segment).encode(errors="replace").decode().rstrip(". ")
    if not safe.strip() or _DEVICES.fullmatch(safe):
        safe = f"_{safe.strip()}"
    if len(safe.encode()) <= SEGMENT_BYTES_MAX:
        return safe
    stem, dot, ending = safe.rpartition(".")
    if not dot or len(ending.encode()) > 20:
        stem, dot, ending = safe, "", ""
    room = SEGMENT_BYTES_MAX - len(ending.encode()) - len(dot)
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + ending


def _marked(name: str, key: str) -> str:
    mark = "~" + sha256(key.encode(errors="surrogatepass")).hexdigest()[:8]
    folder, slash, last = name.rpartition("/")
    stem, dot, ending = last.rpartition(".")
    if not stem or len(ending) > 20:
        stem, dot, ending = last, "", ""
    return f"{folder}{slash}{stem}{mark}{dot}{ending}"
