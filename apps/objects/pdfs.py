"""Which PDF may be shown: one that holds no script.

A browser's viewer runs the scripts of a PDF. It keeps them away from the page around it, but they can still
put dialogs in front of it, in Chromium even where the answer is sandboxed. So whatever may hold one is
offered for download only.
"""

from __future__ import annotations

import re
import zlib

PDF_MAX = 20 << 20
_INFLATED_MAX = 64 << 20
_PIECE = 64 << 10
_OBJECT_STREAMS_MAX = 10_000
_NAME_ESCAPE = re.compile(rb"#([0-9a-fA-F]{2})")
_SCRIPT = re.compile(rb"/(?:JavaScript|XFA|RichMedia|Launch)\b")
_OBJECT_STREAM = re.compile(rb"/ObjStm\b")
# Objects may hide in streams. Those packed by deflate alone are looked into; `/F` names another file.
_OTHER_PACKING = re.compile(
    rb"/(?:ASCIIHexDecode|AHx|ASCII85Decode|A85|LZWDecode|LZW|RunLengthDecode|RL|Crypt|DecodeParms|DP|F)\b"
)


def may_hold_script(data: bytes) -> bool:
    """Return whether a PDF holds a script, or hides its objects too well to tell."""
    plain = _unescaped(data)
    if _SCRIPT.search(plain):
        return True
    hidden = list(_OBJECT_STREAM.finditer(data))
    if len(hidden) != len(_OBJECT_STREAM.findall(plain)) or len(hidden) > _OBJECT_STREAMS_MAX:
        return True
    if hidden and b"/Encrypt" in plain:
        return True
    left = _INFLATED_MAX
    for found in hidden:
        objects = _objects_at(data, found.start(), left)
        if objects is None or _SCRIPT.search(_unescaped(objects)):
            return True
        left -= len(objects)
    return False


def _objects_at(data: bytes, at: int, left: int) -> bytes | None:
    """Return the objects in the stream whose dictionary lies at `at`, None if they cannot be read plainly."""
    start, stream = data.rfind(b" obj", 0, at), data.find(b"stream", at)
    if start < 0 or stream < 0 or _OTHER_PACKING.search(_unescaped(data[start:stream])):
        return None
    stream += len(b"stream")
    stream += 2 if data.startswith(b"\r\n", stream) else 1
    return _inflated(memoryview(data)[stream:], left)


def _inflated(packed: memoryview, left: int) -> bytes | None:
    """Return what deflate packed, None when it is damaged or longer than `left` bytes."""
    inflater = zlib.decompressobj()
    pieces: list[bytes] = []
    try:
        for at in range(0, len(packed), _PIECE):
            piece = inflater.decompress(packed[at : at + _PIECE], max(left, 1))
            pieces.append(piece)
            left -= len(piece)
            if inflater.eof:
                return b"".join(pieces)
            if left <= 0 or inflater.unconsumed_tail:
                return None
    except zlib.error:
        return None
    return None


def _unescaped(data: bytes) -> bytes:
    """Return the bytes with the escapes of names resolved: `/J#61vaScript` is `/JavaScript`."""
    return _NAME_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), data)
