from __future__ import annotations

from django.urls import path

from apps.sharing import views

app_name = "sharing"
urlpatterns = [
    path("links/", views.link_list, name="list"),
    path("links/forget/", views.link_forget, name="forget"),
    path("b/<slug:connection>/<str:bucket>/share/", views.share_new, name="create"),
]
