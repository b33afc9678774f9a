from __future__ import annotations

from django.urls import path

from apps.buckets import views

app_name = "buckets"
urlpatterns = [
    path("buckets/", views.bucket_list, name="list"),
    path("buckets/new/", views.bucket_new, name="create"),
    path("b/<slug:connection>/<str:bucket>/delete/", views.bucket_remove, name="delete"),
]
