from __future__ import annotations

from django.urls import path

from apps.access.views import acl

app_name = "access"
urlpatterns = [
    path("b/<slug:connection>/<str:bucket>/access/", acl.bucket_access, name="bucket"),
    path("b/<slug:connection>/<str:bucket>/object/access/", acl.object_access, name="object"),
]
