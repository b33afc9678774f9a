from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.models import Person
from apps.activity.services import activity_record
from apps.connections.forms import ConnectionForm, DeleteForm, MemberForm
from apps.connections.guards import ConnectionRequest, PersonRequest, connection_required
from apps.connections.models import Connection, Role
from apps.connections.services import (
    ConnectionInUse,
    connection_check,
    connection_create,
    connection_delete,
    connection_draft,
    connection_update,
    member_set,
)


@require_GET
def connection_list(request: HttpRequest) -> HttpResponse:
    person = cast(PersonRequest, request).user
    connections = Connection.objects.visible_to(person).select_related("owner").prefetch_related("members")
    rows = [(connection, connection.role_of(person)) for connection in connections]
    return render(request, "connections/list.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
def connection_new(request: HttpRequest) -> HttpResponse:
    form = ConnectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        person = cast(PersonRequest, request).user
        connection = connection_create(owner=person, **form.to_values())
        _record(person, "connection.create", connection, after=_shown(connection))
        messages.success(request, _("Connection %(name)s is saved.") % {"name": connection.name})
        return redirect("connections:detail", connection=connection.slug)
    return render(request, "connections/new.html", {"form": form})


@require_POST
def connection_new_test(request: HttpRequest) -> HttpResponse:
    """Try what the form holds without saving it."""
    form = ConnectionForm(request.POST)
    draft = Connection(owner=cast(PersonRequest, request).user)
    return _tested(request, "connections/new.html", form, draft, {})


@require_http_methods(["GET", "POST"])
@connection_required(Role.READER)
def connection_detail(request: ConnectionRequest, connection: str) -> HttpResponse:
    """The form for administrators; for everybody else what they may know."""
    if request.method == "POST":
        request.need(Role.ADMIN)
    if not request.can_admin:
        return render(
            request, "connections/detail.html", {"connection": request.connection, "role": request.role}
        )
    form = ConnectionForm(request.POST or None, saved=request.connection)
    if request.method == "POST" and form.is_valid():
        before = _shown(request.connection)
        connection_update(request.connection, **form.to_values())
        after = _shown(request.connection)
        _record(request.user, "connection.update", request.connection, before=before, after=after)
        messages.success(request, _("Connection %(name)s is saved.") % {"name": request.connection.name})
        return redirect("connections:detail", connection=connection)
    return render(request, "connections/edit.html", _edit_context(request, form))


@require_POST
@connection_required(Role.ADMIN)
def connection_test(request: ConnectionRequest, connection: str) -> HttpResponse:
    """Try what the form holds, with the saved key when the form has none."""
    form = ConnectionForm(request.POST, saved=request.connection)
    context = _edit_context(request, form)
    return _tested(request, "connections/edit.html", form, request.connection, context)


@require_http_methods(["GET", "POST"])
@connection_required(Role.ADMIN)
def connection_remove(request: ConnectionRequest, connection: str) -> HttpResponse:
    form = DeleteForm(request.POST or None, connection=request.connection)
    if request.method == "POST" and form.is_valid():
        try:
            connection_delete(request.connection)
        except ConnectionInUse as error:
            form.add_error(None, str(error))
        else:
            _record(request.user, "connection.delete", request.connection, before=_shown(request.connection))
            messages.success(
                request, _("Connection %(name)s is deleted.") % {"name": request.connection.name}
            )
            return redirect("connections:list")
    return render(request, "connections/delete.html", {"form": form, "connection": request.connection})


@require_POST
@connection_required(Role.ADMIN)
def member_add(request: ConnectionRequest, connection: str) -> HttpResponse:
    form = MemberForm(request.POST, connection=request.connection)
    if not form.is_valid():
        context = _edit_context(request, ConnectionForm(saved=request.connection), members=form)
        return render(request, "connections/edit.html", context)
    member = member_set(
        connection=request.connection, person=form.cleaned_data["person"], role=form.cleaned_data["role"]
    )
    after = {str(member.person): Role(member.role).name.lower()}
    _record(request.user, "member.set", request.connection, after=after)
    messages.success(request, _("%(person)s is let in.") % {"person": member.person})
    return redirect("connections:detail", connection=connection)


@require_POST
@connection_required(Role.ADMIN)
def member_remove(request: ConnectionRequest, connection: str, member: int) -> HttpResponse:
    found = get_object_or_404(request.connection.members.select_related("person"), pk=member)
    found.delete()
    before = {str(found.person): Role(found.role).name.lower()}
    _record(request.user, "member.remove", request.connection, before=before)
    messages.success(request, _("%(person)s is no longer let in.") % {"person": found.person})
    return redirect("connections:detail", connection=connection)


def _record(
    person: Person, verb: str, connection: Connection, *, before: Any = None, after: Any = None
) -> None:
    activity_record(person=person, verb=verb, connection=connection.slug, before=before, after=after)


def _shown(connection: Connection) -> dict[str, str]:
    """Return what the log keeps of a connection; of its key only what tells it from another."""
    names = ("name", "provider", "scheme", "suffix", "connect_to", "appid", "default_region")
    fields = {name: str(getattr(connection, name)) for name in names}
    return fields | {"secret_id": connection.masked_secret_id}


def _tested(
    request: HttpRequest, page: str, form: ConnectionForm, draft: Connection, context: dict[str, object]
) -> HttpResponse:
    """Render the outcome of a test: for htmx beside the button, else on the whole page."""
    check = connection_check(connection_draft(draft, **form.to_values())) if form.is_valid() else None
    is_fragment = cast(PersonRequest, request).htmx
    template = "connections/_form.html#connection-check" if is_fragment else page
    return render(request, template, context | {"form": form, "check": check, "is_tested": True})


def _edit_context(
    request: ConnectionRequest, form: ConnectionForm, members: MemberForm | None = None
) -> dict[str, object]:
    return {
        "form": form,
        "connection": request.connection,
        "members": list(request.connection.members.select_related("person")),
        "member_form": members or MemberForm(connection=request.connection),
    }
