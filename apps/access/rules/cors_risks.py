"""What a store accepts and somebody may regret: rules that open too much, and rules that never work."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from apps.access.rules.cors import EVERYBODY, WRITES, is_everybody, is_for_the_taking, pattern_fits
from apps.storage.cors import CorsRule

LONG_S = 86_400
_KEY_HEADERS = ("authorization", "x-cos-security-token")
_SECRET_ANSWERS = ("authorization", "set-cookie", "x-cos-security-token")
_DEVELOPMENT = re.compile(
    r"https?://(localhost|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|[^/:]*\.(test|local|localhost)\b)",
    re.I,
)
_DEFAULT_PORTS = (("https://", ":443"), ("http://", ":80"))


class Level(StrEnum):
    """How bad it is. DANGER wants a typed word before it is saved."""

    DANGER = "danger"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Risk:
    """One thing to know about rule `number`, which counts from 1."""

    number: int
    level: Level
    text: str


def cors_risks(rules: Sequence[CorsRule]) -> list[Risk]:
    """Return what to think about before these rules are saved, by rule, the worst first."""
    order = list(Level)
    found = []
    for number, rule in enumerate(rules, 1):
        risks = [Risk(number, level, text) for level, text in _rule_risks(rule)]
        risks += _shadow(rules[: number - 1], number, rule)
        found += sorted(risks, key=lambda risk: order.index(risk.level))
    return found


def exposures(rules: Sequence[CorsRule]) -> frozenset[tuple[str, str]]:
    """Return what sites that anybody can make may do: pairs of a writing method and a header, "" for none.

    Saving what is not in here yet is exposing; what is there already was decided before.
    """
    return frozenset(
        (method, header.lower())
        for rule in rules
        if any(map(is_for_the_taking, rule.origins))
        for method in _writes(rule)
        for header in ("", *rule.allowed_headers)
    )


def _writes(rule: CorsRule) -> list[str]:
    return [method for method in rule.methods if method in WRITES]


def _rule_risks(rule: CorsRule) -> Iterator[tuple[Level, str]]:
    if any(is_everybody(origin) for origin in rule.origins):
        yield from _open_to_all(rule)
    yield from _origin_risks(rule)
    yield from _header_risks(rule)
    yield from _age_risks(rule)


def _open_to_all(rule: CorsRule) -> Iterator[tuple[Level, str]]:
    writes = _writes(rule)
    if writes:
        yield (
            Level.DANGER,
            _(
                "Pages of every site on the web may send %(methods)s here. Whoever holds a signed address "
                "or a key, and opens a hostile page, lends it to that page."
            )
            % {"methods": ", ".join(writes)},
        )
    else:
        yield (
            Level.NOTE,
            _("Pages of every site may read what they can open. That is right for public files only."),
        )
    names = {name.lower() for name in rule.allowed_headers}
    if EVERYBODY in names or names & set(_KEY_HEADERS):
        yield (
            Level.WARNING,
            _("Pages of every site may send signatures and keys in headers. Name the sites, or the headers."),
        )


def _origin_risks(rule: CorsRule) -> Iterator[tuple[Level, str]]:
    for origin in rule.origins:
        if _DEVELOPMENT.match(origin):
            yield Level.WARNING, _("%(origin)s is a place for development.") % {"origin": origin}
        elif origin.lower().startswith("http://"):
            yield (
                Level.WARNING,
                _("%(origin)s is not encrypted: whoever sits on the line can pose as it.")
                % {"origin": origin},
            )
        if is_for_the_taking(origin) and not is_everybody(origin):
            yield (
                Level.DANGER if _writes(rule) else Level.WARNING,
                _("%(origin)s: anybody can register a host that fits.") % {"origin": origin},
            )
        elif EVERYBODY in origin and not is_everybody(origin):
            yield (
                Level.WARNING if _writes(rule) else Level.NOTE,
                _("%(origin)s stands for many hosts. One of them that is given up or taken over gets in.")
                % {"origin": origin},
            )
        if origin.lower() == "null":
            yield Level.WARNING, _("“null” is every sandboxed frame and every local file.")
        if origin.endswith("/"):
            yield (
                Level.WARNING,
                _("%(origin)s never fits: browsers send an origin without the / at its end.")
                % {"origin": origin},
            )
        if any(origin.lower().startswith(s) and origin.endswith(port) for s, port in _DEFAULT_PORTS):
            yield (
                Level.WARNING,
                _("%(origin)s never fits: browsers leave the usual port out.") % {"origin": origin},
            )


def _header_risks(rule: CorsRule) -> Iterator[tuple[Level, str]]:
    if EVERYBODY in rule.allowed_headers and _writes(rule):
        yield Level.WARNING, _("Any header may be sent along with a write. Name those that the page needs.")
    partial = [name for name in rule.allowed_headers if EVERYBODY in name and name != EVERYBODY]
    if partial:
        yield (
            Level.WARNING,
            _("%(name)s: the documentation knows * alone, or whole names. Try it in the lab.")
            % {"name": ", ".join(partial)},
        )
    secrets = [name for name in rule.exposed_headers if name.lower() in _SECRET_ANSWERS]
    if secrets:
        yield Level.WARNING, _("Pages may read %(names)s.") % {"names": ", ".join(secrets)}
    if "PUT" in rule.methods and "etag" not in {name.lower() for name in rule.exposed_headers}:
        yield Level.NOTE, _("Pages cannot read ETag, so that no upload in parts can be completed from them.")


def _age_risks(rule: CorsRule) -> Iterator[tuple[Level, str]]:
    if rule.max_age_s is None:
        if not any(name == "MaxAgeSeconds" for name, _text in rule.extras):
            yield Level.NOTE, _("Browsers decide how long they remember this; 600 seconds are usual.")
    elif rule.max_age_s > LONG_S:
        yield Level.NOTE, _("Browsers remember this for more than a day, and see no change until then.")


def _shadow(earlier: Sequence[CorsRule], number: int, rule: CorsRule) -> list[Risk]:
    for before, other in enumerate(earlier, 1):
        if _covers(other, rule):
            text = _("Never used: rule %(number)s fits everything that this one does, and comes first.")
            return [Risk(number, Level.WARNING, text % {"number": before})]
    return []


def _covers(other: CorsRule, rule: CorsRule) -> bool:
    return (
        set(rule.methods) <= set(other.methods)
        and all(any(_pattern_covers(wide, one) for wide in other.origins) for one in rule.origins)
        and all(
            any(_pattern_covers(wide, one) for wide in other.allowed_headers) for one in rule.allowed_headers
        )
    )


def _all_covered(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    return all(any(_pattern_covers(pattern, one) for pattern in wide) for one in narrow)


def _pattern_covers(wide: str, narrow: str) -> bool:
    """Tell whether everything that fits `narrow` fits `wide`. A star in `narrow` is longer than any text."""
    if EVERYBODY not in narrow:
        return pattern_fits(wide, narrow)
    head, star, tail = wide.lower().partition(EVERYBODY)
    first, _star, last = narrow.lower().partition(EVERYBODY)
    return bool(star) and first.startswith(head) and last.endswith(tail)
