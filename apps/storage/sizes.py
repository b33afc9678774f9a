"""Sizes in words, equal to what the scripts say in the browser."""

from __future__ import annotations

import re
from decimal import Decimal

UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")

_WRITTEN = re.compile(r"([0-9]{1,15}(?:[.][0-9]{1,6})?) ?(?:([kmgtp]?)(i?b?))", re.IGNORECASE | re.ASCII)


def size_text(size: int) -> str:
    """Return bytes in binary units with three digits that matter: `0 B`, `1.50 KiB`, `12.3 MiB`, `512 GiB`.

    It rounds down, so that a bar that is not full never claims the whole.
    """
    if size < 1024:
        return f"{size} B"
    unit = min((size.bit_length() - 1) // 10, len(UNITS))
    whole = 1 << 10 * unit
    if size < 10 * whole:
        hundredths = 100 * size // whole
        return f"{hundredths // 100}.{hundredths % 100:02} {UNITS[unit - 1]}"
    if size < 100 * whole:
        tenths = 10 * size // whole
        return f"{tenths // 10}.{tenths % 10} {UNITS[unit - 1]}"
    return f"{size // whole} {UNITS[unit - 1]}"


def size_parse(text: str) -> int | None:
    """Return the bytes that a person wrote: `500`, `1.5 MiB`, `10k`, `2 GB`; None for what is no size.

    KiB, MiB … and the bare letters count in 1,024s as everywhere in the console, KB, MB … in 1,000s.
    """
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        return None
    number, letter, kind = match[1], match[2].lower(), match[3].lower()
    base = 1000 if kind == "b" else 1024
    scale: int = base ** " kmgtp".index(letter or " ")
    return int(Decimal(number) * scale)
