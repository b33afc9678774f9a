"""The ledger of a batch: written a page at a time, and each line moved on exactly once.

A line moves by compare-and-set: an outcome counts only while the line is in the state from which the work
began, so that a task which is delivered twice, or a worker that lost its lease, changes nothing. Statements
are written out: a plan has a hundred thousand lines and more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from apps.batches.columns import key_packed
from apps.batches.models import Action, Batch, BatchObject, BatchSpan
from apps.jobs.models import Job
from apps.jobs.services import job_count
from apps.storage.errors import StorageError
from apps.storage.keys import key_query
from apps.storage.types import UnfinishedUpload
from apps.transfers.leaving import moves_from

State = BatchObject.State
KEYS_AT_ONCE = 500
NOTED_MAX = 1000
# What takes objects away from where they are.
LEAVES = (Action.MOVE, Action.RENAME, Action.DELETE, Action.EMPTY)

_INSERT = """
INSERT INTO batches_batchobject (
    batch_id, key, size, etag, storage_class, modified_at, state, target, target_etag, rank, wanted, expected,
    before, after, upload_id, attempts, error_code, error_message, request_id, ended_at
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 1, %s, %s, '', '', '', 0, %s, '', '', %s)
ON CONFLICT (batch_id, key) DO NOTHING
"""
_SETTLE = """
UPDATE batches_batchobject
SET state = %s, error_code = %s, error_message = %s,
    request_id = CASE WHEN %s = '' THEN request_id ELSE %s END,
    before = CASE WHEN %s = '' THEN before ELSE %s END,
    after = CASE WHEN %s = '' THEN after ELSE %s END,
    target = CASE WHEN %s = '' THEN target ELSE %s END,
    upload_id = %s, attempts = attempts + %s, ended_at = %s
WHERE id = %s AND state = %s
"""
_RANK = """
UPDATE batches_batchobject SET rank = (
    SELECT COUNT(*) FROM batches_batchobject other
    WHERE other.batch_id = batches_batchobject.batch_id AND other.target = batches_batchobject.target
      AND other.state = 'planned' AND other.id <= batches_batchobject.id
)
WHERE batch_id = %s AND state = 'planned' AND target IN (
    SELECT target FROM batches_batchobject WHERE batch_id = %s AND state = 'planned' AND target <> ''
    GROUP BY target HAVING COUNT(*) > 1
)
"""
_SKIP_SOURCES = """
UPDATE batches_batchobject SET state = 'skipped', error_code = %s, ended_at = %s
WHERE batch_id = %s AND state = 'planned' AND target IN (
    SELECT key FROM batches_batchobject WHERE batch_id = %s AND state = 'planned'
)
"""


@dataclass(frozen=True)
class Found:
    """An object that the plan found, and what may be wrong with it already: then it is skipped."""

    key: str
    size: int = 0
    etag: str = ""
    storage_class: str = ""
    modified_at: datetime | None = None
    target: str = ""
    target_etag: str = ""
    wanted: str = ""
    expected: str = ""
    skip_code: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a line: the state that it moves to, and what is kept of the way there.

    Empty text leaves what the line has, but for the upload, which is over when it is not named. A line that
    stays as it is was not settled: its request is repeated, and counts when it `is_attempt`.
    """

    line: BatchObject
    state: str
    code: str = ""
    message: str = ""
    request_id: str = ""
    before: str = ""
    after: str = ""
    target: str = ""
    upload_id: str = ""
    is_attempt: bool = False
    error: StorageError | None = None


@dataclass(frozen=True)
class Counts:
    """How many lines of a batch are in which state."""

    total: int
    done: int
    failed: int
    skipped: int

    @property
    def open(self) -> int:
        return self.total - self.done - self.failed - self.skipped


def page_record(batch: Batch, found: Iterable[Found], *, source: int, marker: str) -> bool:
    """This will write a page of the plan and move its place on, both or neither; False if somebody has.

    A key that the plan holds already is left as it is.
    """
    adapt = connection.ops.adapt_datetimefield_value
    now = adapt(timezone.now())
    rows = [_row_of(batch, one, adapt, now) for one in found]
    with transaction.atomic():
        here = Batch.objects.filter(
            pk=batch.pk, plan_source=batch.plan_source, plan_marker=batch.plan_marker, frozen_at=None
        )
        if not here.update(plan_source=source, plan_marker=marker):
            return False
        if rows:
            with connection.cursor() as cursor:
                cursor.executemany(_INSERT, rows)
    batch.plan_source, batch.plan_marker = source, marker
    return True


def _row_of(batch: Batch, found: Found, adapt: Any, now: Any) -> tuple[Any, ...]:
    return (
        batch.pk,
        key_packed(found.key),
        found.size,
        found.etag,
        found.storage_class,
        None if found.modified_at is None else adapt(found.modified_at),
        State.SKIPPED if found.skip_code else State.PLANNED,
        key_packed(found.target),
        found.target_etag,
        found.wanted,
        found.expected,
        found.skip_code,
        now if found.skip_code else None,
    )


def meetings_rank(batch: Batch) -> None:
    """This will number the objects of a plan that would be copied to one and the same key."""
    with connection.cursor() as cursor:
        cursor.execute(_RANK, [batch.pk, batch.pk])


def sources_spare(batch: Batch) -> None:
    """This will leave out the objects whose copy would take the place of another source of the same plan.

    Where `a/b/` becomes `a/`, `a/b/b/x` would go to `a/b/x`, which is itself on its way to `a/x`: it would be
    overwritten before it was copied, or, where both hold the same bytes, be deleted as a source with the
    copy that is in its place by then. What is left out can be copied by a plan of its own afterwards.
    """
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_SKIP_SOURCES, ["TargetIsSource", now, batch.pk, batch.pk])


def lines_open(span: BatchSpan, state: str, *, limit: int) -> list[BatchObject]:
    """Return the next lines of a span in a state, in the order of the plan."""
    return list(_lines_of(span).filter(state=state).order_by("id")[:limit])


def lines_again(span: BatchSpan, state: str) -> None:
    """This will put the lines that a worker left half done into the state in which they are taken up."""
    _lines_of(span).filter(state=State.READ).update(state=state)


def lines_losing(batch: Batch, lines: Sequence[BatchObject]) -> set[int]:
    """Return which sources must stay, because another job takes away what has the key of their copy.

    Of two jobs that move objects to each other's keys, both may find that the other's source is as good
    as a copy, and then delete the only two there are. Each asks this after its line was written down as
    compared and before it deletes: whatever the order, one of the two at least sees the other. Jobs that
    ended before this one was confirmed do not count.
    """
    bucket = batch.option("bucket", batch.bucket)
    not_before = Q(job__finished_at=None) | Q(job__finished_at__gt=batch.confirmed_at)
    others = (
        Batch.objects.filter(bucket=bucket, action__in=LEAVES)
        .filter(not_before)
        .exclude(Q(pk=batch.pk) | Q(confirmed_at=None))
    )
    ids = list(others.values_list("pk", flat=True))
    losing = set[int]()
    for at in range(0, len(lines), KEYS_AT_ONCE):
        targets = {line.target: line.pk for line in lines[at : at + KEYS_AT_ONCE]}
        leaving = BatchObject.objects.filter(batch__in=ids, key__in=list(targets))
        found = leaving.exclude(state=State.SKIPPED).values_list("key", flat=True)
        losing |= {targets[key] for key in found}
        alone = moves_from(bucket, list(targets)).filter(not_before)
        losing |= {targets[key] for key in alone.values_list("source_key", flat=True)}
    return losing


def key_leaves(bucket: str, key: str) -> bool:
    """Return whether a batch that runs is still to take away what has this key."""
    running = Batch.objects.filter(bucket=bucket, action__in=LEAVES, job__finished_at=None)
    ids = running.exclude(confirmed_at=None).values_list("pk", flat=True)
    return BatchObject.objects.filter(batch__in=ids, key=key, state__in=BatchObject.OPEN).exists()


def _lines_of(span: BatchSpan) -> QuerySet[BatchObject]:
    return BatchObject.objects.filter(batch=span.batch_id, pk__range=(span.first, span.last))


def outcomes_record(outcomes: Sequence[Outcome]) -> int:
    """This will settle lines and return how many of them were still where the work on them began."""
    if not outcomes:
        return 0
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    rows = [_settled(outcome, now) for outcome in outcomes]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_SETTLE, rows)
        return int(cursor.rowcount)


def _settled(outcome: Outcome, now: Any) -> tuple[Any, ...]:
    request_id, target = outcome.request_id, key_packed(outcome.target)
    return (
        outcome.state,
        outcome.code[:100],
        outcome.message.replace("\x00", "␀"),
        request_id,
        request_id,
        outcome.before,
        outcome.before,
        outcome.after,
        outcome.after,
        target,
        target,
        outcome.upload_id,
        int(outcome.is_attempt),
        None if outcome.state in BatchObject.OPEN else now,
        outcome.line.pk,
        outcome.line.state,
    )


def uploads_note(batch: Batch, uploads: Sequence[UnfinishedUpload]) -> None:
    """This will keep for the receipt which unfinished uploads an emptying has aborted.

    The first thousand by name, since every page of the job reads them, and the number of all.
    """
    if not uploads:
        return
    before = batch.figures.get("aborted", [])
    noted: list[dict[str, str]] = [
        {
            "key": key_query(upload.key),
            "upload_id": upload.upload_id,
            "initiated_at": "" if upload.initiated_at is None else upload.initiated_at.isoformat(),
        }
        for upload in uploads[: max(0, NOTED_MAX - len(before))]
    ]
    count = batch.figures.get("aborted_count", 0) + len(uploads)
    batch.figures = {**batch.figures, "aborted": [*before, *noted], "aborted_count": count}
    Batch.objects.filter(pk=batch.pk).update(figures=batch.figures)


def counts_of(batch: Batch) -> Counts:
    """Return how far a batch is, from the lines themselves."""
    states = BatchObject.objects.filter(batch=batch).order_by().values_list("state")
    found = dict(states.annotate(lines=Count("id")))
    return Counts(
        total=sum(found.values()),
        done=found.get(State.DONE, 0),
        failed=found.get(State.FAILED, 0),
        skipped=found.get(State.SKIPPED, 0),
    )


def batch_count(batch: Batch) -> Counts:
    """This will tell the job, and with it the live pages, how far the batch is."""
    counts = counts_of(batch)
    settled = counts.done + counts.failed + counts.skipped
    job_count(batch.job_id, done=settled, failed=counts.failed, total=counts.total)
    return counts


def is_running(batch: Batch) -> bool:
    """Return whether the job still may go on; a person may have paused or canceled it."""
    return Job.objects.filter(pk=batch.job_id, state=Job.State.RUNNING).exists()


def uploads_needed(upload_ids: Sequence[str]) -> dict[str, Job]:
    """Return the jobs whose large copies still go into these uploads, by upload id."""
    lines = BatchObject.objects.filter(upload_id__in=upload_ids, batch__job__finished_at__isnull=True)
    return {line.upload_id: line.batch.job for line in lines.select_related("batch__job__owner")}
