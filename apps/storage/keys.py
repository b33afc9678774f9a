"""How pages show object keys: opaque text that somebody else chose, and that may try to mislead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_INVISIBLE = "\u00ad\u180e\u200b\u2028\u2029\u2060\ufeff"
# Joiners belong to emoji and to several scripts; beside ASCII or at an end they only make look-alikes.
_JOINERS = "(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
_MISLEADING = re.compile(f"[\x00-\x1f\x7f-\x9f{_BIDI}{_INVISIBLE}\ud800-\udfff]|^ +| +$|{_JOINERS}")


def key_pieces(key: str) -> Iterator[tuple[str, bool]]:
    """Yield the key in pieces, each with whether it is a sign for what a screen would hide or act upon.

    Control characters become their pictures (`␀`, `␊`), direction marks and zero-width characters become
    `U+202E`, and spaces at either end `␠`. The pieces are for people: they still need escaping in HTML.
    """
    at = 0
    for match in _MISLEADING.finditer(key):
        if match.start() > at:
            yield key[at : match.start()], False
        for character in match[0]:
            yield _sign_of(character), True
        at = match.end()
    if at < len(key):
        yield key[at:], False


def visible(key: str) -> str:
    """Return the pieces of a key as one plain text, for titles and messages."""
    return "".join(piece for piece, _ in key_pieces(key))


def key_name(key: str) -> str:
    """Return the last segment of a key or prefix, a trailing slash included: `a/b/` gives `b/`."""
    return key[key.rfind("/", 0, len(key) - 1) + 1 :]


def key_parent(key: str) -> str:
    """Return the prefix that a key or prefix lies in: `a/b` and `a/b/` give `a/`, `a` gives ''."""
    return key[: key.rfind("/", 0, len(key) - 1) + 1]


def key_query(key: str) -> str:
    """Return `key` percent-encoded for the value of a query parameter; slashes stay readable."""
    return quote(key, safe="/")


def _sign_of(character: str) -> str:
    code = ord(character)
    if code <= 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"U+{code:04X}"
