from __future__ import annotations

import json
from http import HTTPStatus
from itertools import accumulate
from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.transfers import tasks
from apps.transfers.forms.uploads import UploadStartForm
from apps.transfers.paths import origin_of, path_for
from apps.transfers.services.batches import BatchPaused
from apps.transfers.services.beginning import BatchEnded
from apps.transfers.services.packs import (
    PACK_BYTES_MAX,
    PACK_FILES_MAX,
    DiskFull,
    PackedFile,
    PackWaits,
    pack_require_room,
    pack_take,
)
from apps.transfers.views.answers import batch_heard, place_of, refusal

SENT_TOGETHER = 10
HEAD_MAX = 512 * 1024


class PackBroken(Exception):
    """What was sent is no pack: its head does not fit what follows."""


@require_POST
@connection_required(Role.WRITER)
def upload_pack(request: ConnectionRequest, connection: str, bucket: str, parent: UUID) -> HttpResponse:
    """Take small files of a batch: one line of JSON that lists them, then their bytes one after the other.

    Answers which of them were taken; the others are to be sent by themselves.
    """
    path = path_for(request.connection, bucket, origin_of(request))
    if path.is_direct or path.is_impossible:
        return refusal(HTTPStatus.CONFLICT, _("Files may only be sent directly here."))
    try:
        batch = batch_heard(request, bucket, parent)
        listed, contents = _pack_of(request)
        pack_require_room(batch)
        files = _files_of(listed, contents, place_of(request))
        taken = pack_take(batch=batch, files=[file for file in files if file is not None])
    except PackBroken:
        return refusal(HTTPStatus.BAD_REQUEST, _("The files did not arrive as they were announced."))
    except BatchPaused:
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, _("These files are paused."))
    except BatchEnded:
        return refusal(HTTPStatus.GONE, _("These files were canceled."))
    except PackWaits:
        # Nothing is wrong, and a browser would report a 429.
        return JsonResponse({"taken": [], "waits": _("Waiting for the store.")})
    except DiskFull:
        sentence = _("The console's disk is full. The upload waits until there is room.")
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, sentence)
    ids = [transfer_id for transfer_id in taken if transfer_id is not None]
    for start in range(0, len(ids), SENT_TOGETHER):
        tasks.publish(tasks.send_files, transfer_ids=ids[start : start + SENT_TOGETHER])
    found = iter(taken)
    return JsonResponse({"taken": [file is not None and next(found) is not None for file in files]})


def _pack_of(request: ConnectionRequest) -> tuple[list[dict[str, Any]], list[memoryview]]:
    """Return what is said of each file of a pack, and its bytes; raises PackBroken."""
    if int(request.headers.get("Content-Length") or 0) > PACK_BYTES_MAX + HEAD_MAX:
        raise PackBroken
    head, _newline, body = request.body.partition(b"\n")
    try:
        listed: list[dict[str, Any]] = list(json.loads(head)["files"])
        sizes = [int(one["size"]) for one in listed]
    except (ValueError, KeyError, TypeError):
        raise PackBroken from None
    if not 0 < len(listed) <= PACK_FILES_MAX or min(sizes) < 0 or sum(sizes) != len(body):
        raise PackBroken
    view = memoryview(body)
    return listed, [view[end - size : end] for size, end in zip(sizes, accumulate(sizes), strict=True)]


def _files_of(
    listed: list[dict[str, Any]], contents: list[memoryview], place: str
) -> list[PackedFile | None]:
    """Return the files of a pack, None for one whose name or options a person has to hear about."""
    return [_file_of(said, content, place) for said, content in zip(listed, contents, strict=True)]


def _file_of(said: dict[str, Any], content: memoryview, place: str) -> PackedFile | None:
    form = UploadStartForm(said, place=place)
    if not form.is_valid() or form.cleaned_data["size"] != len(content):
        return None
    return PackedFile(wanted=form.to_wanted(), replace=form.cleaned_data["replace"], content=content)
