from __future__ import annotations

from django.urls import path

from apps.connections import views

app_name = "connections"
urlpatterns = [
    path("connections/", views.connection_list, name="list"),
    path("connections/new/", views.connection_new, name="new"),
    path("connections/test/", views.connection_new_test, name="new-test"),
    path("connections/<slug:connection>/", views.connection_detail, name="detail"),
    path("connections/<slug:connection>/test/", views.connection_test, name="test"),
    path("connections/<slug:connection>/delete/", views.connection_remove, name="delete"),
    path("connections/<slug:connection>/members/", views.member_add, name="member-add"),
    path(
        "connections/<slug:connection>/members/<int:member>/remove/",
        views.member_remove,
        name="member-remove",
    ),
]
