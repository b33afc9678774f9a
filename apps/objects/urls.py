from __future__ import annotations

from django.urls import path

from apps.objects import views

app_name = "objects"
urlpatterns = [
    path("b/<slug:connection>/<str:bucket>/objects/", views.object_list, name="list"),
    path("b/<slug:connection>/<str:bucket>/objects/folder/", views.folder_new, name="folder-create"),
    path("b/<slug:connection>/<str:bucket>/object/", views.object_detail, name="detail"),
    path("b/<slug:connection>/<str:bucket>/object/download", views.object_download, name="download"),
    path("b/<slug:connection>/<str:bucket>/object/delete/", views.object_remove, name="delete"),
    path("b/<slug:connection>/<str:bucket>/object/copy/", views.object_copy, name="copy"),
]
