from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest, PersonRequest, connection_required
from apps.connections.models import Connection, Role
from apps.sharing.forms import LinkListForm, ShareForm
from apps.sharing.models import ShareLink
from apps.sharing.rules import lifetime_max, name_of
from apps.sharing.services import is_key_temporary, links_forget, share_create
from apps.storage.keys import key_name, key_parent, key_query, visible
from apps.storage.types import ObjectRef
from apps.transfers.fields import KeyField

PER_PAGE = 50


@require_http_methods(["GET", "POST"])
@connection_required(Role.READER)
def share_new(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Ask what a link shall do, sign it, and show it on this answer and never again."""
    ref = ObjectRef(bucket=bucket, region=request.region, key=_key_of(request))
    info = request.store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
    is_temporary = is_key_temporary(request.connection)
    form = ShareForm(
        request.POST or None,
        longest=lifetime_max(is_key_temporary=is_temporary),
        initial={"filename": name_of(ref.key)},
    )
    link, url = None, ""
    if request.method == "POST" and form.is_valid():
        link, url = share_create(
            person=request.user,
            connection=request.connection,
            ref=ref,
            wish=form.to_wish(),
            now=timezone.now(),
        )
    features = request.store.features
    context = _object_context(request, ref.key) | {
        "form": form,
        "info": info,
        "link": link,
        "url": url,
        "is_key_temporary": is_temporary,
        "is_archived": info.storage_class in features.archive_classes,
        "may_force_download": features.may_force_download,
    }
    response = render(request, "sharing/new.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_GET
def link_list(request: HttpRequest) -> HttpResponse:
    """Who made which link, and until when it works."""
    request = cast(PersonRequest, request)
    now = timezone.now()
    form = LinkListForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {"who": "mine", "state": "active"}
    visible_links = ShareLink.objects.visible_to(request.user)
    links = visible_links.select_related("connection")
    if wanted["who"] == "mine":
        links = links.filter(person=request.user)
    if wanted["state"] != "all":
        links = links.active(now) if wanted["state"] == "active" else links.expired(now)
    if wanted.get("connection"):
        links = links.filter(connection__slug=wanted["connection"])
    if wanted.get("q"):
        links = links.filter(key__contains=wanted["q"])
    page = Paginator(links, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(link, _object_url(link), link.is_expired(now)) for link in page.object_list],
        "wanted": wanted,
        "connections": Connection.objects.visible_to(request.user),
        "sees_others": Connection.objects.administered_by(request.user).exists(),
        "expired_count": visible_links.expired(now).count(),
        "query": request.GET.urlencode(),
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    return render(request, "sharing/list.html" + ("#link-list" if is_fragment else ""), context)


@require_POST
def link_forget(request: HttpRequest) -> HttpResponse:
    """Remove the expired links from the list. They stopped working by themselves."""
    request = cast(PersonRequest, request)
    count = links_forget(request.user, now=timezone.now())
    text = ngettext("Forgot %(count)s expired link.", "Forgot %(count)s expired links.", count)
    messages.success(request, text % {"count": count})
    return redirect("sharing:list")


def _object_context(request: ConnectionRequest, key: str) -> dict[str, Any]:
    return {
        "key": key,
        "name": visible(key_name(key)),
        "detail_url": bucket_url(request, "objects:detail", key=key),
        "action": bucket_url(request, "sharing:create", key=key),
        "crumbs": [
            *bucket_crumbs(request, key_parent(key)),
            {"label": key_name(key), "url": bucket_url(request, "objects:detail", key=key)},
            {"label": _("Share"), "url": ""},
        ],
    }


def _object_url(link: ShareLink) -> str:
    path = reverse("objects:detail", args=[link.connection.slug, link.bucket])
    return f"{path}?key={key_query(link.key)}"


def _key_of(request: ConnectionRequest) -> str:
    """Return the key from the query string; one that cannot exist is not found."""
    try:
        key: str = KeyField().clean(request.GET.get("key", ""))
    except ValidationError:
        raise Http404 from None
    return key
