"""Parts that a browser sends to the store itself: their addresses, its reports, and the script that sends."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.storage.errors import StorageError
from apps.transfers import tasks
from apps.transfers.finishing import transfer_finish_claim
from apps.transfers.models import Transfer
from apps.transfers.paths import store_origin
from apps.transfers.reports import numbers_of, parts_of
from apps.transfers.services.beginning import StateChanged
from apps.transfers.services.direct import PARTS_AT_ONCE, parts_address, parts_report
from apps.transfers.views.answers import may_write, refusal, status_of, transfer_of

T = TypeVar("T")


@require_POST
def part_addresses(request: HttpRequest, job: UUID) -> HttpResponse:
    """Answer addresses of a few parts; each works for a quarter of an hour and is asked for anew after."""
    return _answer(request, job, "numbers", _addresses)


@require_POST
def part_report(request: HttpRequest, job: UUID) -> HttpResponse:
    """Take the browser's word that the store has some parts, and complete when they are all."""
    return _answer(request, job, "parts", _reported)


@require_GET
@connection_required(Role.WRITER)
def direct_worker(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """The worker that sends to this bucket's host.

    A worker has a content security policy of its own, that of its script. So this host is open to these few
    lines alone, and to no page of the console, whatever is shown while files are under way.
    """
    host = store_origin(request.connection, bucket)
    response = HttpResponse(f'import "{static("js/direct_worker.js")}";\n', content_type="text/javascript")
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = f"default-src 'none'; script-src 'self'; connect-src {host}"
    return response


def _addresses(transfer: Transfer, said: object) -> HttpResponse:
    found = parts_address(transfer, numbers_of(said, at_most=PARTS_AT_ONCE))
    return JsonResponse({"addresses": found})


def _reported(transfer: Transfer, said: object) -> HttpResponse:
    is_whole = parts_report(transfer, parts_of(said, at_most=PARTS_AT_ONCE))
    if is_whole and transfer_finish_claim(transfer):
        tasks.hand_over(tasks.complete_transfer, transfer_id=transfer.pk)
    return JsonResponse({"is_whole": is_whole})


def _answer(
    request: HttpRequest, job: UUID, name: str, do: Callable[[Transfer, object], HttpResponse]
) -> HttpResponse:
    """Find the transfer, check what the person may still do, and turn failures into sentences."""
    transfer = transfer_of(request, job)
    if not may_write(request, transfer):
        return refusal(
            HTTPStatus.FORBIDDEN, _("This needs the role “%(role)s”.") % {"role": Role.WRITER.label}
        )
    try:
        return do(transfer, _said(request, name))
    except StateChanged:
        return refusal(HTTPStatus.GONE, _("This upload has ended."))
    except ValueError:
        return refusal(
            HTTPStatus.BAD_REQUEST, _("The page sent what makes no sense. Reload it and try again.")
        )
    except StorageError as error:
        return refusal(status_of(error), error.message, code=error.code)


def _said(request: HttpRequest, name: str) -> object:
    try:
        said = json.loads(request.body)
    except RecursionError:
        raise ValueError("Nobody nests a list of parts that deeply.") from None
    return said.get(name) if isinstance(said, dict) else None
