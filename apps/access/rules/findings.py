"""What in an ACL needs a second look: what nobody knows, and labels that say less than the grants do."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from apps.access.rules.rights import GROUPS
from apps.access.rules.words import Resource, can, who
from apps.storage.grants import EVERYONE, Acl, Grant, Grantee, GranteeKind, Permission

# What canned names promise about the groups. A name that is not here promises nothing that can be broken.
_PROMISES: dict[str, frozenset[tuple[GranteeKind, Permission]]] = {
    "private": frozenset(),
    "public-read": frozenset({(GranteeKind.EVERYONE, Permission.READ)}),
    "public-read-write": frozenset(
        {(GranteeKind.EVERYONE, Permission.READ), (GranteeKind.EVERYONE, Permission.WRITE)}
    ),
    "authenticated-read": frozenset({(GranteeKind.SIGNED_IN, Permission.READ)}),
}


def findings(acl: Acl, resource: Resource) -> tuple[str, ...]:
    """Return a sentence for everything that must not be passed over in silence."""
    if acl.is_inherited:
        return tuple(_beyond(acl))
    return (*_contradictions(acl, resource), *_unknown(acl, resource), *_beyond(acl))


def has_unknown(acl: Acl, resource: Resource = Resource.BUCKET) -> bool:
    """Return whether the ACL holds something whose effect the console cannot tell."""
    return bool(acl.unknown) or any(
        is_unknown(grant) or (resource is Resource.OBJECT and grant.permission == Permission.WRITE)
        for grant in acl.explicit
    )


def is_unknown(grant: Grant) -> bool:
    """Return whether the console cannot tell what a grant does."""
    return grant.grantee.kind is GranteeKind.UNKNOWN or grant.permission not in tuple(Permission)


def _contradictions(acl: Acl, resource: Resource) -> Iterator[str]:
    beyond = _beyond_label(acl, acl.label)
    if beyond:
        yield _("The store's label says %(label)s; the grants say more: %(grants)s") % {
            "label": acl.label,
            "grants": _sentences(acl, beyond, resource),
        }
        return
    # Tools that shorten an ACL to one word look for READ alone, and call a bucket private that all may write.
    held = acl.permissions_of(EVERYONE)
    if held and Permission.READ not in held:
        yield _("Tools that shorten grants to one word call this private. The grants say: %(grants)s") % {
            "grants": _sentences(acl, {EVERYONE: held}, resource)
        }


def _beyond_label(acl: Acl, label: str) -> dict[Grantee, frozenset[Permission]]:
    """Return what the groups hold that the label does not mention; nothing for a label that says nothing."""
    if label not in _PROMISES:
        return {}
    held = {group: acl.permissions_of(group) for group in GROUPS}
    promised = _PROMISES[label]
    beyond = {
        group: frozenset(one for one in found if (group.kind, one) not in promised)
        for group, found in held.items()
    }
    return {group: held[group] for group, found in beyond.items() if found}


def _sentences(acl: Acl, held: dict[Grantee, frozenset[Permission]], resource: Resource) -> str:
    return " ".join(
        _("%(who)s can %(what)s.")
        % {"who": who(grantee, owner=acl.owner), "what": can(permissions, resource)}
        for grantee, permissions in held.items()
    )


def _unknown(acl: Acl, resource: Resource) -> Iterator[str]:
    for grant in acl.explicit:
        if grant.grantee.kind is GranteeKind.UNKNOWN:
            yield _(
                "A grant of %(permission)s names “%(words)s”, and the console does not know who that is."
            ) % {
                "permission": grant.permission,
                "words": grant.grantee.account,
            }
        elif grant.permission not in tuple(Permission):
            yield _("%(who)s holds “%(permission)s”, and the console does not know what that allows.") % {
                "who": who(grant.grantee, owner=acl.owner),
                "permission": grant.permission,
            }
        elif resource is Resource.OBJECT and grant.permission == Permission.WRITE:
            yield _("%(who)s holds WRITE on the object, which has no documented meaning.") % {
                "who": who(grant.grantee, owner=acl.owner)
            }


def _beyond(acl: Acl) -> Iterator[str]:
    for name in acl.unknown:
        yield _("The store's answer holds %(name)s, which the console cannot read and would lose.") % {
            "name": name
        }
