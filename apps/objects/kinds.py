"""What an object is by its first bytes. What somebody wrote into its headers or its name is not evidence."""

from __future__ import annotations

from enum import StrEnum

# So many bytes tell every kind below; ISO media name their brand within the first box.
HEAD_BYTES = 4096


class Kind(StrEnum):
    """How a preview shows an object."""

    IMAGE = "image"
    DRAWING = "drawing"
    PDF = "pdf"
    AUDIO = "audio"
    VIDEO = "video"
    TEXT = "text"
    BINARY = "binary"


# (offset, bytes, content type). No other content type is ever served for showing.
_MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"\x00\x00\x01\x00", "image/x-icon"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BRANDS = {b"avif": "image/avif", b"avis": "image/avif", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4"}
_MPEG_AUDIO = {0xFB, 0xFA, 0xF3, 0xF2}
_AAC = {0xF1, 0xF9}
DRAWING_TYPE = "image/svg+xml"
PDF_TYPE = "application/pdf"


def content_type_of(head: bytes) -> str:
    """Return the one content type that these bytes may be shown as, '' when they may only be read as text."""
    for offset, magic, content_type in _MAGIC:
        if head.startswith(magic, offset):
            return "" if magic == b"BM" and not _is_bitmap(head) else content_type
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], "")
    if head[:4] == b"OggS":
        return "video/ogg" if b"\x80theora" in head[:512] else "audio/ogg"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if len(head) > 1 and head[0] == 0xFF:
        return "audio/mpeg" if head[1] in _MPEG_AUDIO else "audio/aac" if head[1] in _AAC else ""
    return DRAWING_TYPE if _is_drawing(head) else ""


def kind_of(content_type: str) -> Kind | None:
    """Return how a content type of `content_type_of` is shown, None for what has to be read as text."""
    if content_type == DRAWING_TYPE:
        return Kind.DRAWING
    if content_type == PDF_TYPE:
        return Kind.PDF
    family = content_type.partition("/")[0]
    return Kind(family) if family in {"image", "audio", "video"} else None


def _is_bitmap(head: bytes) -> bool:
    # "BM" begins many a text as well; the four bytes after the size are zero in every bitmap.
    return head[6:10] == b"\x00\x00\x00\x00" and b"\x00" in head[2:6]


def _is_drawing(head: bytes) -> bool:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1024]
    return start.startswith(b"<svg") or (start.startswith((b"<?xml", b"<!DOCTYPE svg")) and b"<svg" in start)
