from __future__ import annotations

from http import HTTPStatus
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.buckets.forms.making import BucketForm, NewBucketForms
from apps.buckets.services.making import bucket_create, name_find
from apps.connections.guards import PersonRequest
from apps.connections.models import Connection
from apps.connections.rules import explain
from apps.storage.errors import Conflict, Denied, Refused, StorageError, Throttled, Unavailable


@require_http_methods(["GET", "POST"])
def bucket_new(request: HttpRequest) -> HttpResponse:
    """Ask for a new bucket and create it. Whatever the store answers, nothing that was typed is lost."""
    request = cast(PersonRequest, request)
    connections = list(Connection.objects.administered_by(request.user))
    if not connections:
        return render(request, "buckets/new.html", {"form": None})
    if request.method != "POST":
        chosen = request.GET.get("connection", "")
        return _page(request, NewBucketForms(connections=connections, connection=chosen))
    more = request.POST.get("more", "")
    if more in ("grants", "tags"):
        forms = NewBucketForms.with_more(request.POST, connections=connections, more=more)
        return _page(request, forms, fragment=f"#bucket-{more}" if request.htmx else "")
    forms = NewBucketForms(request.POST, connections=connections)
    if not forms.is_valid():
        return _page(request, forms)
    return _create(request, forms)


@require_GET
def bucket_name_check(request: HttpRequest) -> HttpResponse:
    """What is to be said about a name while it is typed: its rules, its length, and whose it is."""
    request = cast(PersonRequest, request)
    connections = list(Connection.objects.administered_by(request.user))
    if not connections:
        return HttpResponse(status=HTTPStatus.FORBIDDEN)
    form = BucketForm(request.GET, connections=connections)
    form.is_valid()
    context: dict[str, object] = {"form": form}
    if form.full_name and form.short_name:
        context["problem_of_name"] = " ".join(str(said) for said in form.errors.get("name", []))
        if not form.errors.get("name") and "region" in form.cleaned_data:
            region = form.cleaned_data["region"]
            finding = name_find(form.to_connection(), bucket=form.full_name, region=region)
            context["finding"] = finding
            context["trouble"] = explain(finding.error) if finding.error else None
    return render(request, "buckets/new.html#bucket-name-help", context)


def _create(request: PersonRequest, forms: NewBucketForms) -> HttpResponse:
    connection, bucket = forms.bucket.to_connection(), forms.bucket.full_name
    data = forms.bucket.cleaned_data
    try:
        bucket_create(
            connection,
            person=request.user,
            bucket=bucket,
            region=data["region"],
            acl=data["acl"],
            grants=forms.to_grants(),
            tags=forms.to_tags(),
        )
    except StorageError as error:
        if said := _name_refusal(error):
            forms.bucket.add_error("name", said)
            return _page(request, forms)
        return _page(request, forms, error=error)
    messages.success(request, _("Created the bucket %(name)s.") % {"name": bucket})
    return redirect("buckets:overview", connection=connection.slug, bucket=bucket)


def _page(
    request: PersonRequest, forms: NewBucketForms, *, fragment: str = "", error: StorageError | None = None
) -> HttpResponse:
    context = {
        "form": forms.bucket,
        "grants": forms.grants,
        "tags": forms.tags,
        "problem": explain(error) if error else None,
        "is_uncertain": isinstance(error, Unavailable),
    }
    status = _status_of(error) if error else HTTPStatus.OK
    return render(request, f"buckets/new.html{fragment}", context, status=status)


def _name_refusal(error: StorageError) -> str:
    """Return a sentence for an answer that is about the name, '' for any other."""
    match error.code:
        case "BucketAlreadyOwnedByYou":
            return _("You have a bucket with this name already.")
        case "BucketAlreadyExists":
            return _("Somebody else has a bucket with this name. Choose another one.")
        case "TooManyBuckets":
            return _("This account has as many buckets as it may have (%(code)s).") % {"code": error.code}
        case "InvalidBucketName":
            return f"{error} {error.request_id}".strip()
        case _other:
            return ""


def _status_of(error: StorageError) -> HTTPStatus:
    match error:
        case Denied():
            return HTTPStatus.FORBIDDEN
        case Throttled() | Unavailable():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case Conflict():
            return HTTPStatus.CONFLICT
        case Refused():
            return HTTPStatus.BAD_REQUEST
        case _other:
            return HTTPStatus.BAD_GATEWAY
