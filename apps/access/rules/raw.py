"""Grants one by one: in words, and as the store spells them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apps.access.rules.words import short, who
from apps.storage.grants import Acl, Grant


@dataclass(frozen=True)
class RawGrant:
    """One grant. `spelled` is the store's own spelling of whom it is for, where it was read from there."""

    who: str
    permission: str
    short: str
    spelled: str


def raw_grants(acl: Acl, grants: Iterable[Grant] | None = None) -> list[RawGrant]:
    """Return the grants of an ACL, or some of them, in their order."""
    return [
        RawGrant(
            who(grant.grantee, owner=acl.owner),
            str(grant.permission),
            short(grant.permission),
            " ".join(f"{name}={value}" for name, value in grant.grantee.raw) or grant.grantee.text,
        )
        for grant in (acl.grants if grants is None else grants)
    ]
