from __future__ import annotations

from django.urls import path

from apps.batches.views import creating, jobs, ledger, planning

app_name = "batches"
urlpatterns = [
    path("b/<slug:connection>/<str:bucket>/batch/", creating.batch_create, name="create"),
    path("jobs/<uuid:job>/options/", planning.batch_options, name="options"),
    path("jobs/<uuid:job>/options/folders/", planning.folder_suggest, name="folders"),
    path("jobs/<uuid:job>/plan/", planning.batch_plan, name="plan"),
    path("jobs/<uuid:job>/plan/again/", planning.batch_replan, name="replan"),
    path("jobs/<uuid:job>/objects/", ledger.batch_ledger, name="ledger"),
    path("jobs/<uuid:job>/receipt.<str:form>", ledger.batch_receipt, name="receipt"),
    path("jobs/<uuid:job>/batch/", jobs.batch_job_parts, name="job-parts"),
    path("jobs/<uuid:job>/batch/pause/", jobs.batch_pause, name="pause"),
    path("jobs/<uuid:job>/batch/resume/", jobs.batch_resume, name="resume"),
    path("jobs/<uuid:job>/batch/retry/", jobs.batch_retry, name="retry"),
    path("jobs/<uuid:job>/batch/undo/", jobs.batch_undo, name="undo"),
    path("jobs/<uuid:job>/batch/cancel/", jobs.batch_cancel, name="cancel"),
]
