"""How a search compares text with keys: without case, and with the signs that pages show for what hides."""

from __future__ import annotations

import re

from apps.inventory.columns import key_bytes

WORDS_MAX = 8
_SIGNS = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"}
_PHRASE = re.compile(r'"([^"]+)"|(\S+)')


def fold(text: str) -> str:
    """Return text as it is compared: `Straße` as `strasse`, a line feed as `␊`, as a page shows it."""
    folded = text.casefold()
    return folded if folded.isprintable() else folded.translate(_SIGNS)


def folded_bytes(key: str) -> bytes | None:
    """Return the folded key as it is stored: None where it is the key itself, which most are."""
    folded = fold(key)
    return None if folded == key else key_bytes(folded)


def words_of(text: str) -> tuple[str, ...]:
    """Return what a key must contain, each word of it: words end at spaces, "quoted words" do not."""
    found = (quoted or word for quoted, word in _PHRASE.findall(text))
    return tuple(fold(word) for word in found)[:WORDS_MAX]
