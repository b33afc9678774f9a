"""The rows of the objects page as ready HTML.

A page holds up to a thousand rows. Template tags and filters per row cost ten times what the store's answer
costs, so a row is one f-string, and everything that is the same in all rows is made once. Icons are drawn by
the style sheet: a thousand `<use>` elements would cost the browser more than all the rest of the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from html import escape
from itertools import repeat

from django.utils.safestring import SafeString, mark_safe

from apps.objects.columns import Layout
from apps.storage.keys import key_name, key_pieces, key_query
from apps.storage.sizes import size_text
from apps.storage.types import Listing, ObjectSummary

# One column's cells, row by row. A call for each cell would cost as much as what is in it.
Cells = Iterable[str]

# Nothing to escape, nothing that hides: what nearly all keys are, and five times cheaper.
_is_plain = re.compile(r"[\w./-](?:[\w ./-]*[\w./-])?", re.ASCII).fullmatch
# And nothing that an address would encode.
_is_bare = re.compile(r"[\w./-]+", re.ASCII).fullmatch


NOTHING = "&#8211;"


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
    folder_row = _folder_row(words)
    rows = [folder_row(folder, number) for number, folder in enumerate(listing.prefixes)]
    rows += _object_rows(listing.objects, len(rows), words, read)
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


def _ascii(text: str) -> str:
    """Return text escaped, and as ASCII: one other character makes a row twice as large until it is sent."""
    return escape(text).encode("ascii", "xmlcharrefreplace").decode()


def _folder_row(words: RowWords) -> Callable[[str, int], str]:
    cells = "".join(f'<td class="c-{name}">{NOTHING}</td>' for name in words.layout.columns if name != "size")
    has_size = "size" in words.layout.columns
    measure, label = words.measure, _ascii(words.measure_label)

    def size(query: str) -> str:
        if not measure:
            return f'<td class="c-size">{NOTHING}</td>'
        return (
            f'<td class="c-size"><a class="measure" href="{measure}{query}" hx-get="{measure}{query}"'
            f' hx-target="closest td" hx-swap="innerHTML">{label}</a></td>'
        )

    def row(folder: str, number: int) -> str:
        query = folder if _is_bare(folder) else key_query(folder)
        measured = size(query) if has_size else ""
        return (
            f'<tr><td class="c-pick"><input class="form-check-input" type="checkbox" name="folder"'
            f' value="{query}" aria-labelledby="r{number}"></td>'
            f'<th scope="row"><a class="row-name is-folder" id="r{number}" href="{words.folder}{query}">'
            f"{key_html(key_name(folder))}</a></th>"
            f'{measured}{cells}<td class="row-actions"></td></tr>'
        )

    return row


def _object_rows(
    objects: Sequence[ObjectSummary], start: int, words: RowWords, read: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """Yield the rows, numbered from `start`; the parts that never change are made once."""
    columns = [_column(name, objects, words, read) for name in words.layout.columns]
    middles = map("".join, zip(*columns, strict=True)) if columns else repeat("", len(objects))
    detail = f'" href="{words.detail}'
    download = f'<td class="row-actions"><a class="tool row-download" href="{words.download}'
    end = f'" title="{_ascii(words.download_label)}"></a></td></tr>'
    for number, (summary, middle) in enumerate(zip(objects, middles, strict=True), start):
        key = summary.key
        if _is_bare(key):
            query, shown = key, f'<bdi class="key">{key_name(key)}</bdi>'
        else:
            query, shown = key_query(key), key_html(key_name(key))
        yield (
            f'<tr><td class="c-pick"><input class="form-check-input" type="checkbox" name="key"'
            f' value="{query}" data-size="{summary.size}" aria-labelledby="r{number}"></td>'
            f'<th scope="row"><a class="row-name" id="r{number}{detail}{query}">'
            f"{shown}</a></th>{middle}{download}{query}{end}"
        )


def _column(
    name: str, objects: Sequence[ObjectSummary], words: RowWords, read: Mapping[str, Mapping[str, str]]
) -> Cells:
    match name:
        case "size":
            sizes = [row.size for row in objects]
            return [f'<td class="c-size" title="{size:,}">{size_text(size)}</td>' for size in sizes]
        case "changed":
            return _changed_cells(objects, words.zone)
        case "class":
            classes = [row.storage_class for row in objects]
            cells = {each: f'<td class="c-class">{escape(each)}</td>' for each in set(classes)}
            return [cells[each] for each in classes]
        case "etag":
            return [f'<td class="c-etag"><code>{escape(row.etag)}</code></td>' for row in objects]
        case "owner":
            return [f'<td class="c-owner">{escape(row.owner_id) or NOTHING}</td>' for row in objects]
        case _unread:
            return _read_cells(name, objects, words, read)


def _read_cells(
    name: str, objects: Sequence[ObjectSummary], words: RowWords, read: Mapping[str, Mapping[str, str]]
) -> Cells:
    """Return the cells of a column that takes a request of its own; the button asks for it."""
    button = f'<button class="unread" type="submit" form="checks">{_ascii(words.unread_label)}</button>'
    unread = f'<td class="c-{name}" data-unread="{name}">{button}</td>'
    if not read:
        return repeat(unread, len(objects))
    found = [read.get(row.key, {}).get(name) for row in objects]
    return [f'<td class="c-{name}">{text}</td>' if text else unread for text in found]


def _changed_cells(objects: Sequence[ObjectSummary], zone: tzinfo) -> Cells:
    # The store's moments are in UTC as Python knows it, and another object for UTC is not the same.
    own = UTC if str(zone) == "UTC" else zone
    for summary in objects:
        moment = summary.modified_at
        if moment is None:
            yield f'<td class="c-changed">{NOTHING}</td>'
            continue
        if moment.tzinfo is not own:
            moment = moment.astimezone(own)
        local = moment.isoformat(" ", "seconds")
        yield f'<td class="c-changed" title="{local}">{local[:16]}</td>'
