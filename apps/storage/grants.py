"""Who may do what with a bucket or an object: grants as the store holds them, without a provider's names.

Labels are never evidence. A store's canned name can say "private" over a bucket that everyone may write to,
so everything here is read off the grants themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from apps.storage.facts import facts_digest


class Permission(StrEnum):
    """What a grant allows. FULL_CONTROL is the four others together."""

    READ = "READ"
    WRITE = "WRITE"
    READ_ACP = "READ_ACP"
    WRITE_ACP = "WRITE_ACP"
    FULL_CONTROL = "FULL_CONTROL"


class GranteeKind(StrEnum):
    """Whom a grant is for."""

    ACCOUNT = "account"
    SUB_ACCOUNT = "sub-account"
    EVERYONE = "everyone"
    SIGNED_IN = "signed-in"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Grantee:
    """Somebody, or everybody, whom a grant names.

    `account` is the id of a root account, `sub_account` that of a user below it; both are empty for groups.
    Of an unknown kind `account` holds the store's own words. `raw` is the store's spelling, which only its
    provider reads, so that writing back changes nothing: two spellings of one grantee are equal.
    """

    kind: GranteeKind
    account: str = ""
    sub_account: str = ""
    name: str = field(default="", compare=False)
    raw: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def text(self) -> str:
        """Return a stable text that tells this grantee from every other."""
        ids = "/".join(part for part in (self.account, self.sub_account) if part)
        return f"{self.kind} {ids}".rstrip()


EVERYONE = Grantee(GranteeKind.EVERYONE)
SIGNED_IN = Grantee(GranteeKind.SIGNED_IN)


def account_grantee(account: str, sub_account: str = "") -> Grantee:
    """Return a root account, or with another `sub_account` a user below it.

    Stores name the root itself as the user of the same number.
    """
    if sub_account in ("", account):
        return Grantee(GranteeKind.ACCOUNT, account)
    return Grantee(GranteeKind.SUB_ACCOUNT, account, sub_account)


@dataclass(frozen=True)
class Grant:
    """One permission for one grantee. A permission that nobody knows yet is kept as the store's text."""

    grantee: Grantee
    permission: str


@dataclass(frozen=True)
class Acl:
    """All grants of one bucket or object, in the store's order.

    The owner may do everything, listed or not. `is_inherited` marks an object that has no grants of its own:
    the bucket's decide, whatever is listed. `label` is the canned name that the store claims, if it does.
    `unknown` names what the store's document holds beyond this and what a write would therefore lose;
    writing such an ACL is refused. To change one, start from what was read: `replace(seen, grants=…)`.
    """

    owner: Grantee
    grants: tuple[Grant, ...] = ()
    is_inherited: bool = False
    label: str = field(default="", compare=False)
    unknown: tuple[str, ...] = ()

    @property
    def explicit(self) -> tuple[Grant, ...]:
        """Return each grant once, without the owner's own: whether that is listed says nothing."""
        listed = dict.fromkeys(self.grants)
        return tuple(grant for grant in listed if grant.grantee != self.owner)

    def permissions_of(self, grantee: Grantee) -> frozenset[Permission]:
        """Return what this grantee may do by name, FULL_CONTROL taken apart; groups are not followed.

        Of an ACL that is inherited this is what is listed, which decides nothing.
        """
        if grantee == self.owner:
            return _ALL
        named = {grant.permission for grant in self.grants if grant.grantee == grantee}
        return _ALL if Permission.FULL_CONTROL in named else frozenset(one for one in _ALL if one in named)

    @property
    def digest(self) -> str:
        """Return a digest that changes when, and only when, somebody's access changes.

        Order, repetitions, spellings and the owner's own grant leave it alone: stores vary in them.
        """
        listed = [] if self.is_inherited else [(g.grantee.text, g.permission) for g in self.explicit]
        return facts_digest([self.owner.text, self.is_inherited, sorted(listed), sorted(self.unknown)])


@dataclass(frozen=True)
class CannedAcl:
    """A set of grants that the store knows by name, spelled out.

    `bucket_owner` is a permission for whoever owns the bucket, which differs from the object's owner where
    another account may write. `is_inherited` takes away the object's own grants.
    """

    name: str
    grants: tuple[Grant, ...] = ()
    bucket_owner: str = ""
    is_inherited: bool = False


_ALL = frozenset(Permission)
