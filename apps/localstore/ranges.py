"""The Range header: one range or none."""

from __future__ import annotations

import re

from apps.localstore.errors import StoreError

ONE_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*")


def range_parse(header: str, size: int) -> tuple[int, int] | None:
    """Return `(start, length)` in bytes, or None when the whole object is to be sent.

    A malformed header or several ranges count as none. Raises InvalidRange
    when the range starts behind the end.
    """
    match = ONE_RANGE.fullmatch(header)
    if not match or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, end = max(0, size - int(match[2])), size - 1
        if not int(match[2]):
            raise StoreError("InvalidRange")
    else:
        start, end = int(match[1]), min(int(match[2] or size - 1), size - 1)
        if match[2] and int(match[2]) < start:
            return None
    if start >= size:
        raise StoreError("InvalidRange")
    return start, end - start + 1


def copy_range_parse(header: str, size: int) -> tuple[int, int]:
    """Return `(start, length)` of `x-cos-copy-source-range`, which must lie within the source."""
    if not header:
        return 0, size
    match = ONE_RANGE.fullmatch(header)
    if not match or not match[1] or not match[2] or int(match[1]) > int(match[2]):
        raise StoreError("InvalidArgument", "x-cos-copy-source-range must be bytes=first-last.")
    if int(match[2]) >= size:
        raise StoreError("InvalidRange")
    return int(match[1]), int(match[2]) - int(match[1]) + 1
