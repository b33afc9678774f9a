"""What CORS rules answer to a browser, worked out instead of asked: which rule decides, and why.

Source: COS "Setting cross-origin access", PUT Bucket cors and OPTIONS Object, 2026-08. The first rule that
fits the origin, the method and every header decides alone; a `*` stands for any run of characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.storage.cors import CorsRule, Preflight

EVERYBODY = "*"
WRITES = ("PUT", "POST", "DELETE")
# Ends of names that nobody can register in the public (RFC 2606, RFC 6762, and `internal` of ICANN).
_NOBODYS = frozenset({"localhost", "test", "local", "internal"})


@dataclass(frozen=True)
class Question:
    """What a browser asks before it sends: may a page of `origin` use `method` with these headers?"""

    origin: str
    method: str
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Miss:
    """A rule that does not fit, and everything about it that does not. `headers` are those it lacks."""

    number: int
    rule: CorsRule
    has_origin: bool
    has_method: bool
    headers: tuple[str, ...]

    @property
    def distance(self) -> tuple[bool, bool, int]:
        """Smaller is nearer. A rule for another origin is never what somebody meant to use."""
        return not self.has_origin, not self.has_method, len(self.headers)


@dataclass(frozen=True)
class Verdict:
    """What the rules say. `number` counts from 1 and is 0 where no rule fits; `misses` were tried before."""

    number: int
    answer: Preflight
    misses: tuple[Miss, ...] = ()

    @property
    def nearest(self) -> Miss | None:
        """The rule that came closest when none fits; None where one does, or where there are no rules."""
        if self.number or not self.misses:
            return None
        return min(self.misses, key=lambda miss: miss.distance)


def evaluate(rules: Sequence[CorsRule], question: Question) -> Verdict:
    """Return what a store with these rules answers to a preflight."""
    misses: list[Miss] = []
    for number, rule in enumerate(rules, 1):
        miss = _compare(number, rule, question)
        if miss.has_origin and miss.has_method and not miss.headers:
            return Verdict(number, _answer(rule, question), tuple(misses))
        misses.append(miss)
    return Verdict(0, Preflight(is_allowed=False), tuple(misses))


def pattern_fits(pattern: str, text: str) -> bool:
    """Tell whether `text` is what `pattern` describes, whatever the case. Only its first `*` is one."""
    head, star, tail = pattern.lower().partition(EVERYBODY)
    text = text.lower()
    if not star:
        return head == text
    return len(text) >= len(head) + len(tail) and text.startswith(head) and text.endswith(tail)


def is_everybody(origin: str) -> bool:
    """Tell whether an origin of a rule is every site: `*`, or a `*` in the place of the host."""
    return origin == EVERYBODY or origin.partition("://")[2].partition(":")[0] == EVERYBODY


def is_for_the_taking(origin: str) -> bool:
    """Tell whether anybody can get a host that fits, as in `https://*.com`, `https://shop*` or for everybody.

    Only a `*` before a whole domain keeps strangers out. Which domains sell names below themselves, as co.uk
    does, is not known here.
    """
    if is_everybody(origin):
        return True
    host = origin.partition("://")[2].removesuffix("/").partition(":")[0]
    _head, star, tail = host.partition(EVERYBODY)
    domain = tail.partition(".")[2].strip(".").lower()
    return bool(star) and "." not in domain and domain not in _NOBODYS


def _compare(number: int, rule: CorsRule, question: Question) -> Miss:
    lacking = (
        name for name in question.headers if not any(pattern_fits(one, name) for one in rule.allowed_headers)
    )
    return Miss(
        number=number,
        rule=rule,
        has_origin=any(pattern_fits(origin, question.origin) for origin in rule.origins),
        has_method=question.method in rule.methods,
        headers=tuple(lacking),
    )


def _answer(rule: CorsRule, question: Question) -> Preflight:
    """A rule for everybody answers `*`, with which browsers send no credentials."""
    is_open = EVERYBODY in rule.origins
    headers = question.headers if EVERYBODY in rule.allowed_headers else rule.allowed_headers
    return Preflight(
        is_allowed=True,
        origin=EVERYBODY if is_open else question.origin,
        methods=rule.methods,
        headers=tuple(name.lower() for name in headers),
        exposed_headers=rule.exposed_headers,
        max_age_s=rule.max_age_s,
        has_credentials=not is_open,
    )
