"""Changing what an object says about itself: a form, the difference, and then the copy."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from apps.activity.services import activity_record
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.objects.forms.headers import HeadersForm, preset_applied
from apps.objects.previews import is_archived
from apps.objects.rewriting import (
    HeadersChanged,
    Seen,
    changes_between,
    headers_document,
    headers_replace,
    seen_of,
    seen_unpack,
)
from apps.objects.views.places import object_context, page_url, ref_of
from apps.storage.errors import StorageError
from apps.storage.keys import key_name, visible
from apps.storage.types import ObjectHeaders, ObjectInfo, ObjectRef


@require_http_methods(["GET", "POST"])
@connection_required(Role.WRITER)
def object_headers(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Each button of the form is a step; only one of them saves."""
    ref = ref_of(request)
    info = request.store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
    obstacle = _obstacle(request, info)
    if obstacle or request.method == "GET":
        form = HeadersForm(seen=seen_of(info).headers, features=request.store.features)
        return _page(request, ref, seen_of(info), form, {"info": info, "obstacle": obstacle})
    seen = seen_unpack(request.POST.get("seen", "")) or seen_of(info)
    form = HeadersForm(request.POST, seen=seen.headers, features=request.store.features)
    step, _colon, detail = request.POST.get("step", "review").partition(":")
    if step in ("add", "remove", "preset", "edit"):
        context = {"info": info, "is_line_added": step == "add"}
        return _page(request, ref, seen, _altered(request, form, step, detail), context)
    if not form.is_valid():
        return _page(request, ref, seen, form, {"info": info}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    wanted = form.to_headers()
    changes = changes_between(seen.headers, wanted)
    if step != "save" or not changes:
        return _page(request, ref, seen, form, {"info": info, "is_review": True, "changes": changes})
    return _save(request, ref, seen, form, wanted)


def _save(
    request: ConnectionRequest, ref: ObjectRef, seen: Seen, form: HeadersForm, wanted: ObjectHeaders
) -> HttpResponse:
    context: dict[str, Any] = {"is_review": True, "changes": changes_between(seen.headers, wanted)}
    try:
        rewritten = headers_replace(request.store, ref=ref, seen=seen, wanted=wanted)
    except HeadersChanged as error:
        context |= {
            "is_conflict": True,
            "is_content_changed": error.seen.etag != seen.etag,
            "theirs": changes_between(seen.headers, error.seen.headers),
            "changes": changes_between(error.seen.headers, wanted),
        }
        return _page(request, ref, error.seen, form, context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except StorageError as error:
        context["problem"] = explain(error)
        return _page(request, ref, seen, form, context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    activity_record(
        person=request.user,
        verb="object.headers",
        connection=request.connection.slug,
        bucket=ref.bucket,
        key=ref.key,
        before=headers_document(seen.headers),
        after=headers_document(rewritten.seen.headers),
    )
    messages.success(request, _("Changed the headers of %(name)s.") % {"name": visible(key_name(ref.key))})
    if not rewritten.is_acl_kept:
        messages.warning(request, _("The access of the object is not what it was. Look at it now."))
    url = page_url(request, "detail", key=ref.key, tab="headers")
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def _altered(request: ConnectionRequest, form: HeadersForm, step: str, detail: str) -> HeadersForm:
    """Return the form with a line more or less, or with a preset; what was typed stays."""
    data = request.POST.copy()
    names, values = data.getlist("meta_name"), data.getlist("meta_value")
    if step == "remove" and detail.isascii() and detail.isdigit() and int(detail) < len(names):
        del names[int(detail)], values[int(detail) : int(detail) + 1]
    if step == "add":
        names, values = [*names, ""], [*values, ""]
    data.setlist("meta_name", names)
    data.setlist("meta_value", values)
    if step == "preset":
        for name, value in vars(preset_applied(ObjectHeaders(), detail)).items():
            if value and name in form.fields:
                data[name] = value
    return HeadersForm(data, seen=form.seen, features=form.features)


def _obstacle(request: ConnectionRequest, info: ObjectInfo) -> str:
    """Return why this object cannot be copied onto itself, '' when it can."""
    if is_archived(request.store, info):
        return "archived"
    return "too large" if info.size > request.store.features.single_copy_max else ""


def _page(
    request: ConnectionRequest,
    ref: ObjectRef,
    seen: Seen,
    form: HeadersForm,
    context: dict[str, Any],
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context = object_context(request, ref.key) | context | {"form": form, "seen": seen.pack()}
    context |= {
        "headers_url": page_url(request, "headers", key=ref.key),
        "copy_max": request.store.features.single_copy_max,
        "archive_classes": request.store.features.archive_classes,
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    template = "objects/headers.html#object-headers" if is_fragment else "objects/headers.html"
    return render(request, template, context, status=status)
