"""Reading our own pages back, as a browser would."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if tag == "a" and name == "href"]


def hrefs_of(page: str) -> list[str]:
    """Return the address of every link on a page, unescaped."""
    links = _Links()
    links.feed(page)
    return links.found


def link_of(page: str, rel: str) -> str:
    """Return the address of the link with this relation, such as `next`."""
    start = page.index(f'rel="{rel}" href="') + len(f'rel="{rel}" href="')
    return unescape(page[start : page.index('"', start)])
