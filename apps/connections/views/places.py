"""The star beside a folder's name, which also remembers that somebody was there."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.connections.crumbs import bucket_url
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Place, Role
from apps.connections.places import TooManyFavorites, place_star, place_visit

PREFIX_MAX = 850


@require_POST
@connection_required(Role.READER)
def place_seen(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """The page asks for its star once it is shown, so that a list of any size waits for no write."""
    place = place_visit(
        person=request.user,
        connection=request.connection,
        bucket=bucket,
        prefix=_prefix(request),
        now=timezone.now(),
    )
    return _star(request, place)


@require_POST
@connection_required(Role.READER)
def place_toggle(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    try:
        place = place_star(
            person=request.user,
            connection=request.connection,
            bucket=bucket,
            prefix=_prefix(request),
            is_favorite=request.POST.get("is_favorite", "1") == "1",
            now=timezone.now(),
        )
    except TooManyFavorites:
        return _refused(request)
    if request.htmx:
        return _star(request, place)
    return redirect(_back(request))


def _star(request: ConnectionRequest, place: Place) -> HttpResponse:
    return render(request, "_parts/star.html", {"place": place, "star_prefix": place.prefix})


def _refused(request: ConnectionRequest) -> HttpResponse:
    text = _("You have as many favorites as fit. Take the star off another folder first.")
    if request.htmx:
        return render(request, "_parts/toast.html", {"text": text, "level": "error"}, status=409)
    messages.error(request, text)
    return redirect(_back(request))


def _back(request: ConnectionRequest) -> str:
    return bucket_url(request, "objects:list", prefix=_prefix(request))


def _prefix(request: ConnectionRequest) -> str:
    prefix = request.GET.get("prefix", "")
    return prefix if len(prefix.encode(errors="surrogatepass")) <= PREFIX_MAX else ""
