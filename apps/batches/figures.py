"""What a plan says of itself: how many, how large, of which class, which ones."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from apps.batches.models import Action, Batch, BatchObject
from apps.batches.rules import is_relayed
from apps.connections.services import store_for
from apps.storage.errors import Denied
from apps.storage.keys import key_query
from apps.transfers.services.copies import COPY_IN_PARTS_FROM

SAMPLES = 10
# One page of the list says enough for a plan; when the bucket is emptied every page is asked for.
UPLOADS_COUNTED = 1000
State = BatchObject.State


def figures_make(batch: Batch) -> dict[str, Any]:
    """Return the figures of a complete plan as JSON values: sizes in bytes, keys percent-encoded.

    Raises the StorageError of a store that does not answer when it is asked for a bucket's uploads.
    """
    lines = BatchObject.objects.filter(batch=batch)
    planned = lines.filter(state=State.PLANNED)
    whole = planned.aggregate(objects=Count("id"), bytes=Sum("size"), first=Min("id"), last=Max("id"))
    archived = store_for(batch.connection).features.archive_classes
    return {
        "objects": whole["objects"],
        "bytes": whole["bytes"] or 0,
        "skipped": _grouped(lines.filter(state=State.SKIPPED), "error_code"),
        "classes": _classes(planned),
        "archived": planned.filter(storage_class__in=archived).count(),
        "unknown_class": _unknown_classes(batch, planned),
        "in_parts": planned.filter(size__gt=_part_limit(batch)).count() if _is_copy(batch) else 0,
        "samples": _samples(planned, whole["first"], whole["last"]),
        "oldest": _first(planned.exclude(modified_at=None).order_by("modified_at", "id")),
        "largest": _first(planned.order_by("-size", "id")),
        "conflicts": planned.exclude(target_etag="").count() if batch.does_copy else 0,
        "meetings": planned.filter(rank__gt=1).count() if batch.does_copy else 0,
    } | (_uploads_of(batch) if batch.action == Action.EMPTY else {})


def _uploads_of(batch: Batch) -> dict[str, Any]:
    """Return how many unfinished uploads go with the objects, None where the key may not list them."""
    try:
        page = store_for(batch.connection).list_multipart_uploads(
            bucket=batch.bucket, region=batch.region, limit=UPLOADS_COUNTED
        )
    except Denied:
        return {"uploads": None}
    return {"uploads": len(page.uploads), "has_more_uploads": page.next_key_marker is not None}


def _is_copy(batch: Batch) -> bool:
    return batch.does_copy or batch.action == Action.HEADERS


def _unknown_classes(batch: Batch, planned: QuerySet[BatchObject]) -> int:
    """Return of how many objects the class is not known where their copies go."""
    if batch.target_connection is None or batch.option("storage_class"):
        return 0
    known = store_for(batch.target_connection).features.storage_classes
    return planned.exclude(storage_class__in=["", *known]).count()


def _part_limit(batch: Batch) -> int:
    """Return up to how many bytes an object is copied in one request, with which its tags come along."""
    return COPY_IN_PARTS_FROM if batch.does_copy else store_for(batch.connection).features.single_copy_max


def _grouped(lines: QuerySet[BatchObject], column: str) -> dict[str, int]:
    return dict(lines.order_by().values_list(column).annotate(count=Count("id")))


def _classes(lines: QuerySet[BatchObject]) -> list[list[Any]]:
    rows = lines.order_by().values_list("storage_class").annotate(count=Count("id"), bytes=Sum("size"))
    return [list(row) for row in rows.order_by("storage_class")]


def _samples(lines: QuerySet[BatchObject], first: int | None, last: int | None) -> list[dict[str, Any]]:
    """Return some lines spread over the whole list, in its order."""
    if first is None or last is None:
        return []
    step = max(1, (last - first + 1) // SAMPLES)
    found: dict[int, BatchObject] = {}
    for at in range(first, last + 1, step):
        line = lines.filter(id__gte=at).order_by("id").first()
        if line is not None:
            found[line.pk] = line
    return [_shown(line) for line in list(found.values())[:SAMPLES]]


def _first(lines: QuerySet[BatchObject]) -> dict[str, Any] | None:
    line = lines.first()
    return None if line is None else _shown(line)


def _shown(line: BatchObject) -> dict[str, Any]:
    return {
        "key": key_query(line.key),
        "size": line.size,
        "modified": line.modified_at and line.modified_at.isoformat(),
        "class": line.storage_class,
        "target": key_query(line.target),
    }


def requests_of(batch: Batch, *, is_compared: bool = False) -> int:
    """Return about how many requests the run needs, retries and large copies left out."""
    objects: int = batch.figures.get("objects", 0)
    match batch.action:
        case Action.DELETE:
            return -(-objects // 1000) + (objects if is_compared else 0)
        case Action.EMPTY:
            return -(-objects // 1000) + (batch.figures.get("uploads") or 0) + 1
        case Action.COPY:
            return _copies_of(batch, objects)
        case Action.ACCESS:
            return 2 * objects
        case Action.HEADERS:
            return 4 * objects
        case _moves:
            return _copies_of(batch, objects) + 2 * objects + -(-objects // 1000)


def _copies_of(batch: Batch, objects: int) -> int:
    """Return the requests of copying: target and grants are read, elsewhere the source's headers as well.

    Bytes that are relayed are read in one request and written in another.
    """
    each = 3 + ("connection" in batch.options) + is_relayed(batch.figures)
    return each * objects


def conflicts_of(batch: Batch) -> QuerySet[BatchObject]:
    """Return the objects whose copy meets an object that is there, or another one of the plan."""
    return BatchObject.objects.filter(Q(rank__gt=1) | ~Q(target_etag=""), batch=batch, state=State.PLANNED)
