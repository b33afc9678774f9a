"""Which columns a person looks at, and how close together: in a cookie, so that the server draws them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

COOKIE = "console_columns"
COOKIE_AGE_S = 365 * 24 * 3600

COLUMNS = ("size", "changed", "class", "access", "type", "cache", "etag", "owner")
DEFAULT = ("size", "changed", "class", "access")
# A listing does not tell these: each takes a request of its own per object.
BY_HEAD = frozenset({"type", "cache"})
BY_ACL = frozenset({"access"})


@dataclass(frozen=True)
class Layout:
    """The columns beside the name, in their fixed order."""

    columns: tuple[str, ...] = DEFAULT
    is_compact: bool = False

    @property
    def has_unread(self) -> bool:
        """Return whether there is a column that the listing cannot fill."""
        return not (BY_HEAD | BY_ACL).isdisjoint(self.columns)


def layout_of(columns: Iterable[str], *, is_compact: bool) -> Layout:
    """Return a layout of the columns that exist; anything else is ignored."""
    chosen = set(columns)
    return Layout(tuple(name for name in COLUMNS if name in chosen), is_compact)


def layout_read(cookie: str | None) -> Layout:
    """Return what a cookie says. One that was never set or is not ours gives the default."""
    words = (cookie or "").split(".")
    if words[0] != "1":
        return Layout()
    return layout_of(words[1:], is_compact="compact" in words)


def layout_write(layout: Layout) -> str:
    return ".".join(["1", *layout.columns, *(["compact"] if layout.is_compact else [])])
