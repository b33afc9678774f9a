from __future__ import annotations

from django.urls import path

from apps.objects.views import (
    changes,
    checks,
    columns,
    detail,
    download,
    folder,
    headers,
    listing,
    preview,
    reading,
    siblings,
    zips,
)

app_name = "objects"
urlpatterns = [
    path("b/<slug:connection>/<str:bucket>/objects/", listing.object_list, name="list"),
    path("b/<slug:connection>/<str:bucket>/objects/checks/", checks.objects_checked, name="checks"),
    path("b/<slug:connection>/<str:bucket>/objects/columns/", columns.columns_choose, name="columns"),
    path("b/<slug:connection>/<str:bucket>/objects/folder/", folder.folder_new, name="folder-create"),
    path("b/<slug:connection>/<str:bucket>/objects/siblings/", siblings.folder_siblings, name="siblings"),
    path("b/<slug:connection>/<str:bucket>/objects/zip/", zips.objects_zip, name="zip"),
    path("b/<slug:connection>/<str:bucket>/object/", detail.object_detail, name="detail"),
    path("b/<slug:connection>/<str:bucket>/object/preview/", preview.object_preview, name="preview"),
    path("b/<slug:connection>/<str:bucket>/object/content", preview.object_content, name="content"),
    path("b/<slug:connection>/<str:bucket>/object/download", download.object_download, name="download"),
    path("b/<slug:connection>/<str:bucket>/object/read/", reading.object_read, name="read"),
    path("b/<slug:connection>/<str:bucket>/object/headers/", headers.object_headers, name="headers"),
    path("b/<slug:connection>/<str:bucket>/object/delete/", changes.object_remove, name="delete"),
    path("b/<slug:connection>/<str:bucket>/object/copy/", changes.object_copy, name="copy"),
]
