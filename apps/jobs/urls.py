from __future__ import annotations

from django.urls import path

from apps.jobs import events, views

app_name = "jobs"
urlpatterns = [
    path("jobs/", views.job_list, name="list"),
    path("jobs/tray/", views.job_tray, name="tray"),
    path("jobs/events/", events.job_events, name="events"),
    path("jobs/<uuid:job_id>/", views.job_detail, name="detail"),
    path("jobs/<uuid:job_id>/files/", views.job_files, name="files"),
]
