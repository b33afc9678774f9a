from __future__ import annotations

from django.urls import path

from apps.buckets.views import listing, making, overview, removal

app_name = "buckets"
BUCKET = "b/<slug:connection>/<str:bucket>/"
urlpatterns = [
    path("buckets/", listing.bucket_list, name="list"),
    path("buckets/facts/", listing.bucket_facts, name="facts"),
    path("buckets/new/", making.bucket_new, name="create"),
    path("buckets/name-check/", making.bucket_name_check, name="name-check"),
    path(BUCKET, overview.bucket_overview, name="overview"),
    path(f"{BUCKET}danger/", removal.bucket_danger, name="danger"),
    path(f"{BUCKET}empty/", removal.bucket_empty, name="empty"),
    path(f"{BUCKET}delete/", removal.bucket_remove, name="delete"),
]
