"""How the access of a place is drawn: the editor, the review before saving, and a conflict."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.access.forms.acl import NAMED, AclForm, fields_carried
from apps.access.forms.grants import rows_left, rows_of_acl
from apps.access.rules.acl import AccessSummary, access_summary, access_unknown, object_access_summary
from apps.access.rules.difference import Difference, bucket_difference, object_difference
from apps.access.rules.merging import acl_rebased
from apps.access.rules.raw import raw_grants
from apps.access.rules.rights import Rights, bucket_rights, object_rights
from apps.access.rules.words import Resource, who
from apps.access.services.acl import Place, Sight
from apps.access.services.exposure import exposure_of
from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.storage.errors import Denied, Refused, StorageError, Throttled, Unavailable
from apps.storage.grants import Acl, Permission
from apps.storage.keys import key_name, key_parent, visible


class AclPage:
    """One look at the access of a place, with what every answer about it needs.

    `sight` is None as long as the grants were not read, or could not be.
    """

    sight: Sight | None = None

    def __init__(self, request: ConnectionRequest, key: str, needed: Role) -> None:
        self.request, self.needed = request, needed
        self.place = Place(request.store, request.bucket, request.region, key)
        self.url = bucket_url(request, "access:object" if key else "access:bucket", key=key)

    @property
    def bucket_acl(self) -> Acl | None:
        return self.sight.bucket_acl if self.sight else None

    def form(self, **given: Any) -> AclForm:
        owner = self.bucket_acl.owner if self.bucket_acl else None
        features = self.request.store.features
        return AclForm(resource=self.place.resource, features=features, bucket_owner=owner, **given)

    def left(self, *, removed: str = "", is_added: bool = False) -> AclForm:
        """Return the form as it was left, not checked yet."""
        posted = self.request.POST
        rows = rows_left(posted, removed=removed, is_added=is_added)
        base = self.form(data=posted).base
        choice = NAMED if removed or is_added else posted.get("choice", "")
        return self.form(base=base, rows=rows, choice=choice)

    def shown(self, form: AclForm, *, status: int = HTTPStatus.OK) -> HttpResponse:
        request = self.request
        if request.htmx and not request.htmx.history_restore_request:
            return render(request, "access/acl.html#acl-fields", self._frame() | {"form": form})
        context = self._frame() | {"form": form} | (self._now(self.sight) if self.sight else {})
        return render(request, "access/acl.html", context, status=status)

    def _now(self, sight: Sight) -> dict[str, Any]:
        return {
            "summary": self.summary(sight.acl),
            "rights": self.rights(sight.acl),
            "raw": raw_grants(sight.acl),
            "label": sight.acl.label,
            "owner": who(sight.acl.owner),
            "is_inherited": sight.acl.is_inherited,
            "bucket_problem": explain(sight.bucket_error) if sight.bucket_error else None,
        }

    def unreadable(self, error: StorageError) -> HttpResponse:
        """Show that nothing is known, and keep what was typed."""
        context = self._frame() | {"summary": access_unknown(), "problem": explain(error)}
        if self.request.method == "POST":
            context["form"] = self.left()
        return render(self.request, "access/acl.html", context, status=status_of(error))

    def asked(
        self, form: AclForm, *, error: StorageError | None = None, status: int = HTTPStatus.OK
    ) -> HttpResponse:
        """Show what would change, and ask for it to be saved."""
        wanted, base = form.to_acl(), form.base or form.to_acl()
        difference = self.difference(base, wanted)
        is_red = is_exposing(difference)
        context = self._frame() | {
            "form": form,
            "fields": fields_carried(base, rows_left(self.request.POST), self.request.POST["choice"]),
            "difference": difference,
            "added": raw_grants(wanted, difference.added),
            "removed": raw_grants(base, difference.removed),
            "before": self.summary(base),
            "summary": self.summary(wanted),
            "rights": self.rights(wanted),
            "is_exposing": is_red,
            "opened": opened_words(difference),
            "is_readable": any(Permission.READ in held for held in difference.opened.values()),
            "is_writable": any(_WRITING & held for held in difference.opened.values()),
            "exposure": exposure_of(self.place) if is_red else None,
            "problem": explain(error) if error else None,
        }
        return render(self.request, "access/acl_review.html", context, status=status)

    def conflicting(self, form: AclForm, now: Acl) -> HttpResponse:
        """Show what they saved beside what you wanted; nothing was saved."""
        mine = form.to_acl()
        base = form.base or now
        merged = acl_rebased(base=base, mine=mine, theirs=now)
        choice = form.to_canned() or NAMED
        rows = rows_of_acl(merged, now, form.permissions) if choice == NAMED else []
        sides = [
            (_("What you saw"), self.summary(base), raw_grants(base), None),
            (_("What the store holds now"), self.summary(now), raw_grants(now), self.difference(base, now)),
            (_("What you wanted"), self.summary(mine), raw_grants(mine), self.difference(base, mine)),
        ]
        context = self._frame() | {"sides": sides, "fields": fields_carried(now, rows, choice)}
        return render(self.request, "access/acl_conflict.html", context, status=HTTPStatus.CONFLICT)

    def difference(self, before: Acl, after: Acl) -> Difference:
        if self.place.resource is Resource.BUCKET:
            return bucket_difference(before, after)
        return object_difference(before, after, self.bucket_acl)

    def rights(self, acl: Acl) -> Rights:
        if self.place.resource is Resource.BUCKET:
            return bucket_rights(acl)
        return object_rights(acl, self.bucket_acl)

    def summary(self, acl: Acl) -> AccessSummary:
        if self.place.resource is Resource.BUCKET:
            return access_summary(acl)
        return object_access_summary(acl, self.bucket_acl)

    def _frame(self) -> dict[str, Any]:
        request, key = self.request, self.place.key
        about = {"connection": request.connection.slug, "bucket": request.bucket, "key": key}
        crumbs = bucket_crumbs(request, key_parent(key), end="" if key else _("Access"))
        if key:
            detail = bucket_url(request, "objects:detail", key=key)
            crumbs += [{"label": key_name(key), "url": detail}, {"label": _("Access"), "url": ""}]
        return {
            "key": key,
            "name": visible(key_name(key)) or request.bucket,
            "crumbs": crumbs,
            "page_url": self.url,
            "explain_url": f"{reverse('access:explain')}?{urlencode(about)}",
            "bucket_url": bucket_url(request, "access:bucket"),
            "can_edit": request.role >= self.needed,
            "denied": _("this needs the role “%(role)s”") % {"role": self.needed.label},
        }


def opened_words(difference: Difference) -> list[str]:
    """Return what strangers will be able to do, in sentences."""
    return [
        text
        for change in difference.changes
        if change.grantee in difference.opened
        for text in change.sentences[:1]
    ]


def is_exposing(difference: Difference) -> bool:
    """Whether strangers get in, or nobody can tell whether they do."""
    return bool(difference.opened) or not difference.is_certain


def status_of(error: StorageError) -> HTTPStatus:
    """Return the status of a page that shows a failure of the store by itself."""
    match error:
        case Denied():
            return HTTPStatus.FORBIDDEN
        case Throttled() | Unavailable():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case Refused():
            return HTTPStatus.BAD_REQUEST
        case _other:
            return HTTPStatus.BAD_GATEWAY


_WRITING = frozenset({Permission.WRITE, Permission.WRITE_ACP})
