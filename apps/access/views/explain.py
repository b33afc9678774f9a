"""Who can open this? Asked for an address or a key, answered for what the person's connections hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.access.forms.explain import AskForm, origin_of
from apps.access.rules.acl import access_summary, access_unknown, object_access_summary
from apps.access.rules.answers import Explained, Origin
from apps.access.rules.raw import raw_grants
from apps.access.rules.verdicts import Verdict, browser_words, note_words
from apps.access.services.acl import Place
from apps.access.services.addresses import NOTES, Meant, NotYours, bucket_of, bucket_place, meant_by
from apps.access.services.explaining import near_find, place_explain
from apps.connections.guards import PersonRequest
from apps.connections.models import Connection
from apps.connections.rules import explain
from apps.connections.services import store_for
from apps.storage.errors import Refused, StorageError
from apps.storage.keys import key_query


@require_http_methods(["GET", "POST"])
def access_explain(request: HttpRequest) -> HttpResponse:
    """Read what was pasted and go to the page about it, whose address holds no signature."""
    request = cast(PersonRequest, request)
    asked = request.POST if request.method == "POST" else request.GET
    connections = _ordered(request, asked.get("connection", ""))
    if request.method == "GET" and "url" not in asked:
        return _answered(request, connections)
    form = AskForm(asked, connections=connections)
    if not form.is_valid():
        return _page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        meant = meant_by(form.cleaned_data["url"], connections, bucket=form.cleaned_data["bucket"])
    except NotYours as error:
        form.add_error("url", _not_yours(error))
        return _page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return redirect(_url_of(meant, form.to_origin()))


def _answered(request: PersonRequest, connections: Sequence[Connection]) -> HttpResponse:
    """Explain the bucket or object that the address of the page names."""
    asked = request.GET
    bucket, key = asked.get("bucket", ""), asked.get("key", "")
    initial = {name: asked.get(name, "") for name in ("connection", "bucket", "origin", "method")}
    form = AskForm(initial=initial | {"url": key or bucket}, connections=connections)
    if not bucket:
        return _page(request, form)
    likeliest = next((one for one in connections if one.slug == asked.get("connection")), None)
    meant = bucket_place(connections, likeliest, bucket)
    if meant is None and likeliest is not None:
        meant = bucket_of(likeliest, bucket)
    if meant is None:
        context = {"stranger": bucket}
        return _page(request, form, context, status=HTTPStatus.NOT_FOUND)
    try:
        store = store_for(meant.connection)
        if key:
            store.key_check(key)
    except Refused as error:
        return _page(request, form, {"impossible": error.message}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except StorageError as error:
        return _page(request, form, {"problem": explain(error)}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    place = Place(store, meant.bucket, meant.region, key)
    if "\n" in key or "\r" in key:
        # A line of text takes no line breaks: a browser would leave them out, and ask about another key.
        form.initial["url"] = store.object_url(bucket=meant.bucket, region=meant.region, key=key)
    origin = origin_of(asked.get("origin", ""), asked.get("method", ""))
    answers = place_explain(place, origin=origin)
    context = _verdict(place, answers, origin) | _address(request, meant, place)
    return _page(request, form, context | _near(meant, place, answers))


def _verdict(place: Place, answers: Explained, origin: Origin | None) -> dict[str, Any]:
    verdict = Verdict(answers, place.key)
    acl, bucket_acl = verdict.acl, answers.bucket_acl.value
    summary = access_unknown()
    if acl is not None:
        summary = object_access_summary(acl, bucket_acl) if verdict.has_object else access_summary(acl)
    return {
        "verdict": verdict,
        "rights": verdict.rights,
        "summary": summary,
        "raw": raw_grants(verdict.deciding) if verdict.deciding else [],
        "info": answers.info.value if answers.info else None,
        "browser": browser_words(answers.preflight, origin) if answers.preflight and origin else "",
    }


def _address(request: PersonRequest, meant: Meant, place: Place) -> dict[str, Any]:
    """Return what there is to say about the address, and the pages of what it means."""
    asked = request.GET
    said, expires = asked.get("said", ""), asked.get("expires", "")
    at, key = [meant.connection.slug, meant.bucket], f"?key={key_query(place.key)}"
    expires_at = datetime.fromtimestamp(int(expires[:10]), UTC) if expires.isdecimal() else None
    return {
        "meant": meant,
        "key": place.key,
        "said_region": said if said != meant.region else "",
        "expires_at": expires_at,
        "is_expired": expires_at is not None and expires_at < timezone.now(),
        "notes": [note_words(note) for note in NOTES if note in asked.getlist("note")],
        "plain_url": place.store.object_url(bucket=place.bucket, region=place.region, key=place.key)
        if place.key
        else "",
        "bucket_access_url": reverse("access:bucket", args=at),
        "object_access_url": reverse("access:object", args=at) + key,
        "objects_url": reverse("objects:list", args=at),
    }


def _near(meant: Meant, place: Place, answers: Explained) -> dict[str, Any]:
    near = near_find(place, answers)
    urls = [
        (key, _url_of(Meant(meant.connection, meant.bucket, meant.region, key), None)) for key in near or ()
    ]
    return {"near": urls, "is_near_unknown": near is None and answers.is_object_missing}


def _url_of(meant: Meant, origin: Origin | None) -> str:
    """Return our own address of the page about this; no signature is ever part of it."""
    query = [("connection", meant.connection.slug), ("bucket", meant.bucket), ("key", meant.key)]
    if meant.said_region:
        query.append(("said", meant.said_region))
    if meant.expires_at:
        query.append(("expires", str(int(meant.expires_at.timestamp()))))
    query += [("note", note) for note in meant.notes]
    if origin:
        query += [("origin", origin.origin), ("method", origin.method)]
    return f"{reverse('access:explain')}?{urlencode(query)}"


def _ordered(request: PersonRequest, chosen: str) -> list[Connection]:
    """Return the connections that the person may see, the chosen one first."""
    found = Connection.objects.visible_to(request.user).select_related("owner")
    return sorted(found, key=lambda one: one.slug != chosen)


def _not_yours(error: NotYours) -> str:
    if error.is_address:
        return _(
            "%(host)s is no bucket of your connections. Nothing was sent there. For a CDN or a domain of "
            "your own, enter the bucket behind it below."
        ) % {"host": error.host or "?"}
    return _("This is no address, and no bucket of your connections begins it. Enter the bucket below.")


def _page(
    request: PersonRequest,
    form: AskForm,
    context: dict[str, Any] | None = None,
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    return render(request, "access/explain.html", {"form": form} | (context or {}), status=status)
