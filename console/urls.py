from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from apps.connections import urls as connections
from apps.transfers import urls as transfers
from console.views import command, home

urlpatterns = [
    path("", home.home, name="home"),
    path("search/", command.command, name="command"),
    path("", include("apps.accounts.urls")),
    path("", include("apps.buckets.urls")),
    path("", include("apps.objects.urls")),
    path("", include("apps.transfers.urls")),
    path("", include("apps.jobs.urls")),
    path("", include("apps.connections.urls")),
    path("", include("apps.access.urls")),
    path("", include("apps.batches.urls")),
    path("", include("apps.inventory.urls")),
    path("", include("apps.sharing.urls")),
    path("", include(connections.activity_urls)),
    path("", include(connections.places_urls)),
    path("", include(transfers.unfinished_urls)),
    path("language/", login_not_required(set_language), name="set_language"),
]
