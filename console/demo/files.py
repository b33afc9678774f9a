"""Small files of many types, made by code: each is valid, and the same on every machine."""

from __future__ import annotations

import array
import colorsys
import gzip
import io
import math
import struct
import wave
import zipfile
import zlib
from collections.abc import Mapping

WAV_RATE = 44_100
PALETTE_STEPS = 24
ZIP_DATE = (2026, 1, 5, 9, 0, 0)


def png(*, width: int, height: int, step: int) -> bytes:
    """Return a picture: a gradient whose hue `step` turns."""
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(step / PALETTE_STEPS, 0.55, 0.95))
    rows = bytearray()
    for y in range(height):
        shade = 1 - 0.6 * y / height
        pixel = bytes((int(red * shade), int(green * shade), int(blue * shade)))
        rows += b"\0" + pixel * width
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(name, data) for name, data in chunks)


def svg(label: str, *, step: int) -> bytes:
    """Return a badge with a label."""
    hue = 360 * step // PALETTE_STEPS
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 80" width="240" height="80">'
        f'<rect width="240" height="80" rx="12" fill="hsl({hue} 60% 45%)"/>'
        '<text x="120" y="49" font-family="sans-serif" font-size="26" fill="#fff" text-anchor="middle">'
        f"{label}</text>"
        "</svg>\n"
    ).encode()


def html(title: str, body: str) -> bytes:
    """Return a page."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<link rel="stylesheet" href="/css/site.css">\n</head>\n'
        f"<body>\n<h1>{title}</h1>\n<p>{body}</p>\n</body>\n</html>\n"
    ).encode()


def pdf(title: str) -> bytes:
    """Return a document of one page that says `title` (ASCII)."""
    stream = f"BT /F1 28 Tf 72 720 Td ({title}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\n" % (size, entries, size)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def wav(*, seconds: int, hertz: int) -> bytes:
    """Return a tone, 16 bit mono: 88,200 bytes per second."""
    second = array.array(
        "h", (round(9000 * math.sin(2 * math.pi * hertz * tick / WAV_RATE)) for tick in range(WAV_RATE))
    )
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(WAV_RATE)
        sound.writeframes(second.tobytes() * seconds)
    return out.getvalue()


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Return an archive of these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_DATE), data)
    return out.getvalue()


def gzipped(data: bytes) -> bytes:
    """Return `data` compressed; without a date, so that it is the same every time."""
    return gzip.compress(data, mtime=0)


def table(*, rows: int, seed: int) -> bytes:
    """Return a CSV file of made-up measurements."""
    lines = ["id,day,region,requests,bytes"]
    for row in range(rows):
        value = (row * 7919 + seed * 104_729) % 10_007
        lines.append(f"{row},2026-{row % 12 + 1:02}-{row % 28 + 1:02},ap-guangzhou,{value},{value * 1531}")
    return ("\n".join(lines) + "\n").encode()


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
