from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="buckets:list"), name="home"),
    path("", include("apps.accounts.urls")),
    path("", include("apps.buckets.urls")),
    path("", include("apps.objects.urls")),
    path("", include("apps.transfers.urls")),
    path("", include("apps.jobs.urls")),
    path("", include("apps.connections.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
]
