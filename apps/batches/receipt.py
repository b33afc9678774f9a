"""The receipt: who did what to which objects, when, and what the store said; streamed as it is read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

from apps.batches.models import Batch, BatchObject

PAGE = 1000
# A spreadsheet runs what begins with one of these.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (
    "key",
    "state",
    "reason",
    "message",
    "request_id",
    "size",
    "etag",
    "storage_class",
    "target",
    "attempts",
    "ended_at",
    "before",
    "after",
)


class _Line:
    """A file for the csv module that keeps what was written last."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def receipt_csv(batch: Batch) -> Iterator[str]:
    """Yield the receipt as CSV with a byte order mark, which spreadsheets take for UTF-8.

    A cell that a spreadsheet would run as a formula gets an apostrophe before it; the JSON has it as it is.
    """
    line = _Line()
    writer = csv.writer(line)
    yield "\ufeff"
    for name, value in _head(batch).items():
        writer.writerow([f"# {name}", _cell(value if isinstance(value, str) else json.dumps(value))])
        yield line.text
    writer.writerow(COLUMNS)
    yield line.text
    for found in _lines(batch):
        writer.writerow([_cell(value) for value in _values(found).values()])
        yield line.text


def receipt_json(batch: Batch) -> Iterator[str]:
    """Yield the receipt as one JSON document, keys as they are."""
    yield json.dumps(_head(batch), ensure_ascii=False)[:-1]
    yield ', "objects": ['
    separator = "\n"
    for found in _lines(batch):
        values = _values(found)
        for name in ("before", "after"):
            values[name] = json.loads(values[name]) if values[name] else None
        yield separator + json.dumps(values, ensure_ascii=False)
        separator = ",\n"
    yield "\n]}\n"


def _head(batch: Batch) -> dict[str, Any]:
    job = batch.job
    return {
        "job": str(job.pk),
        "action": batch.action,
        "state": job.state,
        "person": str(job.owner),
        "confirmed_by": "" if batch.confirmed_by is None else str(batch.confirmed_by),
        "connection": batch.connection.slug,
        "bucket": batch.bucket,
        "region": batch.region,
        "target_connection": batch.options.get("connection", batch.connection.slug)
        if batch.does_copy
        else None,
        "target_bucket": batch.options.get("bucket"),
        "target_region": batch.options.get("region"),
        "selection": batch.selected,
        "options": batch.options,
        "objects": job.objects_total,
        "failed": job.objects_failed,
        "uploads_aborted_count": batch.figures.get("aborted_count"),
        "uploads_aborted": batch.figures.get("aborted"),
        "asked_at": job.created_at.isoformat(),
        "frozen_at": batch.frozen_at and batch.frozen_at.isoformat(),
        "confirmed_at": batch.confirmed_at and batch.confirmed_at.isoformat(),
        "finished_at": job.finished_at and job.finished_at.isoformat(),
    }


def _lines(batch: Batch) -> Iterator[BatchObject]:
    """Yield all lines a page at a time, so that a reader who is slow holds no transaction open."""
    after = 0
    while True:
        page = list(BatchObject.objects.filter(batch=batch, pk__gt=after).order_by("id")[:PAGE])
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].pk


def _values(line: BatchObject) -> dict[str, Any]:
    return {
        "key": line.key,
        "state": line.state,
        "reason": line.error_code,
        "message": line.error_message,
        "request_id": line.request_id,
        "size": line.size,
        "etag": line.etag,
        "storage_class": line.storage_class,
        "target": line.target,
        "attempts": line.attempts,
        "ended_at": line.ended_at and line.ended_at.isoformat(),
        "before": line.before,
        "after": line.after,
    }


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
