"""What pages of other sites may do with a bucket in a browser: the rules, and the store's own answer."""

from __future__ import annotations

from dataclasses import dataclass

from apps.storage.facts import facts_digest

Extras = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CorsRule:
    """One rule. The first rule that fits decides, so their order matters; the order inside one does not.

    `max_age_s` is None where the browser decides. `extras` are further elements of the rule, by name and
    text, which are written back as they came.
    """

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    allowed_headers: tuple[str, ...] = ()
    exposed_headers: tuple[str, ...] = ()
    max_age_s: int | None = None
    id: str = ""
    extras: Extras = ()


@dataclass(frozen=True)
class Cors:
    """All rules of a bucket; none is an ordinary state, not an error.

    `extras` are further elements beside the rules, kept as in a rule. `unknown` names what is too intricate
    to keep; writing such a configuration is refused. Change one from what was read: `replace(seen, rules=…)`.
    """

    rules: tuple[CorsRule, ...] = ()
    extras: Extras = ()
    unknown: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Return a digest that changes when a browser might be answered differently, or a rule is renamed."""
        return facts_digest(
            [[_facts(rule) for rule in self.rules], sorted(self.extras), sorted(self.unknown)]
        )


@dataclass(frozen=True)
class Preflight:
    """What the store tells a browser that asks before it sends.

    When no rule fits `is_allowed` is false and everything else empty. `origin` is `*` or the asking one.
    """

    is_allowed: bool
    origin: str = ""
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed_headers: tuple[str, ...] = ()
    max_age_s: int | None = None
    has_credentials: bool = False
    request_id: str = ""


def _facts(rule: CorsRule) -> list[object]:
    lists = (rule.origins, rule.methods, rule.allowed_headers, rule.exposed_headers)
    return [rule.id, *(sorted(set(values)) for values in lists), rule.max_age_s, sorted(rule.extras)]
