"""Sizes in words, equal to what the scripts say in the browser."""

from __future__ import annotations

UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


def size_text(size: int) -> str:
    """Return bytes in binary units with three digits that matter: `0 B`, `1.50 KiB`, `12.3 MiB`, `512 GiB`.

    It rounds down, so that a bar that is not full never claims the whole.
    """
    if size < 1024:
        return f"{size} B"
    unit = min((size.bit_length() - 1) // 10, len(UNITS))
    whole = 1024**unit
    digits = 2 if size < 10 * whole else 1 if size < 100 * whole else 0
    scaled = size * 10**digits // whole
    text = str(scaled).rjust(digits + 1, "0")
    number = f"{text[:-digits]}.{text[-digits:]}" if digits else text
    return f"{number} {UNITS[unit - 1]}"
