"""Small objects of every kind that a preview knows, and some that only pretend."""

from __future__ import annotations

import struct
import zlib


def png(width: int = 8, height: int = 8) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\x00" + b"\x30\x80\xe0" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def wav(seconds: float = 0.2) -> bytes:
    data = bytes(int(8000 * seconds))
    form = struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(data))
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", len(data))
        + data
    )


def pdf(*extra: bytes, catalog: bytes = b"") -> bytes:
    """Return a page that says hello, with more objects from number 6 on."""
    text = b"BT /F1 24 Tf 40 100 Td (Hello PDF) Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R" + catalog + b">>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n" % len(text) + text + b"\nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        *extra,
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n" % count
        + table
        + (b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (count, len(out)))
    )


SCRIPT = b"<</S/JavaScript/JS(app.alert\\(1\\);)>>"


def pdf_with_script() -> bytes:
    return pdf(SCRIPT, catalog=b"/OpenAction 6 0 R")


def object_stream(objects: bytes, *, more: bytes = b"") -> bytes:
    packed = zlib.compress(b"7 0 " + objects)
    dictionary = b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d" % len(packed) + more
    return dictionary + b">>stream\n" + packed + b"\nendstream"


SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="80" height="80"><style>rect{fill:#d33}</style>'
    b'<rect width="80" height="80"/><script>alert(document.domain)</script></svg>'
)
HTML = b"<!doctype html><script>alert(1)</script><img src=x onerror=alert(2)>"
# A picture to who looks at its first bytes, a page to who looks for markup.
POLYGLOT = png() + b"<html><script>alert(1)</script>"
GIF_SCRIPT = b"GIF89a/*" + b"\x00" * 10 + b"*/=1;alert(1)//<script>alert(1)</script>"
