"""Canned ACLs: what each means in sentences, and which one a list of grants amounts to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from apps.access.rules.rights import bucket_rights, object_rights
from apps.access.rules.words import Resource, can
from apps.storage.grants import Acl, CannedAcl, Grant, Grantee, Permission


@dataclass(frozen=True)
class Choice:
    """One canned ACL as a person chooses it. `is_exposing` lets strangers in."""

    name: str
    title: str
    meaning: str
    is_exposing: bool = False


def canned_choice(canned: CannedAcl, resource: Resource, owner: Grantee) -> Choice:
    """Return a canned ACL in words, spelled out from its grants."""
    return Choice(
        canned.name, _title(canned), _meaning(canned, resource, owner), any(_groups_of(canned, owner))
    )


def acl_of_canned(canned: CannedAcl, seen: Acl, bucket_owner: Grantee | None) -> Acl:
    """Return what an ACL becomes with a canned name; its owner stays.

    Without `bucket_owner` a permission for whoever owns the bucket is left out.
    """
    grants = canned.grants
    if canned.bucket_owner and bucket_owner is not None:
        grants = (*grants, Grant(bucket_owner, canned.bucket_owner))
    return replace(seen, grants=grants, is_inherited=canned.is_inherited, label="", unknown=())


def canned_of(acl: Acl, offered: Sequence[CannedAcl], bucket_owner: Grantee | None) -> str:
    """Return the canned name that says exactly what the grants say, '' where none does."""
    for canned in offered:
        if acl_of_canned(canned, acl, bucket_owner).digest == replace(acl, unknown=()).digest:
            return canned.name
    return ""


def _title(canned: CannedAcl) -> str:
    match canned.name:
        case "private":
            return _("Private")
        case "public-read":
            return _("Public read")
        case "public-read-write":
            return _("Public read and write")
        case "authenticated-read":
            return _("Read for any account")
        case "default":
            return _("Inherit from the bucket")
        case "bucket-owner-read":
            return _("Read for the bucket's owner")
        case "bucket-owner-full-control":
            return _("Full control for the bucket's owner")
        case name:
            return name


def _meaning(canned: CannedAcl, resource: Resource, owner: Grantee) -> str:
    if canned.is_inherited:
        return _("No grants of its own: whoever may read the bucket may read the object.")
    if canned.bucket_owner:
        what = can([canned.bucket_owner], resource)
        return _("Besides the owner, the account that owns the bucket can %(what)s.") % {"what": what}
    acl = Acl(owner, canned.grants)
    rights = bucket_rights(acl) if resource is Resource.BUCKET else object_rights(acl, acl)
    lines = [line.sentence for line in rights.lines if not line.is_owner]
    return " ".join(lines) or _("Nobody but the owner, and whom CAM lets in.")


def _groups_of(canned: CannedAcl, owner: Grantee) -> list[Permission]:
    opened = bucket_rights(Acl(owner, canned.grants)).opened
    return [permission for held in opened.values() for permission in held]
