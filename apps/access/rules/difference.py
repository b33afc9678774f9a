"""What a change of an ACL does: grant by grant, and in sentences about what somebody can do afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.access.rules.findings import is_unknown
from apps.access.rules.rights import GROUPS, Rights, bucket_rights, newly_open, object_rights
from apps.access.rules.words import Resource, can, who
from apps.storage.grants import Acl, Grant, Grantee, Permission


@dataclass(frozen=True)
class Change:
    """What changes for one grantee, `kind` being added, removed or changed.

    `gains` and `loses` are in effect: who loses a grant that everyone has as well loses nothing.
    """

    grantee: Grantee
    who: str
    kind: str
    gains: frozenset[Permission]
    loses: frozenset[Permission]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """What would be another ACL. `opened` has what strangers gain, by the group that they belong to."""

    added: tuple[Grant, ...]
    removed: tuple[Grant, ...]
    changes: tuple[Change, ...]
    opened: dict[Grantee, frozenset[Permission]]
    notes: tuple[str, ...] = ()
    is_certain: bool = True

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.notes)


def bucket_difference(before: Acl, after: Acl) -> Difference:
    """Return what changes for whom when a bucket's grants become `after`."""
    return _difference(before, after, bucket_rights(before), bucket_rights(after))


def object_difference(before: Acl, after: Acl, bucket_acl: Acl | None) -> Difference:
    """Return what changes for whom when an object's grants become `after`.

    Without the bucket's grants, what an object inherits is unknown, and so is what it opens.
    """
    return _difference(before, after, object_rights(before, bucket_acl), object_rights(after, bucket_acl))


def _difference(before: Acl, after: Acl, held: Rights, will_hold: Rights) -> Difference:
    # An object that inherits lists nothing that counts; the grants of its own begin or end.
    old = () if before.is_inherited else before.explicit
    new = () if after.is_inherited else after.explicit
    # Strangers first: among a hundred accounts nobody would find them.
    touched = dict.fromkeys([*GROUPS, *held.given, *will_hold.given, *_named(old), *_named(new)])
    changes = (_change(grantee, held, will_hold) for grantee in touched)
    return Difference(
        added=tuple(grant for grant in new if grant not in old),
        removed=tuple(grant for grant in old if grant not in new),
        changes=tuple(change for change in changes if change),
        opened=newly_open(held, will_hold),
        notes=(*_notes(before, after), *_unreadable(before, after, old, new)),
        is_certain=will_hold.is_complete or not after.is_inherited,
    )


def _named(grants: tuple[Grant, ...]) -> list[Grantee]:
    return [grant.grantee for grant in grants]


def _change(grantee: Grantee, held: Rights, will_hold: Rights) -> Change | None:
    had, has = held.given.get(grantee, _NONE), will_hold.given.get(grantee, _NONE)
    if had == has:
        return None
    kind = "changed" if had and has else "added" if has else "removed"
    gains, loses = (
        will_hold.of(grantee) - held.of(grantee),
        held.of(grantee) - will_hold.of(grantee),
    )
    name = who(grantee, owner=will_hold.owner)
    sentences = tuple(_sentences(name, gains, loses, will_hold.resource))
    return Change(grantee, name, kind, gains, loses, sentences)


def _sentences(
    name: str, gains: frozenset[Permission], loses: frozenset[Permission], resource: Resource
) -> Iterator[str]:
    if gains:
        yield _("%(who)s will be able to %(what)s.") % {"who": name, "what": can(gains, resource)}
    if loses:
        yield _("%(who)s will no longer be able to %(what)s.") % {"who": name, "what": can(loses, resource)}
    if not gains and not loses:
        yield _("%(who)s: nothing changes in effect, because a wider grant says the same.") % {"who": name}


def _notes(before: Acl, after: Acl) -> Iterator[str]:
    if after.is_inherited and not before.is_inherited:
        yield _("The object loses its own grants: from then on the bucket's decide.")
    if before.is_inherited and not after.is_inherited:
        yield _("The object gets grants of its own: from then on the bucket's do not decide who reads it.")


def _unreadable(before: Acl, after: Acl, old: tuple[Grant, ...], new: tuple[Grant, ...]) -> Iterator[str]:
    unknown = _("What that changes is unknown.")
    for grant in old:
        if is_unknown(grant) and grant not in new:
            words = {"permission": grant.permission, "who": who(grant.grantee, owner=before.owner)}
            removed = _("A grant that the console cannot read is removed: %(permission)s for %(who)s.")
            yield f"{removed % words} {unknown}"
    for name in before.unknown:
        if name not in after.unknown:
            lost = _("%(name)s is lost, which the console cannot read.") % {"name": name}
            yield f"{lost} {unknown}"


_NONE: frozenset[Permission] = frozenset()
