"""CORS rules and what happens to them in sentences."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.access.rules.cors import EVERYBODY, Miss, Question, Verdict
from apps.storage.cors import Cors, CorsRule

Pair = tuple[int, int]


@dataclass(frozen=True)
class Difference:
    """One thing that changes; `kind` is added, removed, changed or moved."""

    kind: str
    text: str


def rule_name(number: int, rule: CorsRule) -> str:
    """Return how a rule is called: by its place, and its name if it has one."""
    if rule.id:
        return _("rule %(number)s “%(name)s”") % {"number": number, "name": rule.id}
    return _("rule %(number)s") % {"number": number}


def rule_text(rule: CorsRule) -> str:
    """Return what a rule allows, in a sentence."""
    values = {
        "who": _who(rule),
        "methods": ", ".join(rule.methods),
        "headers": ", ".join(rule.allowed_headers),
    }
    if EVERYBODY in rule.allowed_headers:
        allowed = _("%(who)s may send %(methods)s with any header.") % values
    elif rule.allowed_headers:
        allowed = _("%(who)s may send %(methods)s with %(headers)s.") % values
    else:
        allowed = _("%(who)s may send %(methods)s without further headers.") % values
    return " ".join([allowed, *_more(rule)])


def question_text(question: Question, *, is_allowed: bool) -> str:
    """Return what a pinned test expects, in a sentence."""
    values = {
        "origin": question.origin,
        "method": question.method,
        "headers": ", ".join(question.headers),
    }
    if is_allowed:
        if question.headers:
            return _("%(origin)s may %(method)s with %(headers)s") % values
        return _("%(origin)s may %(method)s") % values
    if question.headers:
        return _("%(origin)s may not %(method)s with %(headers)s") % values
    return _("%(origin)s may not %(method)s") % values


def verdict_text(verdict: Verdict, rules: Sequence[CorsRule]) -> str:
    """Return which rule decides, or which came nearest and why it does not fit."""
    if verdict.number:
        return _("Decided by %(rule)s.") % {"rule": rule_name(verdict.number, rules[verdict.number - 1])}
    if verdict.nearest is None:
        return _("There are no rules.")
    return _nearest_text(verdict.nearest)


def _nearest_text(miss: Miss) -> str:
    if not miss.has_origin:
        return _("No rule fits this origin.")
    name = rule_name(miss.number, miss.rule)
    if miss.has_method:
        return _("Nearest is %(rule)s: it fits the origin and the method, but not %(headers)s.") % {
            "rule": name,
            "headers": ", ".join(miss.headers),
        }
    if miss.headers:
        return _("Nearest is %(rule)s: it fits the origin, but neither the method nor %(headers)s.") % {
            "rule": name,
            "headers": ", ".join(miss.headers),
        }
    return _("Nearest is %(rule)s: it fits the origin, but not the method.") % {"rule": name}


def cors_differences(before: Cors, after: Cors) -> list[Difference]:
    """Return what changes from one set of rules to another; nothing where browsers see no difference."""
    pairs = _paired(before.rules, after.rules)
    known_before, known_after = {first for first, _second in pairs}, {second for _first, second in pairs}
    found = [
        Difference("removed", _("%(rule)s is removed. %(text)s") % _told(number, rule))
        for number, rule in enumerate(before.rules, 1)
        if number - 1 not in known_before
    ]
    moved = _moved(pairs)
    for number, rule in enumerate(after.rules, 1):
        if number - 1 not in known_after:
            found.append(Difference("added", _("%(rule)s is new. %(text)s") % _told(number, rule)))
            continue
        first = next(first for first, second in pairs if second == number - 1)
        found += _rule_differences(number, before.rules[first], rule)
        if first in moved:
            found.append(Difference("moved", _move_text(first + 1, number, rule)))
    return found + _extra_differences("", before.extras, after.extras)


def _move_text(before: int, number: int, rule: CorsRule) -> str:
    return _("%(rule)s was rule %(before)s. The order decides.") % {
        "rule": _capital(rule_name(number, rule)),
        "before": before,
    }


def _told(number: int, rule: CorsRule) -> dict[str, str]:
    return {"rule": _capital(rule_name(number, rule)), "text": rule_text(rule)}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _who(rule: CorsRule) -> str:
    if EVERYBODY in rule.origins:
        return _("Pages of every site")
    return _("Pages of %(origins)s") % {"origins": ", ".join(rule.origins)}


def _more(rule: CorsRule) -> Iterator[str]:
    if rule.exposed_headers:
        yield _("They may read %(headers)s.") % {"headers": ", ".join(rule.exposed_headers)}
    if rule.max_age_s is not None:
        yield _("Browsers remember it for %(seconds)s seconds.") % {"seconds": rule.max_age_s}


def _facts(rule: CorsRule) -> tuple[object, ...]:
    """A rule without its name: what browsers see of it, in any order."""
    lists = (rule.origins, rule.methods, rule.allowed_headers, rule.exposed_headers)
    return (*(frozenset(values) for values in lists), rule.max_age_s, frozenset(rule.extras))


def _is_equal(old: CorsRule, new: CorsRule, _is_here: bool) -> bool:
    return old.id == new.id and _facts(old) == _facts(new)


def _is_namesake(old: CorsRule, new: CorsRule, _is_here: bool) -> bool:
    return old.id == new.id != ""


def _is_renamed(old: CorsRule, new: CorsRule, _is_here: bool) -> bool:
    return _facts(old) == _facts(new)


def _is_edited(old: CorsRule, new: CorsRule, is_here: bool) -> bool:
    return is_here and bool(set(old.origins) & set(new.origins))


# How a rule is known again, the surest way first.
_SAME = (_is_equal, _is_namesake, _is_renamed, _is_edited)


def _paired(before: Sequence[CorsRule], after: Sequence[CorsRule]) -> list[Pair]:
    """Return which rule became which, as places: equal ones, then those of one name, then of one place."""
    left = dict(enumerate(before))
    right = dict(enumerate(after))
    pairs: list[Pair] = []
    for is_same in _SAME:
        for second, rule in list(right.items()):
            first = next((place for place, old in left.items() if is_same(old, rule, place == second)), None)
            if first is not None:
                pairs.append((first, second))
                del left[first], right[second]
    return sorted(pairs, key=lambda pair: pair[1])


def _moved(pairs: Sequence[Pair]) -> set[int]:
    """Return the former places of rules that changed places: as few as explain the new order."""
    tails: list[int] = []
    chains: list[list[int]] = []
    for first, _second in pairs:
        place = bisect_left(tails, first)
        chain = [*(chains[place - 1] if place else []), first]
        tails[place : place + 1], chains[place : place + 1] = [first], [chain]
    stayed = set(chains[-1]) if chains else set()
    return {first for first, _second in pairs} - stayed


def _rule_differences(number: int, before: CorsRule, after: CorsRule) -> list[Difference]:
    name = _capital(rule_name(number, after))
    found = []
    if before.id != after.id:
        found.append(_changed(name, _("name"), before.id, after.id))
    for word, old, new in (
        (_("origin"), before.origins, after.origins),
        (_("method"), before.methods, after.methods),
        (_("allowed header"), before.allowed_headers, after.allowed_headers),
        (_("header to read"), before.exposed_headers, after.exposed_headers),
    ):
        found += _list_differences(name, word, old, new)
    if before.max_age_s != after.max_age_s:
        found.append(_changed(name, _("time to remember"), _age(before), _age(after)))
    return found + _extra_differences(name, before.extras, after.extras)


def _list_differences(name: str, word: str, old: Iterable[str], new: Iterable[str]) -> Iterator[Difference]:
    had, has = dict.fromkeys(old), dict.fromkeys(new)
    for value in has:
        if value not in had:
            values = {"rule": name, "what": word, "value": value}
            yield Difference("added", _("%(rule)s: %(what)s %(value)s is added.") % values)
    for value in had:
        if value not in has:
            values = {"rule": name, "what": word, "value": value}
            yield Difference("removed", _("%(rule)s: %(what)s %(value)s is removed.") % values)


def _extra_differences(
    name: str, old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]
) -> list[Difference]:
    had, has = [f"{key}={text}" for key, text in old], [f"{key}={text}" for key, text in new]
    return list(_list_differences(name or _("The document"), _("further element"), had, has))


def _changed(name: str, what: str, old: str, new: str) -> Difference:
    values = {"rule": name, "what": what, "old": old or "–", "new": new or "–"}
    return Difference("changed", _("%(rule)s: %(what)s changes from %(old)s to %(new)s.") % values)


def _age(rule: CorsRule) -> str:
    return "" if rule.max_age_s is None else _("%(seconds)s seconds") % {"seconds": rule.max_age_s}
