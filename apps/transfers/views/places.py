from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.storage.keys import key_query
from apps.transfers.views.answers import batch_of, is_batch, transfer_of


@require_safe
def transfer_place(request: HttpRequest, job: UUID) -> HttpResponse:
    """Lead to the folder that the files of a job go into."""
    if is_batch(job):
        batch = batch_of(request, job)
        return _folder(batch.connection.slug, batch.bucket, batch.prefix)
    transfer = transfer_of(request, job)
    return _folder(transfer.connection.slug, transfer.bucket, transfer.key)


def _folder(connection: str, bucket: str, key: str) -> HttpResponse:
    prefix = key[: key.rfind("/") + 1]
    url = reverse("objects:list", args=[connection, bucket])
    return redirect(f"{url}?prefix={key_query(prefix)}" if prefix else url)
