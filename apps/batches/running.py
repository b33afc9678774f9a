"""The run: lines of the ledger in parallel, in batches of some twenty seconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import islice

from django.utils import timezone

from apps.batches.actions import Phase, phases_of, state_again
from apps.batches.actions.large import abort
from apps.batches.actions.outcomes import Work, ended, work_of
from apps.batches.ledger import (
    Outcome,
    batch_count,
    counts_of,
    is_running,
    lines_again,
    lines_losing,
    lines_open,
    outcomes_record,
    uploads_note,
)
from apps.batches.models import Action, Batch, BatchObject, BatchSpan
from apps.batches.services import batch_log, role_require
from apps.batches.spans import (
    is_anybody_at_work,
    is_anything_free,
    span_end,
    span_held,
    spans_cut,
    spans_forget,
    spans_left,
)
from apps.jobs.leases import row_lease
from apps.jobs.models import Job
from apps.jobs.services import job_move
from apps.storage.errors import NotFound, StorageError, Throttled, Unavailable
from apps.storage.types import UnfinishedUpload

logger = logging.getLogger(__name__)

BATCH_S = 20.0
WIDTH = 16
FLUSH_S = 1.0
FLUSH_LINES = 1000
COUNT_S = 1.0
# Rounds in which nothing could be settled, before the job stops and a person decides.
STUCK_ROUNDS = 3
# As many objects that fail in a row, and nothing else, are no coincidence.
STRAGGLERS = 10
SLOWEST_S = 15.0

State = BatchObject.State


def run_batch(
    *, batch_id: int, seconds: float = BATCH_S, on_settled: Callable[[], None] | None = None
) -> bool | None:
    """This will work on a confirmed batch for some twenty seconds, on spans that nobody else works on.

    Return True when it is done, False when lines are left for the next task, None when there is nothing to
    do here: it was stopped, is gone, or other workers are at all that is left. Safe to repeat. Raises
    StorageError when nothing can go on; the lines that are settled stay settled, and `on_settled` is called
    whenever some were.
    """
    batch = _load(batch_id)
    if batch is None:
        return None
    job_move(batch.job_id, to=Job.State.RUNNING, frm=[Job.State.QUEUED])
    if not is_running(batch):
        return None
    role_require(batch)
    spans_cut(batch)
    run = Run(batch, work_of(batch, until=time.monotonic() + seconds), on_settled)
    while not run.work.is_over and _span_work(run):
        pass
    if not is_running(batch):
        return None
    if spans_left(batch):
        return False if is_anything_free(batch) else None
    with row_lease(Batch, batch.pk) as is_ours:
        if not is_ours or spans_left(batch):
            return None
        return _end(run)


def _load(batch_id: int) -> Batch | None:
    related = ("job__owner", "connection", "target_connection")
    return Batch.objects.select_related(*related).filter(pk=batch_id).first()


def _span_work(run: Run) -> bool:
    """Work on a span until none of its lines is open or the time is up; False when none is free."""
    with span_held(run.batch) as span:
        if span is None:
            return False
        # Somebody may have stopped the batch before the span was held: then nobody waits for this one.
        if not is_running(run.batch):
            return False
        # Another worker may have been asked to slow down.
        run.batch.refresh_from_db(fields=["pace"])
        try:
            if run.lines_settle(span):
                span_end(span)
        finally:
            # While the span is held, so that an old number is never written after the last one.
            batch_count(run.batch)
        return True


@dataclass
class Run:
    """One task's work on a batch."""

    batch: Batch
    work: Work
    on_settled: Callable[[], None] | None = None
    stuck: int = 0
    written_at: float = field(default_factory=time.monotonic)
    counted_at: float = 0.0

    def lines_settle(self, span: BatchSpan) -> bool:
        """Work on the lines of a span; False when the time is up before all are settled."""
        again = state_again(self.batch)
        if again:
            lines_again(span, again)
        while not self.work.is_over:
            if not self._round(span):
                return True
        return False

    def _round(self, span: BatchSpan) -> bool:
        """Work on the next lines; False when there are none."""
        for phase in phases_of(self.batch):
            lines = lines_open(span, phase.state, limit=phase.at_once * phase.a_round)
            if lines and phase.is_last_look:
                lines = self._safe(lines)
            if lines:
                self._settle(phase, lines)
                return True
        return False

    def _safe(self, lines: list[BatchObject]) -> list[BatchObject]:
        """Return the lines whose source may go; the others keep it, and have failed."""
        losing = lines_losing(self.batch, lines)
        kept = [line for line in lines if line.pk in losing]
        outcomes_record([ended(line, State.FAILED, "TargetLeaves") for line in kept])
        return [line for line in lines if line.pk not in losing]

    def _settle(self, phase: Phase, lines: list[BatchObject]) -> None:
        moved, waiting = 0, list[Outcome]()
        troubled: list[Outcome] = []
        try:
            for outcome in self._outcomes(phase, lines):
                if isinstance(outcome.error, Throttled | Unavailable):
                    troubled.append(outcome)
                    continue
                moved += 1
                waiting.append(outcome)
                if self._is_time_to_write(waiting):
                    self._write(waiting)
        finally:
            self._write(waiting)
        if not moved and self._is_the_store(troubled):
            # Nothing is wrong with these objects: they are not to fail because the store is away.
            troubled = [replace(one, state=one.line.state, is_attempt=False) for one in troubled]
        problems = [one.error for one in troubled if one.error is not None]
        self._write(troubled)
        self._mind(moved, problems)

    def _is_the_store(self, troubled: list[Outcome]) -> bool:
        """Return whether it is the store that fails, rather than a few objects that are left."""
        return len(troubled) >= STRAGGLERS or not counts_of(self.batch).done

    def _is_time_to_write(self, waiting: list[Outcome]) -> bool:
        return len(waiting) >= FLUSH_LINES or time.monotonic() - self.written_at >= FLUSH_S

    def _write(self, waiting: list[Outcome]) -> None:
        if outcomes_record(waiting) and self.on_settled is not None:
            self.on_settled()
        waiting.clear()
        self.written_at = time.monotonic()
        # Counting reads every line: once for each thousand of them would grow with the square of the batch.
        if self.written_at - self.counted_at >= COUNT_S:
            batch_count(self.batch)
            self.counted_at = time.monotonic()
        if not is_running(self.batch):
            self.work.stop.set()

    def _outcomes(self, phase: Phase, lines: list[BatchObject]) -> Iterator[Outcome]:
        """Yield what becomes of the lines as it comes; what is under way when the time is up still counts."""
        units = (lines[at : at + phase.at_once] for at in range(0, len(lines), phase.at_once))
        width = self._width(phase)
        with ThreadPoolExecutor(width, thread_name_prefix=f"batch-{self.batch.pk}") as pool:
            under_way = {pool.submit(phase.call, self.work, unit) for unit in islice(units, width)}
            failure: StorageError | None = None
            while under_way:
                ended, under_way = wait(under_way, timeout=FLUSH_S, return_when=FIRST_COMPLETED)
                for future in ended:
                    error = future.exception()
                    if error is None:
                        yield from future.result()
                    elif isinstance(error, StorageError):
                        failure = error
                    else:
                        raise error
                if failure is None and not self.work.is_over:
                    under_way |= _submitted(pool, phase, self.work, islice(units, len(ended)))
            if failure is not None:
                raise failure

    def _width(self, phase: Phase) -> int:
        widest = min(WIDTH, phase.a_round)
        return min(widest, self.batch.pace or widest)

    def _mind(self, moved: int, problems: list[StorageError]) -> None:
        """Slow down when the store asks for it, and stop when it does nothing at all any more."""
        throttled = [error for error in problems if isinstance(error, Throttled)]
        if throttled:
            self._pace(max(1, self._width_now() // 2), is_throttled=True)
        elif self.batch.pace and moved:
            faster = self.batch.pace * 2
            self._pace(0 if faster >= WIDTH else faster)
        if moved or not problems:
            self.stuck = 0
            return
        self.stuck += 1
        if self.stuck >= STUCK_ROUNDS * (3 if throttled else 1):
            raise problems[0]
        self.work.stop.wait(min(2.0**self.stuck / 4, SLOWEST_S, max(0.0, self.work.until - time.monotonic())))

    def _width_now(self) -> int:
        return self.batch.pace or WIDTH

    def _pace(self, pace: int, *, is_throttled: bool = False) -> None:
        self.batch.pace = pace
        fields: dict[str, object] = {"pace": pace}
        if is_throttled:
            fields["throttled_at"] = timezone.now()
        Batch.objects.filter(pk=self.batch.pk).update(**fields)


def _submitted(
    pool: ThreadPoolExecutor, phase: Phase, work: Work, units: Iterator[Sequence[BatchObject]]
) -> set[Future[list[Outcome]]]:
    return {pool.submit(phase.call, work, unit) for unit in units}


def _end(run: Run) -> bool | None:
    """Close a batch of which no line is open; False when there is more to do after all."""
    batch = run.batch
    if counts_of(batch).open:
        spans_forget(batch)
        return False
    if not uploads_abort(batch, run.work):
        return False
    if batch.action == Action.EMPTY and not _unfinished_abort(batch, run.work):
        return False
    batch_count(batch)
    moved = job_move(batch.job_id, to=Job.State.DONE, frm=[Job.State.RUNNING])
    if moved:
        _log_end(batch)
    return True if moved else None


def _log_end(batch: Batch) -> None:
    counts = counts_of(batch)
    said = {"action": batch.action, "done": counts.done, "failed": counts.failed, "skipped": counts.skipped}
    batch_log(batch, "batch.end", person=batch.job.owner, after=said)


def uploads_abort(batch: Batch, work: Work) -> bool:
    """This will abort the uploads of large copies that failed or were canceled; False when time is up."""
    for line in BatchObject.objects.filter(batch=batch).exclude(upload_id=""):
        if work.is_over:
            return False
        target = work.target(line.target) if batch.does_copy else work.source(line.key)
        abort(work, line, target)
        BatchObject.objects.filter(pk=line.pk).update(upload_id="")
    return True


def _unfinished_abort(batch: Batch, work: Work) -> bool:
    """Abort the uploads that were begun before the bucket was to be emptied; False when time is up."""
    key_marker = upload_id_marker = ""
    while True:
        page = work.store.list_multipart_uploads(
            bucket=batch.bucket, region=batch.region, key_marker=key_marker, upload_id_marker=upload_id_marker
        )
        aborted = list[UnfinishedUpload]()
        try:
            for upload in page.uploads:
                if work.is_over:
                    return False
                if upload.initiated_at and batch.confirmed_at and upload.initiated_at > batch.confirmed_at:
                    continue
                _upload_abort(batch, work, upload)
                aborted.append(upload)
        finally:
            uploads_note(batch, aborted)
        if page.next_key_marker is None:
            return True
        key_marker, upload_id_marker = page.next_key_marker, page.next_upload_id_marker or ""


def _upload_abort(batch: Batch, work: Work, upload: UnfinishedUpload) -> None:
    try:
        work.store.abort_multipart_upload(
            bucket=batch.bucket, region=batch.region, key=upload.key, upload_id=upload.upload_id
        )
    except NotFound:
        logger.info("An upload was gone already.", extra={"batch": batch.pk})


def cancel_batch(*, batch_id: int) -> None:
    """This will end a canceled batch: uploads of its large copies are aborted, the rest stays as it is.

    Raises Throttled while a worker is still at it, StorageError when the store refuses an abort.
    """
    with row_lease(Batch, batch_id) as is_ours:
        batch = _load(batch_id)
        if batch is None or batch.job.state != Job.State.CANCELING:
            return
        if not is_ours or is_anybody_at_work(batch):
            raise Throttled("A worker is still at it.", code="StillRunning")
        if BatchObject.objects.filter(batch=batch).exclude(upload_id="").exists():
            work = work_of(batch, until=time.monotonic() + BATCH_S)
            if not uploads_abort(batch, work):
                raise Throttled("More uploads are to be aborted.", code="StillRunning")
        batch_count(batch)
        if job_move(batch.job_id, to=Job.State.CANCELED, frm=[Job.State.CANCELING]) and batch.confirmed_at:
            _log_end(batch)
