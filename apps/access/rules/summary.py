"""Who gets in, in one word: read off the grants themselves, never off the store's label."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from apps.storage.grants import Acl, Grantee, GranteeKind, Permission

_WRITES = frozenset({Permission.WRITE, Permission.WRITE_ACP, Permission.FULL_CONTROL})
_GROUPS = (GranteeKind.EVERYONE, GranteeKind.SIGNED_IN)


class AccessKind(StrEnum):
    """The widest access that the grants of a bucket or an object give."""

    PRIVATE = "private"
    SHARED = "shared"
    SIGNED_IN_READ = "signed-in-read"
    SIGNED_IN_WRITE = "signed-in-write"
    PUBLIC_READ = "public-read"
    PUBLIC_WRITE = "public-write"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Summary:
    """The widest access, and the accounts that are let in by name besides the owner."""

    kind: AccessKind
    accounts: tuple[Grantee, ...] = ()


def access_summary(acl: Acl) -> Summary:
    """Return who gets in by these grants.

    Whoever may write the grants may give himself the rest, so that counts as writing. Grants that cannot be
    understood are unknown rather than private, unless others already open everything.
    """
    named = tuple(dict.fromkeys(g.grantee for g in acl.explicit if g.grantee.kind not in _GROUPS))
    accounts = tuple(grantee for grantee in named if grantee.kind is not GranteeKind.UNKNOWN)
    return Summary(_kind_of(acl, is_named=bool(named)), accounts)


def _kind_of(acl: Acl, *, is_named: bool) -> AccessKind:
    everyone = _of(acl, GranteeKind.EVERYONE)
    signed_in = _of(acl, GranteeKind.SIGNED_IN)
    if everyone & _WRITES:
        return AccessKind.PUBLIC_WRITE
    if signed_in & _WRITES:
        return AccessKind.SIGNED_IN_WRITE
    if everyone:
        return AccessKind.PUBLIC_READ
    if signed_in:
        return AccessKind.SIGNED_IN_READ
    if acl.unknown or any(grant.grantee.kind is GranteeKind.UNKNOWN for grant in acl.explicit):
        return AccessKind.UNKNOWN
    return AccessKind.SHARED if is_named else AccessKind.PRIVATE


def _of(acl: Acl, kind: GranteeKind) -> frozenset[str]:
    return frozenset(grant.permission for grant in acl.explicit if grant.grantee.kind is kind)
