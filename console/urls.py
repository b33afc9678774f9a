from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="buckets:list"), name="home"),
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
    path("", include("apps.activity.urls")),
    path("language/", login_not_required(set_language), name="set_language"),
]
