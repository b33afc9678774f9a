"""Access of a bucket or an object: seen, changed after a review, never over somebody else's change."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.access.forms.acl import AclForm
from apps.access.services.acl import AclChanged, UnknownLost, acl_replace, acl_see
from apps.access.views.acl_page import AclPage, is_exposing, status_of
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.storage.errors import NotFound, Refused, StorageError
from apps.storage.grants import Acl


@require_http_methods(["GET", "POST"])
@connection_required(Role.READER)
def bucket_access(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    return _access(request, key="", needed=Role.ADMIN)


@require_http_methods(["GET", "POST"])
@connection_required(Role.READER)
def object_access(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    key = request.GET.get("key", "")
    try:
        request.store.key_check(key)
    except Refused:
        raise Http404 from None
    return _access(request, key=key, needed=Role.WRITER)


def _access(request: ConnectionRequest, *, key: str, needed: Role) -> HttpResponse:
    """Look, or with a POST take one step: change the table, review, save."""
    if request.method == "POST":
        request.need(needed)
    page = AclPage(request, key, needed)
    try:
        page.sight = acl_see(page.place)
    except NotFound:
        raise
    except StorageError as error:
        return page.unreadable(error)
    if request.method == "POST":
        return _stepped(page, page.sight.acl)
    return page.shown(page.form(base=page.sight.acl))


def _stepped(page: AclPage, now: Acl) -> HttpResponse:
    posted = page.request.POST
    step, removed = posted.get("step", "review"), posted.get("remove", "")
    if removed or step in ("add", "edit"):
        return page.shown(page.left(removed=removed, is_added=step == "add" and not removed))
    form = page.form(data=posted)
    if not form.is_valid():
        return page.shown(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if step == "save":
        return _saved(page, form, now)
    base, wanted = form.base, form.to_acl()
    if base is None or base.digest != now.digest:
        return page.conflicting(form, now)
    if form.is_spelled_out and wanted.digest == base.digest:
        form.add_error(None, _("Nothing would change: these are the grants that the store holds now."))
        return page.shown(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return page.asked(form)


def _saved(page: AclPage, form: AclForm, now: Acl) -> HttpResponse:
    wanted = form.to_acl()
    base = form.base or wanted
    if is_exposing(page.difference(base, wanted)) and not form.is_confirmed:
        form.add_error("confirm", _("Type public to confirm that people outside get in."))
        return page.asked(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        held = acl_replace(
            page.place,
            person=page.request.user,
            connection=page.request.connection,
            seen=base.digest,
            wanted=wanted,
            canned=form.to_canned(),
            is_loss_agreed=form.cleaned_data["drop_unknown"],
            reason=form.cleaned_data["reason"],
        )
    except AclChanged as changed:
        return page.conflicting(form, changed.now)
    except UnknownLost:
        return page.conflicting(form, now)
    except StorageError as error:
        return page.asked(form, error=error, status=status_of(error))
    _tell(page, form, held)
    return redirect(page.url)


def _tell(page: AclPage, form: AclForm, held: Acl | None) -> None:
    """Say what the store holds after a save, which is not always what was sent."""
    if held is None:
        text = _("Saved, but the store did not let the grants be read again. Look before you go on.")
        messages.warning(page.request, text)
    elif form.is_spelled_out and held.digest != form.to_acl().digest:
        text = _("Saved, but the store now holds something else than was entered. It is shown here.")
        messages.warning(page.request, text)
    else:
        words = {"label": page.summary(held).label}
        messages.success(page.request, _("Saved and read again. Access now: %(label)s.") % words)
