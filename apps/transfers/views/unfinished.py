from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.storage.errors import UploadNotFound
from apps.storage.keys import key_name, visible
from apps.transfers.crumbs import key_of
from apps.transfers.services.unfinished import jobs_of_uploads, upload_abort

PAGE_SIZE = 100


@require_GET
@connection_required(Role.READER)
def unfinished_list(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Uploads that were begun and neither completed nor aborted: they take room and keep a bucket alive."""
    prefix = key_of(request, "prefix")
    key_marker, id_marker = key_of(request, "marker"), request.GET.get("after", "")
    page = request.store.list_multipart_uploads(
        bucket=bucket,
        region=request.region,
        prefix=prefix,
        key_marker=key_marker,
        upload_id_marker=id_marker,
        limit=PAGE_SIZE,
    )
    next_url = ""
    if page.next_key_marker is not None:
        next_url = bucket_url(
            request,
            "transfers:unfinished",
            prefix=prefix,
            marker=page.next_key_marker,
            after=page.next_upload_id_marker or "",
        )
    ours = jobs_of_uploads(request.connection, [upload.upload_id for upload in page.uploads])
    context = {
        "uploads": [
            {
                "upload": upload,
                "job": ours.get(upload.upload_id),
                "url": bucket_url(
                    request, "transfers:unfinished-upload", key=upload.key, upload=upload.upload_id
                ),
                "abort_url": bucket_url(
                    request, "transfers:unfinished-abort", key=upload.key, upload=upload.upload_id
                ),
            }
            for upload in page.uploads
        ],
        "prefix": prefix,
        "next_url": next_url,
        "first_url": bucket_url(request, "transfers:unfinished", prefix=prefix) if key_marker else "",
        "abort_all_url": bucket_url(request, "transfers:unfinished-abort-all", prefix=prefix),
        "can_write": request.can_write,
        "read_at": timezone.now(),
        "crumbs": bucket_crumbs(request, end=_("Unfinished uploads")),
    }
    return render(request, "transfers/unfinished.html", context)


@require_http_methods(["GET", "POST"])
@connection_required(Role.WRITER)
def unfinished_abort(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Ask once, then throw one upload away; the parts that were sent are lost."""
    key, upload_id = key_of(request, "key"), request.GET.get("upload", "")
    if not key or not upload_id:
        raise Http404
    list_url = bucket_url(request, "transfers:unfinished")
    job = jobs_of_uploads(request.connection, [upload_id]).get(upload_id)
    if request.method == "POST" and job is None:
        try:
            upload_abort(
                request.connection,
                person=request.user,
                bucket=bucket,
                region=request.region,
                key=key,
                upload_id=upload_id,
            )
        except UploadNotFound:
            messages.warning(request, _("This upload was completed or aborted in the meantime."))
        else:
            messages.success(request, _("Aborted the upload of %(name)s.") % {"name": visible(key_name(key))})
        return redirect(list_url)
    context: dict[str, Any] = {
        "key": key,
        "upload_id": upload_id,
        "job": job,
        "list_url": list_url,
        "action": bucket_url(request, "transfers:unfinished-abort", key=key, upload=upload_id),
        "crumbs": bucket_crumbs(request, end=_("Abort upload")),
    }
    return render(request, "transfers/abort.html", context)
