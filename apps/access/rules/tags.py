"""Tags as people type and paste them: what was understood, what a store would refuse, and what changes.

Source: COS "Bucket tag overview" and PUT Bucket tagging, 2026-08.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.storage.features import TagLimits
from apps.storage.tags import Tag

PASTED_MAX = 1000


@dataclass(frozen=True)
class Pasted:
    """What was understood of a text, and the lines that were not, each with a sentence."""

    tags: tuple[Tag, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class TagDifference:
    """One tag that changes; `kind` is added, removed or changed."""

    kind: str
    key: str
    before: str
    after: str


def tags_pasted(text: str) -> Pasted:
    """Return the tags in a text: `key=value`, `key: value` or tab-separated lines, or JSON."""
    text = text.strip()
    if text[:1] in ("{", "["):
        return _json_pasted(text)
    tags: list[Tag] = []
    problems: list[str] = []
    for number, line in enumerate(text.splitlines()[:PASTED_MAX], 1):
        if not line.strip():
            continue
        tag = _line_tag(line)
        if tag is None:
            problems.append(_("Line %(number)s: no key and value in “%(line)s”.") % _line(number, line))
        else:
            tags.append(tag)
    return Pasted(tuple(tags), (*problems, *_repeated_pasted(tags)))


def tags_merged(tags: Sequence[Tag], added: Iterable[Tag]) -> list[Tag]:
    """Return tags with others put in: a key that is there gets the new value, and keeps its place."""
    values = {tag.key: tag.value for tag in (*tags, *added)}
    return [Tag(key, value) for key, value in values.items()]


def key_problem(key: str, limits: TagLimits) -> str | None:
    """Return why a tag cannot have this key, None where it can."""
    if not key.strip():
        return _("Type a key, or remove this line.")
    if len(key) > limits.key_max:
        return _("A key has at most %(limit)s characters; this one has %(count)s.") % {
            "limit": limits.key_max,
            "count": len(key),
        }
    reserved = next((text for text in limits.reserved if key.startswith(text)), None)
    if reserved:
        return _("A key cannot begin with “%(text)s”: the service keeps such keys for itself.") % {
            "text": reserved
        }
    return _characters_problem(key, limits)


def value_problem(value: str, limits: TagLimits) -> str | None:
    """Return why a tag cannot have this value, None where it can."""
    if len(value) > limits.value_max:
        return _("A value has at most %(limit)s characters; this one has %(count)s.") % {
            "limit": limits.value_max,
            "count": len(value),
        }
    return _characters_problem(value, limits)


def repeated_keys(tags: Iterable[Tag]) -> list[str]:
    """Return the keys that more than one tag has, in their order. Upper and lower case differ."""
    return [key for key, count in Counter(tag.key for tag in tags).items() if count > 1]


def tag_differences(before: Sequence[Tag], after: Sequence[Tag]) -> list[TagDifference]:
    """Return what changes from one set of tags to another; their order does not matter."""
    had, has = {tag.key: tag.value for tag in before}, {tag.key: tag.value for tag in after}
    return list(_differences(had, has))


def _differences(had: dict[str, str], has: dict[str, str]) -> Iterator[TagDifference]:
    for key, value in has.items():
        if key not in had:
            yield TagDifference("added", key, "", value)
        elif had[key] != value:
            yield TagDifference("changed", key, had[key], value)
    for key, value in had.items():
        if key not in has:
            yield TagDifference("removed", key, value, "")


def _characters_problem(text: str, limits: TagLimits) -> str | None:
    odd = next((char for char in text if not _is_allowed(char, limits)), None)
    if odd is None:
        return None
    shown = odd if odd.isprintable() else f"U+{ord(odd):04X}"
    return _("“%(char)s” is not allowed. Letters, digits, blanks and %(symbols)s are.") % {
        "char": shown,
        "symbols": " ".join(limits.symbols.replace(" ", "")),
    }


def _is_allowed(char: str, limits: TagLimits) -> bool:
    """Letters of every script, the marks that belong to them, and numbers."""
    return char in limits.symbols or unicodedata.category(char)[0] in "LMN"


def _line_tag(line: str) -> Tag | None:
    """Return the tag in a line: a tab parts it, else the first of "=" and ": ", else a bare colon.

    Keys may hold colons, and values both signs.
    """
    signs = ["\t"] if "\t" in line else [sign for sign in ("=", ": ") if sign in line]
    sign = min(signs, key=line.index, default=":")
    key, found, value = line.partition(sign)
    key, value = _unquoted(key), _unquoted(value)
    return Tag(key, value) if found and key else None


def _unquoted(text: str) -> str:
    text = text.strip().rstrip(",").strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if is_quoted else text


def _json_pasted(text: str) -> Pasted:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return Pasted((), (_("This begins like JSON, but cannot be read as JSON."),))
    pairs = list(data.items()) if isinstance(data, dict) else [_pair(one) for one in data]
    tags = [Tag(key, _value(value)) for key, value in pairs[:PASTED_MAX] if isinstance(key, str) and key]
    problems = []
    if len(tags) < len(pairs):
        problems.append(_("Some entries are no tags: an object of keys and values is expected."))
    return Pasted(tuple(tags), (*problems, *_repeated_pasted(tags)))


def _pair(one: object) -> tuple[object, object]:
    return (one.get("Key"), one.get("Value", "")) if isinstance(one, dict) else (None, "")


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _repeated_pasted(tags: Sequence[Tag]) -> list[str]:
    return [
        _("“%(key)s” comes more than once. The last value counts.") % {"key": key}
        for key in repeated_keys(tags)
    ]


def _line(number: int, line: str) -> dict[str, object]:
    return {"number": number, "line": line.strip()[:60]}
