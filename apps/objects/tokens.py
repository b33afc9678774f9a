"""The way back: where the pages before this one began, small enough for an address.

A store lists forwards only, so Previous is a memory. Keys of one folder resemble each other, which is why
the list is deflated; when it grows too long, the oldest pages are forgotten and First page remains.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence

TOKEN_MAX = 1500
_TEXT_MAX = 200_000

# Where a page began: its marker without the folder's prefix, and the number of its first row.
Step = tuple[str, int]


def trail_pack(steps: Sequence[Step]) -> str:
    """Return the steps as text for a query parameter, without the oldest ones when they do not fit."""
    kept = list(steps)
    while kept:
        text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
        packed = base64.urlsafe_b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"), 9))
        if len(packed) <= TOKEN_MAX:
            return packed.decode().rstrip("=")
        del kept[: max(1, len(kept) // 4)]
    return ""


def trail_unpack(token: str) -> tuple[Step, ...]:
    """Return the steps of a token. One that was cut or edited is no error: it only loses the way back."""
    if not token or len(token) > TOKEN_MAX:
        return ()
    try:
        packed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        text = zlib.decompressobj().decompress(packed, _TEXT_MAX).decode("utf-8", "surrogatepass")
        return tuple((str(marker), int(first)) for marker, first in json.loads(text))
    except (ValueError, TypeError, RecursionError, binascii.Error, zlib.error):
        return ()
