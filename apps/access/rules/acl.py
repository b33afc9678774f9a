"""An ACL in one badge and a few sentences, read off its grants alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.access.rules.findings import findings, has_unknown
from apps.access.rules.rights import Rights, bucket_rights, object_rights
from apps.access.rules.words import Resource, who
from apps.storage.grants import EVERYONE, SIGNED_IN, Acl, Permission


class AccessKind(StrEnum):
    """How far something is open, the widest first. INHERITED is an object that leaves it to its bucket."""

    PUBLIC_WRITE = "public-write"
    PUBLIC_READ = "public-read"
    SIGNED_IN = "signed-in"
    UNKNOWN = "unknown"
    SHARED = "shared"
    PRIVATE = "private"
    INHERITED = "inherited"


@dataclass(frozen=True)
class AccessSummary:
    """What a badge says and what stands behind it.

    `label` is a word or two, `icon` a name in the sprite; together they say the kind without any color.
    `who` names everybody besides the owner. `sentences` have the effective access, `findings` what must be
    looked at: unknown grants, and labels that contradict them. Unknown is never shown as private.
    """

    kind: AccessKind
    label: str
    icon: str
    who: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()

    @property
    def is_public(self) -> bool:
        return self.kind in (AccessKind.PUBLIC_READ, AccessKind.PUBLIC_WRITE)

    @property
    def is_exposed(self) -> bool:
        """Whether people outside the accounts that were named get in."""
        return self.is_public or self.kind is AccessKind.SIGNED_IN


def access_summary(acl: Acl) -> AccessSummary:
    """Return the access of a bucket in a badge and in sentences."""
    return _summary(acl, bucket_rights(acl), of=Resource.BUCKET)


def object_access_summary(acl: Acl, bucket_acl: Acl | None) -> AccessSummary:
    """Return the access of an object; `bucket_acl` is None where it could not be read."""
    rights = object_rights(acl, bucket_acl)
    if not acl.is_inherited:
        return _summary(acl, rights, of=Resource.OBJECT)
    summary = _summary(bucket_acl or acl, rights, of=Resource.BUCKET)
    label = _("Inherits: %(label)s") % {"label": summary.label}
    if summary.is_exposed or summary.kind is AccessKind.UNKNOWN:
        return replace(summary, label=label)
    return replace(summary, kind=AccessKind.INHERITED, label=label, icon=_ICONS[AccessKind.INHERITED])


def access_unknown(reason: str = "") -> AccessSummary:
    """Return the summary of grants that could not be read: a denied read says nothing about access."""
    sentence = _("The grants could not be read, so who has access is unknown. That is not “private”.")
    return AccessSummary(
        AccessKind.UNKNOWN,
        _("Unknown"),
        "help-circle",
        sentences=(sentence, reason) if reason else (sentence,),
    )


def kind_of(acl: Acl, rights: Rights, *, of: Resource) -> AccessKind:
    """Return how far the rights reach. Who may change the grants may write as well, in a second step.

    `of` is what the grants in `acl` are about: an object that inherits has those of its bucket.
    """
    everyone, signed_in = rights.of(EVERYONE), rights.of(SIGNED_IN)
    if everyone & _WRITING:
        return AccessKind.PUBLIC_WRITE
    if everyone:
        return AccessKind.PUBLIC_READ
    if signed_in:
        return AccessKind.SIGNED_IN
    if has_unknown(acl, of) or not rights.is_complete:
        return AccessKind.UNKNOWN
    return AccessKind.SHARED if rights.given else AccessKind.PRIVATE


def _summary(acl: Acl, rights: Rights, *, of: Resource) -> AccessSummary:
    kind = kind_of(acl, rights, of=of)
    return AccessSummary(
        kind,
        _label(kind, rights) if not _is_half_known(acl, rights, of) else _("Writing unknown"),
        _ICONS[kind],
        who=tuple(who(grantee, owner=rights.owner) for grantee in rights.given),
        sentences=tuple(line.sentence for line in rights.lines),
        findings=findings(acl, of),
    )


def _is_half_known(acl: Acl, rights: Rights, of: Resource) -> bool:
    """Whether an object's own grants say who reads it, and its bucket's, who overwrites it, are missing."""
    kind = kind_of(acl, rights, of=of)
    return kind is AccessKind.UNKNOWN and of is Resource.OBJECT and not has_unknown(acl, of)


def _label(kind: AccessKind, rights: Rights) -> str:
    if kind is AccessKind.SHARED:
        count = len(rights.given)
        return ngettext("Shared with %(count)s", "Shared with %(count)s", count) % {"count": count}
    if rights.of(SIGNED_IN) & _WRITING and kind in (AccessKind.PUBLIC_READ, AccessKind.SIGNED_IN):
        return _("Any account writes")
    return _LABELS[kind]()


_WRITING = frozenset({Permission.WRITE, Permission.WRITE_ACP})
_ICONS = {
    AccessKind.PUBLIC_WRITE: "alert-triangle",
    AccessKind.PUBLIC_READ: "world",
    AccessKind.SIGNED_IN: "users",
    AccessKind.UNKNOWN: "help-circle",
    AccessKind.SHARED: "user-plus",
    AccessKind.PRIVATE: "lock",
    AccessKind.INHERITED: "bucket",
}
_LABELS: dict[AccessKind, Callable[[], str]] = {
    AccessKind.PUBLIC_WRITE: lambda: _("Public write"),
    AccessKind.PUBLIC_READ: lambda: _("Public"),
    AccessKind.SIGNED_IN: lambda: _("Any account"),
    AccessKind.UNKNOWN: lambda: _("Unknown"),
    AccessKind.PRIVATE: lambda: _("Private"),
}
