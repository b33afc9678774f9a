from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.objects.columns import COOKIE, COOKIE_AGE_S, layout_write
from apps.objects.forms.listing import ColumnsForm
from apps.objects.views.places import page_url


@require_POST
@connection_required(Role.READER)
def columns_choose(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Remember which columns this person wants, and go back to the list."""
    form = ColumnsForm(request.POST)
    query = form.cleaned_data.get("query", "") if form.is_valid() else ""
    url = page_url(request, "list")
    response = HttpResponseRedirect(f"{url}?{query}" if query else url)
    if form.is_valid():
        response.set_cookie(
            COOKIE,
            layout_write(form.to_layout()),
            max_age=COOKIE_AGE_S,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
    return response
