"""Takes single values out of the store's records, which may lack them or hold something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.storage import errors
from apps.storage.cos.digits import whole_number

_CRC64_MAX = (1 << 64) - 1
# 64 bits, as every size that the store itself can count.
_SIZE_MAX = (1 << 63) - 1


def record_text(record: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """Return the text called `name`, or `default` where it is absent or empty; raises Unavailable."""
    value = record.get(name) or default
    if not isinstance(value, str):
        raise errors.Unavailable(f"The store's answer has no usable {name} in it.")
    return value


def record_number(record: Mapping[str, Any], name: str, default: str | None = None) -> int:
    """Return the count, size or number called `name`; raises Unavailable for anything else."""
    number = size_text(record_text(record, name, default))
    if number is None:
        raise errors.Unavailable(f"The store's answer has no usable {name} in it.")
    return number


def size_text(text: str) -> int | None:
    """Return a size, None for text that is none."""
    number = whole_number(text)
    return number if number is not None and number <= _SIZE_MAX else None


def object_size(fields: Mapping[str, Any]) -> int:
    """Return the size in bytes that Head Object says, 0 after a 304, which carries none of its own.

    Raises Unavailable when a whole answer does not say it: an object of unknown size is not an empty one.
    """
    return record_number(fields, "content-length", "0" if fields["NotModified"] else None)


def crc64_text(text: object) -> str | None:
    """Return a CRC-64, None for what is none: a digest that cannot be compared is no digest."""
    number = whole_number(text) if isinstance(text, str) else None
    return str(number) if number is not None and number <= _CRC64_MAX else None


def next_marker(page: Mapping[str, Any], marker: str) -> str | None:
    """Return where the page behind `marker` goes on, None after the last one.

    Raises Unavailable when a truncated page does not say where, or not behind `marker`: the list would be
    taken for whole, or be read for ever.
    """
    if page["IsTruncated"] != "true":
        return None
    found = str(page["NextMarker"])
    if not found:
        raise errors.Unavailable("The store says that more follows in its list, but not where.")
    if found.encode() <= marker.encode():
        raise errors.Unavailable("The store's list does not advance.")
    return found
