from __future__ import annotations

from django.urls import path

from apps.connections.views import activity, places, saved

app_name = "connections"
urlpatterns = [
    path("connections/", saved.connection_list, name="list"),
    path("connections/new/", saved.connection_new, name="new"),
    path("connections/test/", saved.connection_new_test, name="new-test"),
    path("connections/<slug:connection>/", saved.connection_detail, name="detail"),
    path("connections/<slug:connection>/test/", saved.connection_test, name="test"),
    path("connections/<slug:connection>/delete/", saved.connection_remove, name="delete"),
    path("connections/<slug:connection>/members/", saved.member_add, name="member-add"),
    path(
        "connections/<slug:connection>/members/<int:member>/remove/",
        saved.member_remove,
        name="member-remove",
    ),
]

# The log itself is below the connections, and so cannot know who may see what of it.
activity_urls = (
    [
        path("activity/", activity.activity_list, name="list"),
        path("activity/export.csv", activity.activity_csv, name="export-csv"),
        path("activity/export.json", activity.activity_json, name="export-json"),
        path("activity/check/", activity.activity_check, name="check"),
        path("b/<slug:connection>/<str:bucket>/history/", activity.bucket_history, name="bucket"),
    ],
    "activity",
)

places_urls = (
    [
        path("b/<slug:connection>/<str:bucket>/place/", places.place_seen, name="visit"),
        path("b/<slug:connection>/<str:bucket>/place/star/", places.place_toggle, name="toggle"),
    ],
    "places",
)
