"""What a browser makes of a store's answer, and where two answers differ.

Source: the Fetch standard (CORS protocol, CORS-safelisted methods and request headers), 2026-08.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from django.utils.translation import gettext as _

from apps.access.rules.cors import EVERYBODY, Question
from apps.storage.cors import Preflight

SIMPLE_METHODS = ("GET", "HEAD", "POST")
# Content-Type is safe only with three of its values, none of which an upload has.
SIMPLE_HEADERS = ("accept", "accept-language", "content-language", "range")


class Outcome(Enum):
    """What happens to a request of a page of another site."""

    READABLE = "readable"
    UNREADABLE = "unreadable"
    SENT = "sent"
    BLOCKED = "blocked"


def needs_preflight(question: Question) -> bool:
    """Tell whether a browser asks before it sends this. Any type of body counts as unsafe."""
    return question.method not in SIMPLE_METHODS or bool(_unsafe(question.headers))


def browser_outcome(question: Question, answer: Preflight) -> Outcome:
    """Return what a browser does with this answer of a store."""
    is_asked = needs_preflight(question)
    if answer.is_allowed and answer.origin in (EVERYBODY, question.origin):
        if not is_asked or (_covers_method(question, answer) and _covers_headers(question, answer)):
            return Outcome.SENT if is_asked else Outcome.READABLE
        return Outcome.BLOCKED
    return Outcome.BLOCKED if is_asked else Outcome.UNREADABLE


def outcome_text(outcome: Outcome) -> str:
    """Return what an outcome means, in a sentence."""
    return {
        Outcome.SENT: _("The browser asks first, then sends the request, and the page may read the answer."),
        Outcome.BLOCKED: _("The browser asks first, and never sends the request."),
        Outcome.READABLE: _(
            "A simple request: the browser sends it without asking, and the page may read the answer."
        ),
        Outcome.UNREADABLE: _(
            "A simple request: the browser sends it without asking, but hides the answer from the page."
        ),
    }[outcome]


def answer_differences(live: Preflight, local: Preflight) -> list[str]:
    """Return in words where the store's answer is not what the rules say; nothing where both agree."""
    if live.is_allowed != local.is_allowed:
        if live.is_allowed:
            return [_("The store allows what the rules refuse.")]
        return [_("The store refuses what the rules allow.")]
    pairs = (
        (_("origin"), live.origin, local.origin),
        (_("methods"), _set_of(live.methods), _set_of(local.methods)),
        (_("allowed headers"), _set_of(live.headers), _set_of(local.headers)),
        (_("headers to read"), _set_of(live.exposed_headers), _set_of(local.exposed_headers)),
        (_("time to remember"), live.max_age_s, local.max_age_s),
        (_("credentials"), live.has_credentials, local.has_credentials),
    )
    return [
        _("Not what the rules say: %(what)s.") % {"what": what} for what, seen, due in pairs if seen != due
    ]


def _set_of(values: Iterable[str]) -> frozenset[str]:
    return frozenset(value.lower() for value in values)


def _unsafe(headers: Iterable[str]) -> list[str]:
    return [name for name in headers if name.lower() not in SIMPLE_HEADERS]


def _covers_method(question: Question, answer: Preflight) -> bool:
    is_starred = EVERYBODY in answer.methods and not answer.has_credentials
    return question.method in SIMPLE_METHODS or question.method in answer.methods or is_starred


def _covers_headers(question: Question, answer: Preflight) -> bool:
    """A star stands for every header but Authorization, and for none where credentials may travel."""
    named = _set_of(answer.headers)
    is_starred = EVERYBODY in named and not answer.has_credentials
    return all(
        name.lower() in named or (is_starred and name.lower() != "authorization")
        for name in _unsafe(question.headers)
    )
