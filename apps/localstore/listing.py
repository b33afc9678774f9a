"""Pages of keys: seek to where the page starts, and skip past each common prefix.

The work for a page depends on what is on the page and never on how many keys
the bucket, or a folder that is folded into one line, holds.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

ROW = "key, size, etag, modified_ms, storage_class, owner"
Row = tuple[bytes, int, str, int, str, str]


@dataclass
class Page:
    """One page. `marker` is the last key or common prefix on it when more follow."""

    rows: list[Row] = field(default_factory=list)
    prefixes: list[bytes] = field(default_factory=list)
    truncated: bool = False
    marker: bytes = b""

    @property
    def size(self) -> int:
        """Return how many lines the page has; keys and common prefixes count alike."""
        return len(self.rows) + len(self.prefixes)


def successor(prefix: bytes) -> bytes | None:
    """Return the smallest bytes above everything that starts with `prefix`; None when there is no end."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None


def common_prefix(key: bytes, prefix: bytes, delimiter: bytes) -> bytes | None:
    """Return the key up to and with the first delimiter after the prefix, if there is one."""
    at = key.find(delimiter, len(prefix)) if delimiter else -1
    return None if at < 0 else key[: at + len(delimiter)]


def page_read(
    db: sqlite3.Connection, bucket: str, *, prefix: bytes, delimiter: bytes, marker: bytes, limit: int
) -> Page:
    """Return up to `limit` keys and common prefixes after the marker, in byte order.

    A marker that is itself a common prefix skips the whole prefix. Source: GET
    Bucket (List Objects), 2024-12.
    """
    page = Page()
    low, inclusive = _start(prefix, delimiter, marker)
    end = successor(prefix)
    while limit and low is not None and (end is None or low < end):
        low, inclusive = _walk(db, bucket, page, (low, inclusive, end), (prefix, delimiter, limit))
    return page


def _start(prefix: bytes, delimiter: bytes, marker: bytes) -> tuple[bytes | None, bool]:
    if marker < prefix:
        return prefix, True
    if common_prefix(marker, prefix, delimiter) == marker:
        return successor(marker), True
    return marker, False


def _walk(
    db: sqlite3.Connection,
    bucket: str,
    page: Page,
    bounds: tuple[bytes, bool, bytes | None],
    wanted: tuple[bytes, bytes, int],
) -> tuple[bytes | None, bool]:
    """Step along the keys until the page is full or a common prefix repeats; return where to seek next.

    Prefixes are only sought past once a second key of one shows up: folders
    of one key are cheaper to step over.
    """
    low, inclusive, end = bounds
    prefix, delimiter, limit = wanted
    sql = f"SELECT {ROW} FROM objects WHERE bucket=? AND key{'>=' if inclusive else '>'}?"  # noqa: S608
    values: list[object] = [bucket, low]
    if end is not None:
        sql, values = sql + " AND key<?", [*values, end]
    for row in db.execute(sql + " ORDER BY key", values):
        folded = common_prefix(row[0], prefix, delimiter)
        if folded is not None and page.prefixes and page.prefixes[-1] == folded:
            return _skip(db, bucket, page, end, wanted), True
        if page.size == limit:
            page.truncated = True
            return None, True
        if folded is None:
            page.rows.append(row)
        else:
            page.prefixes.append(folded)
        page.marker = folded or row[0]
    return None, True


# One step of SQLite's from a folder to the next takes a third of the time of a query of ours, of which a page
# would need a thousand. It ends at a key that is in no folder, or with the keys.
SKIP = """
WITH RECURSIVE folder(name) AS (
    VALUES(:name) UNION ALL
    SELECT (SELECT CASE instr(substr(key, :start), :delimiter) WHEN 0 THEN NULL
                   ELSE substr(key, 1, :start + :width + instr(substr(key, :start), :delimiter)) END
            FROM objects WHERE bucket=:bucket
            AND key>=CAST(substr(name, 1, length(name) - 1) || :after AS BLOB) {end} ORDER BY key LIMIT 1)
    FROM folder WHERE name IS NOT NULL LIMIT :steps)
SELECT name FROM folder WHERE name IS NOT NULL LIMIT -1 OFFSET 1
"""


def _skip(
    db: sqlite3.Connection, bucket: str, page: Page, end: bytes | None, wanted: tuple[bytes, bytes, int]
) -> bytes | None:
    """Put the common prefixes that follow the page's last one on it, and return where to seek next."""
    prefix, delimiter, limit = wanted
    last = page.prefixes[-1]
    if delimiter[-1] < 0xFF and page.size < limit:
        values = {
            "name": last, "delimiter": delimiter, "after": bytes([delimiter[-1] + 1]), "bucket": bucket,
            "start": len(prefix) + 1, "width": len(delimiter) - 2, "steps": limit - page.size + 1, "end": end,
        }  # fmt: skip
        found = db.execute(SKIP.format(end="" if end is None else "AND key<:end"), values)
        page.prefixes += [name for (name,) in found]
        page.marker = last = page.prefixes[-1]
    return successor(last)
