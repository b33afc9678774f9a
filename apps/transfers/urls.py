from __future__ import annotations

from django.urls import path

from apps.transfers.views import states, uploads

app_name = "transfers"
urlpatterns = [
    path("b/<slug:connection>/<str:bucket>/uploads/", uploads.upload_start, name="upload-start"),
    path("transfers/<uuid:job>/", uploads.transfer_state, name="state"),
    path("transfers/<uuid:job>/pause/", states.transfer_pause, name="pause"),
    path("transfers/<uuid:job>/resume/", states.transfer_resume, name="resume"),
    path("transfers/<uuid:job>/retry/", states.transfer_resume, name="retry"),
    path("transfers/<uuid:job>/cancel/", states.transfer_cancel, name="cancel"),
]
