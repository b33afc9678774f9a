from __future__ import annotations

from django.urls import path

from apps.transfers import views

app_name = "transfers"
urlpatterns = [
    path("b/<slug:connection>/<str:bucket>/uploads/", views.upload_start, name="upload-start"),
    path("transfers/<uuid:job>/", views.transfer_state, name="state"),
    path("transfers/<uuid:job>/pause/", views.transfer_pause, name="pause"),
    path("transfers/<uuid:job>/resume/", views.transfer_resume, name="resume"),
    path("transfers/<uuid:job>/retry/", views.transfer_resume, name="retry"),
    path("transfers/<uuid:job>/cancel/", views.transfer_cancel, name="cancel"),
]
