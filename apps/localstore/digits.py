"""Numbers as the protocol writes them: ASCII digits, any number of them, and nothing else."""

from __future__ import annotations

# Larger than any size, count or time here, and still an integer to SQLite.
HUGE = 2**62
_EXACT_DIGITS = 18


def whole_number(text: str) -> int | None:
    """Return a number of ASCII digits, HUGE for one that is longer than any real one, None for other text.

    `int` alone refuses more than 4300 digits, and takes the digits of every script.
    """
    if not (text.isascii() and text.isdigit()):
        return None
    significant = text.lstrip("0")
    return int(significant or "0") if len(significant) <= _EXACT_DIGITS else HUGE
