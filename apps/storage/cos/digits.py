"""Numbers in answers: ASCII digits and nothing else, no longer than a real one can be."""

from __future__ import annotations

# A CRC-64 has up to twenty digits, and nothing in an answer is longer.
_DIGITS_MAX = 20


def whole_number(text: str) -> int | None:
    """Return a number of ASCII digits, None for any other text.

    `int` alone takes signs, underscores and the digits of every script, and fails over superscripts, which
    `isdigit` takes for digits.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else None
