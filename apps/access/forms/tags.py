"""The tags of a bucket as lines of a page: everything typed is kept until it is saved or thrown away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from apps.access.forms.cors import DocumentDamaged
from apps.access.rules.cors_documents import is_whole
from apps.access.rules.tags import key_problem, repeated_keys, value_problem
from apps.storage.features import TagLimits
from apps.storage.tags import Tag

LINES_MAX = 1000


@dataclass(frozen=True)
class TagLine:
    """One line with what is wrong with it, beside the field that it is about."""

    tag: Tag
    key_error: str = ""
    value_error: str = ""


def tags_posted(data: QueryDict) -> list[Tag]:
    """Return the lines of a page as they were typed. A line with nothing in it is none."""
    text = data.get("lines", "0")
    count = min(int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0, LINES_MAX)
    return [Tag(data.get(f"t{number}-key", ""), data.get(f"t{number}-value", "")) for number in range(count)]


def tags_typed(tags: Sequence[Tag]) -> list[Tag]:
    """Return the lines in which something stands."""
    return [tag for tag in tags if tag.key.strip() or tag.value.strip()]


def lines_checked(tags: Sequence[Tag], *, limits: TagLimits, kept: Sequence[Tag] = ()) -> list[TagLine]:
    """Return each line with what the store would refuse. A tag that it has already needs no checking."""
    repeated = set(repeated_keys(tags))
    return [_line(tag, limits, is_kept=tag in kept, is_repeated=tag.key in repeated) for tag in tags]


def count_problem(tags: Sequence[Tag], limits: TagLimits) -> str:
    """Return why there are too many tags, "" where there are not."""
    if len(tags) <= limits.count_max:
        return ""
    return _("These are %(count)s tags; a bucket has at most %(limit)s. Remove some.") % {
        "count": len(tags),
        "limit": limits.count_max,
    }


def tags_text(tags: Sequence[Tag]) -> str:
    """Return tags for the hidden field of a page."""
    return json.dumps([[tag.key, tag.value] for tag in tags])


def tags_carried(text: str) -> list[Tag]:
    """Return the tags in the hidden field of a page; raises DocumentDamaged."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise DocumentDamaged from None
    tags = []
    for pair in data if isinstance(data, list) else [None]:
        match pair:
            case [str(key), str(value)] if is_whole(key) and is_whole(value):
                tags.append(Tag(key, value))
            case _other:
                raise DocumentDamaged
    return tags


def _line(tag: Tag, limits: TagLimits, *, is_kept: bool, is_repeated: bool) -> TagLine:
    key_error = "" if is_kept else key_problem(tag.key, limits) or ""
    if is_repeated and not key_error:
        key_error = _("This key comes more than once. A bucket has each key once.")
    return TagLine(tag, key_error, "" if is_kept else value_problem(tag.value, limits) or "")
