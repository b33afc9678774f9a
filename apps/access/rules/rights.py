"""What grants come to: who can do what in the end, with the bucket's part in an object's access.

A grant adds and never takes away, so rights are a union: what one is given by name, as somebody who is
signed in, and as anybody at all. Grants through CAM or a bucket policy are invisible here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from apps.access.rules.words import SINGLE, Resource, can, who
from apps.storage.grants import EVERYONE, SIGNED_IN, Acl, Grantee, GranteeKind, Permission

GROUPS = (EVERYONE, SIGNED_IN)
# What a grant on an object, or an inherited one on its bucket, may say about the object itself.
OF_OBJECT = frozenset({Permission.READ, Permission.READ_ACP, Permission.WRITE_ACP})


@dataclass(frozen=True)
class Line:
    """One sentence about one grantee. `is_stranger` marks what anybody outside the accounts can do."""

    grantee: Grantee
    permissions: frozenset[Permission]
    sentence: str
    is_owner: bool = False
    is_stranger: bool = False


@dataclass(frozen=True)
class Rights:
    """Who can do what with one bucket or object, FULL_CONTROL taken apart.

    `given` has what each grantee is given by name. `is_complete` is false where the bucket's grants take
    part and could not be read, so that there may be more rights than these.
    """

    resource: Resource
    owner: Grantee
    given: Mapping[Grantee, frozenset[Permission]]
    is_complete: bool = True

    def of(self, grantee: Grantee) -> frozenset[Permission]:
        """Return what a grantee can do in the end, with what the groups give that hold everybody."""
        if grantee == self.owner:
            return frozenset(SINGLE)
        held = self.given.get(grantee, _NONE) | self.given.get(EVERYONE, _NONE)
        return held if grantee == EVERYONE else held | self.given.get(SIGNED_IN, _NONE)

    @cached_property
    def opened(self) -> Mapping[Grantee, frozenset[Permission]]:
        """Return what strangers can do: everyone, and everyone who is signed in."""
        return {group: self.of(group) for group in GROUPS if self.of(group)}

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Return a sentence for each grantee, the owner first, then those who are many."""
        return tuple(self._lines())

    def _lines(self) -> Iterator[Line]:
        everything = frozenset(SINGLE)
        yield Line(self.owner, everything, _owner_sentence(self), is_owner=True)
        for grantee in sorted(self.given, key=_rank):
            held = self.given[grantee]
            if held:
                words = {"who": who(grantee, owner=self.owner), "what": can(held, self.resource)}
                sentence = _("%(who)s can %(what)s.") % words
                yield Line(grantee, held, sentence, is_stranger=grantee in GROUPS)


def bucket_rights(acl: Acl) -> Rights:
    """Return who can do what with a bucket."""
    return Rights(Resource.BUCKET, acl.owner, _given(acl))


def object_rights(acl: Acl, bucket_acl: Acl | None) -> Rights:
    """Return who can do what with an object.

    Its own grants decide about reading it, or without any the bucket's. Overwriting and deleting is always
    the bucket's business. `bucket_acl` is None where it could not be read.
    """
    deciding = bucket_acl if acl.is_inherited else acl
    named = _given(deciding) if deciding else {}
    given = {grantee: held & OF_OBJECT for grantee, held in named.items() if held & OF_OBJECT}
    if bucket_acl is None:
        return Rights(Resource.OBJECT, acl.owner, given, is_complete=False)
    for grantee, held in _given(bucket_acl).items():
        if Permission.WRITE in held and grantee != acl.owner:
            given[grantee] = given.get(grantee, _NONE) | {Permission.WRITE}
    if bucket_acl.owner != acl.owner:
        given[bucket_acl.owner] = frozenset(SINGLE)
    return Rights(Resource.OBJECT, acl.owner, given)


def newly_open(before: Rights, after: Rights) -> dict[Grantee, frozenset[Permission]]:
    """Return what strangers can do afterwards and could not before, by the group that they belong to.

    What everybody gains is not repeated for those who are signed in.
    """
    gained: dict[Grantee, frozenset[Permission]] = {}
    everyone = after.of(EVERYONE) - before.of(EVERYONE)
    signed_in = after.of(SIGNED_IN) - before.of(SIGNED_IN) - everyone
    if everyone:
        gained[EVERYONE] = everyone
    if signed_in:
        gained[SIGNED_IN] = signed_in
    return gained


def _given(acl: Acl) -> dict[Grantee, frozenset[Permission]]:
    grantees = dict.fromkeys(grant.grantee for grant in acl.explicit)
    return {
        grantee: frozenset(acl.permissions_of(grantee)) & frozenset(SINGLE)
        for grantee in grantees
        if grantee.kind is not GranteeKind.UNKNOWN
    }


def _owner_sentence(rights: Rights) -> str:
    account = {"account": rights.owner.sub_account or rights.owner.account}
    if rights.resource is Resource.BUCKET:
        return _("The owner, account %(account)s, can do everything, whatever is listed.") % account
    return _("The object's owner, account %(account)s, can do everything, whatever is listed.") % account


def _rank(grantee: Grantee) -> tuple[int, str]:
    order = list(GROUPS)
    return (order.index(grantee) if grantee in order else len(order), grantee.text)


_NONE: frozenset[Permission] = frozenset()
