"""The rows of the objects page as ready HTML.

A page holds up to a thousand rows. Template tags and filters per row cost ten times what the store's answer
costs, so a row is one f-string, and everything that is the same in all rows is made once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.storage.keys import key_name, key_pieces, key_query, visible
from apps.storage.sizes import size_text
from apps.storage.types import Listing, ObjectSummary

# Columns that a phone has no room for; the object's own page has the same facts and actions.
WIDE = "d-none d-md-table-cell"


@dataclass(frozen=True)
class ListQuery:
    """Which page of which folder. `first` is the number of its first row."""

    prefix: str
    find: str
    marker: str
    limit: int
    first: int
    trail: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class RowWords:
    """What all rows of a page share: addresses that only lack a key, and words in the reader's language.

    The addresses end in `=`. `copy` and `delete` are None for a person who may not; `denied` says why.
    """

    folder: str
    detail: str
    download: str
    copy: str | None
    delete: str | None
    denied: str
    download_label: str
    copy_label: str
    delete_label: str
    folder_icon: str
    object_icon: str
    download_icon: str
    copy_icon: str
    delete_icon: str
    zone: tzinfo


def rows_html(listing: Listing, *, prefix: str, words: RowWords) -> SafeString:
    """Return the folders, then the objects of a listing as table rows.

    The 0-byte object that a folder leaves under its own name is not a row of that folder.
    """
    rows = [_folder_row(folder, words) for folder in listing.prefixes]
    object_row = _object_row(words)
    rows += [object_row(summary) for summary in listing.objects if not is_marker(summary, prefix)]
    return mark_safe("".join(rows))  # noqa: S308 - every key below is escaped or percent-encoded.


def is_marker(summary: ObjectSummary, prefix: str) -> bool:
    """Return whether this is the empty object that stands for the folder itself."""
    return summary.key == prefix and summary.size == 0


def key_html(key: str) -> str:
    """Return a key for people: escaped, isolated from the text around it, with signs for what hides."""
    pieces = "".join(
        f'<span class="sign">{piece}</span>' if is_sign else escape(piece)
        for piece, is_sign in key_pieces(key)
    )
    return f'<bdi class="key">{pieces}</bdi>'


def summary_of(query: ListQuery, count: int, *, has_more: bool) -> str:
    """Return what the page covers. It claims a total only when it has seen the end from the beginning."""
    if has_more and not count:
        return _("Nothing on this page, more follow")
    numbers = {
        "first": query.first,
        "last": query.first + count - 1,
        "find": visible(query.find),
        "count": count,
    }
    if has_more:
        return _("%(first)s–%(last)s, more follow") % numbers
    if query.marker:
        return _("%(first)s–%(last)s, the end of this folder") % numbers
    if query.find:
        return (
            ngettext(
                "Showing %(count)s name starting with “%(find)s”",
                "Showing all %(count)s names starting with “%(find)s”",
                count,
            )
            % numbers
        )
    return _("Showing %(count)s, all of this folder") % numbers


def _folder_row(folder: str, words: RowWords) -> str:
    return (
        f'<tr><th scope="row"><a class="row-name" href="{words.folder}{key_query(folder)}">'
        f"{words.folder_icon}{key_html(key_name(folder))}</a></th>"
        f'<td class="num">–</td><td class="{WIDE}">–</td><td>–</td><td class="{WIDE}"></td></tr>'
    )


def _object_row(words: RowWords) -> Callable[[ObjectSummary], str]:
    """Return the function that makes one row; the parts that never change are bound once."""
    detail = f'<tr><th scope="row"><a class="row-name" href="{words.detail}'
    icon = f'">{words.object_icon}'
    download = f'</td><td class="row-actions {WIDE}"><a class="tool" href="{words.download}'
    download_end = _link_end(words.download_icon, words.download_label)
    copy, copy_end = _action(words.copy, words.copy_icon, words.copy_label, words.denied)
    delete, delete_end = _action(words.delete, words.delete_icon, words.delete_label, words.denied)
    copy_takes_key, delete_takes_key = words.copy is not None, words.delete is not None
    zone = words.zone

    def row(summary: ObjectSummary) -> str:
        query = key_query(summary.key)
        return (
            f"{detail}{query}{icon}{key_html(key_name(summary.key))}</a></th>"
            f'<td class="num" title="{summary.size:,}">{size_text(summary.size)}</td>'
            f'<td class="{WIDE}">{_time_html(summary.modified_at, zone)}</td>'
            f"<td>{escape(summary.storage_class)}{download}{query}{download_end}"
            f"{copy}{query if copy_takes_key else ''}{copy_end}"
            f"{delete}{query if delete_takes_key else ''}{delete_end}</td></tr>"
        )

    return row


def _action(address: str | None, icon: str, label: str, denied: str) -> tuple[str, str]:
    """Return what stands before and after the key: a link, or the dead button that says what is missing."""
    if address is None:
        title = escape(f"{label}: {denied}")
        names = f'title="{title}" aria-label="{title}"'
        return f'<span class="tool opacity-50" role="link" aria-disabled="true" {names}>', f"{icon}</span>"
    return f'<a class="tool" href="{address}', _link_end(icon, label)


def _link_end(icon: str, label: str) -> str:
    text = escape(label)
    return f'" title="{text}" aria-label="{text}">{icon}</a>'


def _time_html(moment: datetime | None, zone: tzinfo) -> str:
    if moment is None:
        return "–"
    local = moment.astimezone(zone).isoformat(" ", "seconds")
    return f'<time datetime="{local}" title="{local}">{local[:16]}</time>'
