"""The rules as rows of a page: read from what was posted, rearranged by its buttons, and checked together."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from apps.access.forms.cors import TEXT_FIELDS, RuleForm
from apps.access.rules.cors_limits import document_problems, repeated_ids
from apps.storage.cors import Cors, CorsRule
from apps.storage.features import CorsLimits

# What was typed into one rule, by field; the methods are a list.
Raw = dict[str, Any]

# A page holds some more rules than a bucket takes, so that too many can be told and taken away again.
RULES_SHOWN_MAX = 200


def raw_of(rule: CorsRule) -> Raw:
    """Return a rule as it would have been typed."""
    return {
        "id": rule.id,
        "origins": "\n".join(rule.origins),
        "methods": list(rule.methods),
        "allowed_headers": "\n".join(rule.allowed_headers),
        "exposed_headers": "\n".join(rule.exposed_headers),
        "max_age_s": "" if rule.max_age_s is None else str(rule.max_age_s),
        "extras": json.dumps(rule.extras) if rule.extras else "",
    }


def raws_posted(data: QueryDict) -> list[Raw]:
    """Return what was typed into each rule of a page, whether it makes sense or not."""
    text = data.get("rules", "0")
    count = min(int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0, RULES_SHOWN_MAX)
    return [
        {name: data.get(f"r{number}-{name}", "") for name in TEXT_FIELDS}
        | {"methods": data.getlist(f"r{number}-methods")}
        for number in range(count)
    ]


def raws_step(raws: Sequence[Raw], step: str, place: int) -> tuple[list[Raw], int | None]:
    """Return the rules after a button that only arranges them, and the place that has changed."""
    steps: dict[str, Callable[[list[Raw], int], int | None]] = {
        "duplicate": _duplicate,
        "remove": _remove,
        "up": lambda rows, at: _move(rows, at, -1),
        "down": lambda rows, at: _move(rows, at, 1),
    }
    rows = list(raws)
    if step == "add":
        rows.append(raw_of(CorsRule(origins=(), methods=(), max_age_s=600)))
        return rows, len(rows) - 1
    if step not in steps or not 0 <= place < len(rows):
        return rows, None
    return rows, steps[step](rows, place)


def rule_forms(
    raws: Sequence[Raw], *, limits: CorsLimits, kept: Collection[CorsRule] = (), is_checked: bool = False
) -> list[RuleForm]:
    """Return a form for each rule; only checked ones show what is wrong with them."""
    if not is_checked:
        return [RuleForm(initial=raw, prefix=f"r{number}", limits=limits) for number, raw in enumerate(raws)]
    made = []
    for number, raw in enumerate(raws):
        data = QueryDict(mutable=True)
        for name, value in raw.items():
            data.setlist(f"r{number}-{name}", value if isinstance(value, list) else [value])
        made.append(RuleForm(data, prefix=f"r{number}", limits=limits, kept=kept))
    return made


def forms_check(made: Sequence[RuleForm], *, current: Cors, limits: CorsLimits) -> list[str]:
    """Check all rules together; return what is wrong with the whole, and put the rest beside the fields."""
    wrong = [form for form in made if not form.is_valid()]
    if wrong:
        return [_("Some rules need attention. What is wrong stands beside the fields.")]
    rules = [form.to_rule() for form in made]
    repeated = repeated_ids(rules)
    for form, rule in zip(made, rules, strict=True):
        if rule.id in repeated:
            form.add_error("id", _("Another rule has this name, too. Choose a different one."))
    problems = document_problems(Cors(rules=tuple(rules), extras=current.extras), limits)
    return problems or ([_("Two rules have the same name.")] if repeated else [])


def _duplicate(rows: list[Raw], at: int) -> int:
    copy = dict(rows[at])
    if copy["id"]:
        taken, number = {row["id"] for row in rows}, 2
        while f"{copy['id']}-{number}" in taken:
            number += 1
        copy["id"] = f"{copy['id']}-{number}"
    rows.insert(at + 1, copy)
    return at + 1


def _remove(rows: list[Raw], at: int) -> int | None:
    del rows[at]
    return min(at, len(rows) - 1) if rows else None


def _move(rows: list[Raw], at: int, by: int) -> int:
    to = max(0, min(len(rows) - 1, at + by))
    rows.insert(to, rows.pop(at))
    return to
