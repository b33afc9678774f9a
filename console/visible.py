"""Keys as a person can read them: characters that hide or mislead are drawn as signs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

# Marks that change the direction of what follows, which can make `exe.txt` out of `txt.exe`.
BIDI_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def sign_of(character: str) -> str | None:
    """Return the sign to draw in place of a character, None for one that shows itself."""
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if character in BIDI_MARKS or unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"}:
        return f"U+{code:04X}"
    if character != " " and unicodedata.category(character) == "Zs":
        return f"U+{code:04X}"
    return None


def pieces_of(key: str) -> Iterator[tuple[str, bool]]:
    """Yield the key in pieces with whether the piece is a sign. Spaces at either end are signs too."""
    head = len(key) - len(key.lstrip(" "))
    tail = len(key.rstrip(" "))
    plain = ""
    for index, character in enumerate(key):
        is_edge = character == " " and (index < head or index >= tail)
        sign = "␠" if is_edge else sign_of(character)
        if sign is None:
            plain += character
            continue
        if plain:
            yield plain, False
            plain = ""
        yield sign, True
    if plain:
        yield plain, False
