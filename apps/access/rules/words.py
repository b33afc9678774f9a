"""Grantees and permissions in words: who, and what exactly they can do with a bucket or an object."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from django.utils.translation import gettext as _

from apps.storage.grants import Grantee, GranteeKind, Permission


class Resource(StrEnum):
    """What an ACL is about. The same permission allows different things on each."""

    BUCKET = "bucket"
    OBJECT = "object"


# FULL_CONTROL is these together, so that rights are always spoken of in these four.
SINGLE = (Permission.READ, Permission.WRITE, Permission.READ_ACP, Permission.WRITE_ACP)


def who(grantee: Grantee, *, owner: Grantee | None = None) -> str:
    """Return a name for a grantee that can begin a sentence; `owner` tells the own account from others."""
    match grantee.kind:
        case GranteeKind.EVERYONE:
            return _("Everyone on the internet")
        case GranteeKind.SIGNED_IN:
            return _("Everyone with an account at this cloud")
        case GranteeKind.ACCOUNT if owner is not None and grantee.account == owner.account:
            return _("The owner's account %(account)s") % {"account": grantee.account}
        case GranteeKind.ACCOUNT:
            return _("Account %(account)s") % {"account": grantee.account}
        case GranteeKind.SUB_ACCOUNT if owner is not None and grantee.account == owner.account:
            return _("Sub-account %(sub)s of the owner's account") % {"sub": grantee.sub_account}
        case GranteeKind.SUB_ACCOUNT:
            return _("Sub-account %(sub)s of account %(account)s") % {
                "sub": grantee.sub_account,
                "account": grantee.account,
            }
        case _unknown:
            return _("Somebody whom the console does not know (“%(words)s”)") % {"words": grantee.account}


def can(permissions: Iterable[str], resource: Resource) -> str:
    """Return what the permissions allow, as the end of a sentence that begins with "can"."""
    held = frozenset(permissions)
    if Permission.FULL_CONTROL in held or held >= frozenset(SINGLE):
        return _EVERYTHING[resource]()
    return _("; ").join(_ABILITIES[resource, one]() for one in SINGLE if one in held)


def short(permission: str) -> str:
    """Return a permission as one word, and one that nobody knows as the store writes it."""
    return _SHORT[permission]() if permission in _SHORT else f"“{permission}”"


_SHORT: dict[str, Callable[[], str]] = {
    Permission.READ: lambda: _("Read"),
    Permission.WRITE: lambda: _("Write"),
    Permission.READ_ACP: lambda: _("See the grants"),
    Permission.WRITE_ACP: lambda: _("Change the grants"),
    Permission.FULL_CONTROL: lambda: _("Full control"),
}
_EVERYTHING: dict[Resource, Callable[[], str]] = {
    Resource.BUCKET: lambda: _(
        "do everything: list, read, upload, overwrite, delete, and change who has access"
    ),
    Resource.OBJECT: lambda: _("do everything: read, overwrite, delete, and change who has access"),
}
_ABILITIES: dict[tuple[Resource, str], Callable[[], str]] = {
    (Resource.BUCKET, Permission.READ): lambda: _(
        "list all keys and read every object that has no grants of its own"
    ),
    (Resource.BUCKET, Permission.WRITE): lambda: _("upload, overwrite and delete every object"),
    (Resource.BUCKET, Permission.READ_ACP): lambda: _("see who has access to the bucket"),
    (Resource.BUCKET, Permission.WRITE_ACP): lambda: _(
        "change who has access to the bucket, and so take every right"
    ),
    (Resource.OBJECT, Permission.READ): lambda: _("read the object"),
    (Resource.OBJECT, Permission.WRITE): lambda: _("overwrite and delete the object"),
    (Resource.OBJECT, Permission.READ_ACP): lambda: _("see who has access to the object"),
    (Resource.OBJECT, Permission.WRITE_ACP): lambda: _(
        "change who has access to the object, and so take every right"
    ),
}
