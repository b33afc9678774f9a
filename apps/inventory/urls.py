from __future__ import annotations

from django.urls import path

from apps.inventory.views import figures, search, sizes, walks

app_name = "inventory"
urlpatterns = [
    path("b/<slug:connection>/<str:bucket>/figures/", figures.bucket_figures, name="figures"),
    path("b/<slug:connection>/<str:bucket>/search/", search.bucket_search, name="search"),
    path("b/<slug:connection>/<str:bucket>/size/", sizes.folder_size, name="folder-size"),
    path("b/<slug:connection>/<str:bucket>/inventory/start/", walks.walk_start, name="start"),
    path("jobs/<uuid:job>/walk/", walks.job_parts, name="job-parts"),
    path("jobs/<uuid:job>/walk/pause/", walks.walk_pause, name="pause"),
    path("jobs/<uuid:job>/walk/resume/", walks.walk_resume, name="resume"),
    path("jobs/<uuid:job>/walk/retry/", walks.walk_retry, name="retry"),
    path("jobs/<uuid:job>/walk/cancel/", walks.walk_cancel, name="cancel"),
]
