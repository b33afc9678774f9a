from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import unquote

from django.http import HttpResponse, HttpResponseBadRequest
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.access.rules import access_unknown
from apps.access.rules.acl import AccessSummary, object_access_summary
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.objects.checks import Checked, Facts, objects_check
from apps.objects.columns import BY_ACL, BY_HEAD, COOKIE, layout_read
from apps.storage.errors import ObjectNotFound, StorageError
from apps.storage.grants import Acl
from apps.storage.keys import key_query
from apps.storage.types import ObjectInfo

KEYS_MAX = 100


@require_POST
@connection_required(Role.READER)
def objects_checked(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """The cells of some rows that a listing cannot fill. A POST, because many keys fit into no address."""
    keys = [unquote(key) for key in request.POST.getlist("key")]
    if len(keys) > KEYS_MAX:
        return HttpResponseBadRequest()
    columns = layout_read(request.COOKIES.get(COOKIE)).columns
    rows = "".join(
        f'<tr data-key="{escape(key_query(key))}">{_cells(cells)}</tr>'
        for key, cells in cells_read(request, keys, columns).items()
    )
    return HttpResponse(f"<table>{rows}</table>")


def cells_read(
    request: ConnectionRequest, keys: Sequence[str], columns: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Return ready cells by key and column, as far as the store answered in time."""
    checked = objects_check(
        request.store,
        bucket=request.bucket,
        region=request.region,
        keys=list(dict.fromkeys(keys)),
        by_head=not BY_HEAD.isdisjoint(columns),
        by_acl=not BY_ACL.isdisjoint(columns),
    )
    return {key: _cells_of(facts, checked) for key, facts in checked.facts.items()}


def _cells(cells: dict[str, str]) -> str:
    return "".join(f'<td data-cell="{name}">{cell}</td>' for name, cell in cells.items())


def _cells_of(facts: Facts, checked: Checked) -> dict[str, str]:
    cells = {}
    if facts.info is not None:
        cells = {name: _header_cell(facts.info, name) for name in BY_HEAD}
    if facts.acl is not None:
        cells["access"] = _access_cell(facts.acl, checked.bucket_acl)
    return cells


def _header_cell(info: ObjectInfo | StorageError, name: str) -> str:
    if isinstance(info, StorageError):
        return _trouble_cell(info)
    headers = {header.lower(): value for header, value in info.headers.items()}
    text = info.content_type if name == "type" else headers.get("cache-control", "")
    return f"<bdi>{escape(text)}</bdi>" if text else "–"


def _access_cell(acl: Acl | StorageError, bucket_acl: Acl | None) -> str:
    if isinstance(acl, ObjectNotFound):
        return _trouble_cell(acl)
    if isinstance(acl, StorageError):
        return _badge(access_unknown(explain(acl).title))
    return _badge(object_access_summary(acl, bucket_acl))


def _badge(summary: AccessSummary) -> str:
    title = escape(" ".join((*summary.sentences, *summary.findings)))
    return f'<span class="access access-{summary.kind}" title="{title}">{escape(summary.label)}</span>'


def _trouble_cell(error: StorageError) -> str:
    text = _("gone") if isinstance(error, ObjectNotFound) else _("refused")
    return f'<span class="access access-unknown" title="{escape(explain(error).title)}">{escape(text)}</span>'
