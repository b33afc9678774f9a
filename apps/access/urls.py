from __future__ import annotations

from django.urls import path

from apps.access.views import acl, cors, explain, lab, tags

app_name = "access"
urlpatterns = [
    path("explain/", explain.access_explain, name="explain"),
    path("b/<slug:connection>/<str:bucket>/access/", acl.bucket_access, name="bucket"),
    path("b/<slug:connection>/<str:bucket>/object/access/", acl.object_access, name="object"),
    path("b/<slug:connection>/<str:bucket>/cors/", cors.cors_edit, name="cors"),
    path(
        "b/<slug:connection>/<str:bucket>/cors/versions/<int:version>/restore/",
        cors.cors_restore,
        name="cors-restore",
    ),
    path("b/<slug:connection>/<str:bucket>/cors/lab/", lab.cors_lab, name="lab"),
    path("b/<slug:connection>/<str:bucket>/cors/lab/pin/", lab.cors_pin, name="cors-pin"),
    path("b/<slug:connection>/<str:bucket>/cors/lab/run/", lab.cors_tests, name="cors-tests"),
    path("b/<slug:connection>/<str:bucket>/cors/lab/<int:test>/unpin/", lab.cors_unpin, name="cors-unpin"),
    path("b/<slug:connection>/<str:bucket>/tags/", tags.bucket_tags, name="tags"),
    path("b/<slug:connection>/<str:bucket>/tags/suggestions/", tags.tag_suggestions, name="tags-suggestions"),
]
