"""How pages show object keys: opaque text that somebody else chose, and that may try to mislead."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote

# Controls, direction marks, zero-width characters, line and paragraph separators, and every space but one.
_HIDDEN_KINDS = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
_JOINER = "[\u200c\u200d]"
_HIDDEN = "".join(
    re.escape(character)
    for character in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(character) in _HIDDEN_KINDS and character not in " \u200c\u200d"
)
# Joiners belong to emoji and to several scripts; beside ASCII or at an end they only make look-alikes.
_MISLEADING = re.compile(f"[{_HIDDEN}]|^ +| +$|(?<![^\x00-\x7f]){_JOINER}|{_JOINER}(?![^\x00-\x7f])")


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


def prefix_steps(prefix: str) -> Iterator[tuple[str, str]]:
    """Yield (name, prefix) of every folder on the way to `prefix`; `a//b/` has a folder without a name."""
    end = prefix.find("/")
    start = 0
    while end >= 0:
        yield prefix[start : end + 1], prefix[: end + 1]
        start, end = end + 1, prefix.find("/", end + 1)


def has_ending(key: str, endings: Iterable[str]) -> bool:
    """Return whether the name of an object ends in one of `endings`, which are in lower case, without dot."""
    name = key_name(key).lower()
    return any(name.endswith(f".{ending}") for ending in endings)


def key_query(key: str) -> str:
    """Return `key` percent-encoded for the value of a query parameter; slashes stay readable."""
    return quote(key, safe="/")


def key_pack(key: str) -> str:
    """Return a key as ASCII text that every database takes: no NUL, no half of a surrogate pair.

    What is contained in a key is contained, packed, in the packed key.
    """
    return quote(key, safe="/ !#$&'()*+,:;=?@[]", errors="surrogatepass")


def key_unpack(packed: str) -> str:
    """Return the key that `key_pack` was given."""
    return unquote(packed, errors="surrogatepass")


def _sign_of(character: str) -> str:
    code = ord(character)
    if code <= 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"U+{code:04X}"
