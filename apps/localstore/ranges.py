"""The Range header: one range or none."""

from __future__ import annotations

import re

from apps.localstore.digits import whole_number
from apps.localstore.errors import StoreError

ONE_RANGE = re.compile(r"bytes=\s*([0-9]*)\s*-\s*([0-9]*)\s*")


def range_parse(header: str, size: int) -> tuple[int, int] | None:
    """Return `(start, length)` in bytes, or None when the whole object is to be sent.

    A malformed header or several ranges count as none. Raises InvalidRange
    when the range starts behind the end.
    """
    match = ONE_RANGE.fullmatch(header)
    if not match:
        return None
    first, last = whole_number(match[1]), whole_number(match[2])
    if first is None:
        if last is None:
            return None
        if not last:
            raise StoreError("InvalidRange")
        start, end = max(0, size - last), size - 1
    else:
        if last is not None and last < first:
            return None
        start, end = first, size - 1 if last is None else min(last, size - 1)
    if start >= size:
        raise StoreError("InvalidRange")
    return start, end - start + 1


def copy_range_parse(header: str, size: int) -> tuple[int, int]:
    """Return `(start, length)` of `x-cos-copy-source-range`, which must lie within the source."""
    if not header:
        return 0, size
    match = ONE_RANGE.fullmatch(header)
    first, last = (whole_number(match[1]), whole_number(match[2])) if match else (None, None)
    if first is None or last is None or first > last:
        raise StoreError("InvalidArgument", "x-cos-copy-source-range must be bytes=first-last.")
    if last >= size:
        raise StoreError("InvalidRange")
    return first, last - first + 1
