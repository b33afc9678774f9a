"""The rows of the objects page as ready HTML.

A page holds up to a thousand rows. Template tags and filters per row cost ten times what the store's answer
costs, so a row is one f-string, and everything that is the same in all rows is made once. Icons are drawn by
the style sheet: a thousand `<use>` elements would cost the browser more than all the rest of the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from html import escape

from django.utils.safestring import SafeString, mark_safe

from apps.objects.columns import Layout
from apps.storage.keys import key_name, key_pieces, key_query
from apps.storage.sizes import size_text
from apps.storage.types import Listing, ObjectSummary

Cell = Callable[[ObjectSummary], str]

# Nothing to escape, nothing that hides: what nearly all keys are, and five times cheaper.
_is_plain = re.compile(r"[\w./-](?:[\w ./-]*[\w./-])?", re.ASCII).fullmatch


@dataclass(frozen=True)
class RowWords:
    """What all rows of a page share: addresses that only lack a key, and words in the reader's language.

    The addresses end in `=`; `measure` is empty where folders cannot be measured.
    """

    folder: str
    detail: str
    download: str
    measure: str
    download_label: str
    measure_label: str
    unread_label: str
    zone: tzinfo
    layout: Layout = field(default_factory=Layout)


def rows_html(listing: Listing, words: RowWords, *, read: Mapping[str, Mapping[str, str]]) -> SafeString:
    """Return the folders, then the objects of a listing as table rows.

    The buttons that need a script are put in by the script. `read` has ready cells by key and column, of
    what the listing does not tell.
    """
    folder_row, object_row = _folder_row(words), _object_row(words, read)
    rows = [folder_row(folder, number) for number, folder in enumerate(listing.prefixes)]
    start = len(rows)
    rows += [object_row(summary, number) for number, summary in enumerate(listing.objects, start)]
    return mark_safe("".join(rows))  # noqa: S308 - every key below is escaped or percent-encoded.


def key_html(key: str) -> str:
    """Return a key for people: escaped, isolated from the text around it, with signs for what hides."""
    if _is_plain(key):
        return f'<bdi class="key">{key}</bdi>'
    pieces = "".join(
        f'<span class="sign">{piece}</span>' if is_sign else escape(piece)
        for piece, is_sign in key_pieces(key)
    )
    return f'<bdi class="key">{pieces}</bdi>'


def _folder_row(words: RowWords) -> Callable[[str, int], str]:
    cells = "".join(f'<td class="c-{name}">–</td>' for name in words.layout.columns if name != "size")
    has_size = "size" in words.layout.columns
    measure, label = words.measure, escape(words.measure_label)

    def size(query: str) -> str:
        if not measure:
            return '<td class="c-size">–</td>'
        return (
            f'<td class="c-size"><a class="measure" href="{measure}{query}" hx-get="{measure}{query}"'
            f' hx-target="closest td" hx-swap="innerHTML">{label}</a></td>'
        )

    def row(folder: str, number: int) -> str:
        query = key_query(folder)
        measured = size(query) if has_size else ""
        return (
            f'<tr><td class="c-pick"><input class="form-check-input" type="checkbox" name="folder"'
            f' value="{query}" aria-labelledby="r{number}"></td>'
            f'<th scope="row"><a class="row-name is-folder" id="r{number}" href="{words.folder}{query}">'
            f"{key_html(key_name(folder))}</a></th>"
            f'{measured}{cells}<td class="row-actions"></td></tr>'
        )

    return row


def _object_row(
    words: RowWords, read: Mapping[str, Mapping[str, str]]
) -> Callable[[ObjectSummary, int], str]:
    """Return the function that makes one row; the parts that never change are bound once."""
    cells = [_cell(name, words, read) for name in words.layout.columns]
    detail = f'" href="{words.detail}'
    download = f'<td class="row-actions"><a class="tool row-download" href="{words.download}'
    end = f'" title="{escape(words.download_label)}"></a></td></tr>'

    def row(summary: ObjectSummary, number: int) -> str:
        key = summary.key
        query = key_query(key)
        name = key[key.rfind("/", 0, len(key) - 1) + 1 :]
        shown = f'<bdi class="key">{name}</bdi>' if _is_plain(name) else key_html(name)
        middle = "".join([cell(summary) for cell in cells])
        return (
            f'<tr><td class="c-pick"><input class="form-check-input" type="checkbox" name="key"'
            f' value="{query}" data-size="{summary.size}" aria-labelledby="r{number}"></td>'
            f'<th scope="row"><a class="row-name" id="r{number}{detail}{query}">'
            f"{shown}</a></th>{middle}{download}{query}{end}"
        )

    return row


def _cell(name: str, words: RowWords, read: Mapping[str, Mapping[str, str]]) -> Cell:
    match name:
        case "size":
            return lambda s: f'<td class="c-size" title="{s.size:,}">{size_text(s.size)}</td>'
        case "changed":
            zone = words.zone
            return lambda s: _changed_cell(s.modified_at, zone)
        case "class":
            kept: dict[str, str] = {}
            return lambda s: (
                kept.get(s.storage_class)
                or kept.setdefault(s.storage_class, f'<td class="c-class">{escape(s.storage_class)}</td>')
            )
        case "etag":
            return lambda s: f'<td class="c-etag"><code>{escape(s.etag)}</code></td>'
        case "owner":
            return lambda s: f'<td class="c-owner">{escape(s.owner_id) or "–"}</td>'
        case _unread:
            return _read_cell(name, words, read)


def _read_cell(name: str, words: RowWords, read: Mapping[str, Mapping[str, str]]) -> Cell:
    """Return the cell of a column that takes a request of its own; the button asks for it."""
    button = f'<button class="unread" type="submit" form="checks">{escape(words.unread_label)}</button>'
    unread = f'<td class="c-{name}" data-unread="{name}">{button}</td>'
    if not read:
        return lambda _summary: unread

    def cell(summary: ObjectSummary) -> str:
        found = read.get(summary.key, {}).get(name)
        return f'<td class="c-{name}">{found}</td>' if found else unread

    return cell


def _changed_cell(moment: datetime | None, zone: tzinfo) -> str:
    if moment is None:
        return '<td class="c-changed">–</td>'
    if moment.tzinfo is not zone:
        moment = moment.astimezone(zone)
    local = moment.isoformat(" ", "seconds")
    return f'<td class="c-changed" title="{local}">{local[:16]}</td>'
