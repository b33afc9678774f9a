from __future__ import annotations

from django.urls import path

from apps.transfers.views import (
    abort_rules,
    aborting,
    adopting,
    batches,
    detail,
    packs,
    parts,
    places,
    policies,
    preflight,
    resuming,
    sheet,
    states,
    stock,
    unfinished,
    uploads,
    walks,
)

app_name = "transfers"
BUCKET = "b/<slug:connection>/<str:bucket>/"
CONNECTION = "connections/<slug:connection>/"
urlpatterns = [
    path(f"{BUCKET}unfinished/", unfinished.unfinished_list, name="unfinished"),
    path(f"{BUCKET}unfinished/abort-some/", aborting.unfinished_abort_some, name="unfinished-abort-some"),
    path(f"{BUCKET}unfinished/count/", walks.unfinished_count, name="unfinished-count"),
    path(f"{BUCKET}unfinished/rule/", abort_rules.unfinished_rule, name="unfinished-rule"),
    path(f"{CONNECTION}unfinished/", unfinished.unfinished_list, name="all-unfinished"),
    path(
        f"{CONNECTION}unfinished/abort-all/",
        aborting.unfinished_abort_all,
        name="all-unfinished-abort-all",
    ),
    path(f"{CONNECTION}unfinished/count/", walks.unfinished_count, name="all-unfinished-count"),
    path(f"{CONNECTION}unfinished/rule/", abort_rules.unfinished_rule, name="all-unfinished-rule"),
    path("transfers/price/", walks.parts_price, name="parts-price"),
    path(f"{BUCKET}unfinished/upload/", stock.unfinished_upload, name="unfinished-upload"),
    path(f"{BUCKET}unfinished/parts/", stock.unfinished_parts, name="unfinished-parts"),
    path(f"{BUCKET}unfinished/digests/", adopting.unfinished_digests, name="unfinished-digests"),
    path(f"{BUCKET}unfinished/continue/", adopting.unfinished_continue, name="unfinished-continue"),
    path(f"{BUCKET}unfinished/complete/", adopting.unfinished_complete, name="unfinished-complete"),
    path(f"{BUCKET}unfinished/abort/", unfinished.unfinished_abort, name="unfinished-abort"),
    path(f"{BUCKET}unfinished/abort-all/", aborting.unfinished_abort_all, name="unfinished-abort-all"),
    path(f"{BUCKET}uploads/", uploads.upload_start, name="upload-start"),
    path("transfers/waiting/", resuming.uploads_list, name="waiting"),
    path(f"{BUCKET}uploads/path/", policies.upload_path, name="upload-path"),
    path(f"{BUCKET}uploads/worker.js", parts.direct_worker, name="direct-worker"),
    path("transfers/<uuid:job>/addresses/", parts.part_addresses, name="part-addresses"),
    path("transfers/<uuid:job>/parts/", parts.part_report, name="part-report"),
    path(f"{BUCKET}uploads/preflight/", preflight.upload_preflight, name="preflight"),
    path(f"{BUCKET}uploads/sheet/", sheet.upload_sheet, name="upload-sheet"),
    path(f"{BUCKET}uploads/start/", batches.uploads_start, name="uploads-start"),
    path(f"{BUCKET}uploads/<uuid:parent>/pack/", packs.upload_pack, name="upload-pack"),
    path("transfers/<uuid:job>/place/", places.transfer_place, name="job-place"),
    path("transfers/<uuid:job>/files/", batches.uploads_state, name="uploads-state"),
    path("transfers/<uuid:job>/", uploads.transfer_state, name="state"),
    path("transfers/<uuid:job>/digests/", resuming.upload_digests, name="digests"),
    path("jobs/<uuid:job>/transfer/", detail.job_parts, name="job-parts"),
    path("transfers/<uuid:job>/pause/", states.transfer_pause, name="pause"),
    path("transfers/<uuid:job>/resume/", states.transfer_resume, name="resume"),
    path("transfers/<uuid:job>/retry/", states.transfer_retry, name="retry"),
    path("transfers/<uuid:job>/cancel/", states.transfer_cancel, name="cancel"),
]

# A job that aborts uploads is paused and canceled as any other, and is no transfer.
unfinished_urls = (
    [
        path("unfinished/<uuid:job>/pause/", walks.walk_pause, name="pause"),
        path("unfinished/<uuid:job>/resume/", walks.walk_resume, name="resume"),
        path("unfinished/<uuid:job>/retry/", walks.walk_resume, name="retry"),
        path("unfinished/<uuid:job>/cancel/", walks.walk_cancel, name="cancel"),
    ],
    "unfinished",
)
