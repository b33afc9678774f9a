"""Walks over all unfinished uploads of a bucket or connection: to count their parts, or to abort them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from apps.activity.services import activity_record
from apps.connections.asking import ask_all
from apps.connections.models import Connection
from apps.connections.services import store_for
from apps.jobs.leases import is_free, row_lease
from apps.jobs.models import Job
from apps.jobs.progress import once_in
from apps.jobs.services import job_count, job_create, job_move, job_park
from apps.storage.errors import (
    Denied,
    NotFound,
    Refused,
    StorageError,
    Throttled,
    Unavailable,
    UploadNotFound,
)
from apps.storage.keys import key_pack, key_unpack
from apps.storage.store import ObjectStore
from apps.storage.types import UnfinishedUpload
from apps.transfers.models import AbortRule, UploadWalk
from apps.transfers.services.adopting import transfers_alive
from apps.transfers.services.beginning import StateChanged
from apps.transfers.services.unfinished import Found, Place, Which, places_of, upload_end

if TYPE_CHECKING:
    from apps.accounts.models import Person

BATCH_S = 20.0
AT_ONCE = 16
# Few, so that a worker that is killed repeats little.
PAGE = 200
RUNS_KEPT = 10
STEP_AGAIN_S = 30
# Of buckets that do not answer; each is asked for minutes.
SKIPPED_AT_MOST = 20
SIZED_AT_MOST = 100
SIZES_TIMEOUT_S = 5.0
RUNNING = (Job.State.QUEUED, Job.State.RUNNING)


def count_start(connection: Connection, *, person: Person, bucket: str) -> UploadWalk:
    """This will begin to count the parts of all uploads of a place, unless somebody counts them already."""
    counts = UploadWalk.objects.filter(connection=connection, bucket=bucket, purpose=UploadWalk.Purpose.COUNT)
    running = counts.filter(finished_at=None).first()
    if running is not None:
        return running
    with transaction.atomic():
        counts.delete()
        return UploadWalk.objects.create(
            connection=connection, bucket=bucket, purpose=UploadWalk.Purpose.COUNT, person=person
        )


def count_latest(connection: Connection, *, bucket: str) -> UploadWalk | None:
    """Return the latest count of a place, which may still be going on."""
    return (
        UploadWalk.objects.filter(connection=connection, bucket=bucket, purpose=UploadWalk.Purpose.COUNT)
        .order_by("-started_at")
        .first()
    )


def abort_start(
    connection: Connection, *, person: Person, bucket: str, which: Which, before: datetime, expected: int
) -> UploadWalk:
    """This will begin to abort all that fits and was begun before `before`, as a job of the person."""
    with transaction.atomic():
        job = job_create(
            kind=Job.Kind.ABORT_UPLOADS,
            feature="unfinished",
            owner=person,
            title=bucket or connection.name,
            place=f"{bucket}/{which.prefix}" if bucket else connection.name,
            unit=Job.Unit.OBJECTS,
            objects_total=expected,
        )
        return UploadWalk.objects.create(
            connection=connection,
            bucket=bucket,
            purpose=UploadWalk.Purpose.ABORT,
            person=person,
            job=job,
            packed_prefix=key_pack(which.prefix),
            initiator=which.initiator,
            before=before,
        )


def rule_walk_start(rule: AbortRule, *, before: datetime) -> UploadWalk:
    """This will begin a run of a rule; of the earlier ones only the latest are kept."""
    old = rule.walks.order_by("-started_at").values_list("pk", flat=True)[RUNS_KEPT - 1 :]
    UploadWalk.objects.filter(pk__in=list(old)).delete()
    return UploadWalk.objects.create(
        connection=rule.connection,
        bucket=rule.bucket,
        purpose=UploadWalk.Purpose.ABORT,
        person=rule.owner,
        rule=rule,
        before=before,
    )


def walks_owed(now: datetime) -> list[int]:
    """Return the walks that nobody is at; one that is queued already is not queued again for a while."""
    walks = UploadWalk.objects.filter(is_free(now), finished_at=None).select_related("job")
    alive = [walk.pk for walk in walks if walk.job is None or walk.job.state in RUNNING]
    return [pk for pk in alive if once_in(f"upload-walk:{pk}", seconds=STEP_AGAIN_S)]


def walk_batch(*, walk_id: int, now: datetime | None = None) -> bool | None:
    """This will go on with a walk for some twenty seconds.

    Return True when it is at its end, False when more is left, None when there is nothing to do here: it
    was stopped, is gone, or another worker is at it. Safe to repeat: what is aborted is not listed again. A
    rule goes by its days as they are `now`, also where the run was begun by other ones, or by a clock that
    was ahead.
    Raises Throttled or Unavailable when the store does not answer; the walk then stays where it is.
    """
    with row_lease(UploadWalk, walk_id) as is_ours:
        walk = UploadWalk.objects.select_related("connection", "job", "rule").filter(pk=walk_id).first()
        if not is_ours or walk is None or walk.finished_at is not None:
            return None
        if walk.job is not None:
            job_move(walk.job.pk, to=Job.State.RUNNING, frm=[Job.State.QUEUED])
        return _run(walk, until=time.monotonic() + BATCH_S, now=now or timezone.now())


def _run(walk: UploadWalk, *, until: float, now: datetime) -> bool | None:
    if walk.places is None:
        walk.places = [[place.bucket, place.region] for place in places_of(walk.connection, walk.bucket)]
        walk.save(update_fields=["places"])
    while walk.places:
        if not _may_go_on(walk):
            return None
        _page(walk, now)
        if time.monotonic() > until:
            return False
    return _finish(walk)


def _may_go_on(walk: UploadWalk) -> bool:
    if walk.job_id is not None:
        return Job.objects.filter(pk=walk.job_id, state=Job.State.RUNNING).exists()
    if walk.rule_id is not None:
        return AbortRule.objects.filter(pk=walk.rule_id, is_on=True).exists()
    return True


def _which_of(walk: UploadWalk, now: datetime) -> Which:
    before = walk.before
    if walk.rule_id is not None and before is not None:
        days = AbortRule.objects.values_list("days", flat=True).get(pk=walk.rule_id)
        before = min(before, now - timedelta(days=days))
    return Which(prefix=key_unpack(walk.packed_prefix), initiator=walk.initiator, before=before)


def _page(walk: UploadWalk, now: datetime) -> None:
    """Deal with the next page of uploads, and write down where the walk is then."""
    place = Place(*(walk.places or [])[0])
    store = store_for(walk.connection)
    which = _which_of(walk, now)
    try:
        page = store.list_multipart_uploads(
            bucket=place.bucket,
            region=place.region,
            prefix=which.prefix,
            key_marker=key_unpack(walk.packed_marker),
            upload_id_marker=walk.id_marker,
            limit=PAGE,
        )
    except (Denied, NotFound, Refused) as error:
        _skip(walk, error)
        return
    chosen = [upload for upload in page.uploads if which.fits(upload)]
    if walk.purpose == UploadWalk.Purpose.ABORT:
        _abort(walk, store, place, chosen)
    else:
        try:
            _count(walk, store, place, chosen)
        except (Denied, NotFound, Refused) as error:
            _skip(walk, error)
            return
    _move_on(walk, page.next_key_marker, page.next_upload_id_marker)


def _count(walk: UploadWalk, store: ObjectStore, place: Place, chosen: list[UnfinishedUpload]) -> None:
    def count(upload: UnfinishedUpload) -> tuple[int, int]:
        try:
            sizes = [
                part.size
                for part in store.list_parts(
                    bucket=place.bucket, region=place.region, key=upload.key, upload_id=upload.upload_id
                )
            ]
        except UploadNotFound:
            return 0, 0
        return len(sizes), sum(sizes)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        counted = list(pool.map(count, chosen))
    walk.parts += sum(parts for parts, _size in counted)
    walk.size += sum(size for _parts, size in counted)
    walk.uploads += len(chosen)


def _abort(walk: UploadWalk, store: ObjectStore, place: Place, chosen: list[UnfinishedUpload]) -> None:
    free: list[UnfinishedUpload] = []
    errors: list[StorageError] = []
    for first in range(0, len(chosen), AT_ONCE):
        few = chosen[first : first + AT_ONCE]
        # Asked anew each time: with a slow store somebody may go on with one while others are aborted.
        alive = transfers_alive([upload.upload_id for upload in few], bucket=place.bucket)
        ended = [upload for upload in few if upload.upload_id not in alive]
        refused = _end_all(store, place, ended)
        free += ended
        errors += refused
        # Kept at once: of those that are gone nobody could tell again, were this worker killed.
        walk.aborted += len(ended) - len(refused)
        walk.save(update_fields=["aborted"])
    passing = [error for error in errors if isinstance(error, Throttled | Unavailable)]
    if passing:
        # The page comes again, without those that are gone now.
        raise passing[0]
    walk.uploads += len(chosen)
    walk.kept += len(chosen) - len(free)
    walk.failed += len(errors)
    for error in errors[:1]:
        _note(walk, place, error)


def _end_all(store: ObjectStore, place: Place, uploads: list[UnfinishedUpload]) -> list[StorageError]:
    def end(upload: UnfinishedUpload) -> StorageError | None:
        try:
            upload_end(store, Found(place, upload).ref)
        except StorageError as error:
            return error
        return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [error for error in pool.map(end, uploads) if error is not None]


def _skip(walk: UploadWalk, error: StorageError) -> None:
    """Leave a bucket whose uploads cannot be had, and write down why."""
    _note(walk, Place(*(walk.places or [])[0]), error)
    _move_on(walk, None, None)


def _note(walk: UploadWalk, place: Place, error: StorageError) -> None:
    """Write down the first that went wrong in a bucket."""
    if all(problem["bucket"] != place.bucket for problem in walk.problems):
        code = error.code or type(error).__name__
        problem = {"bucket": place.bucket, "region": place.region, "code": code, "message": error.message}
        walk.problems.append({**problem, "request_id": error.request_id})


def _move_on(walk: UploadWalk, key_marker: str | None, id_marker: str | None) -> None:
    if key_marker is None:
        walk.places = (walk.places or [])[1:]
    walk.packed_marker, walk.id_marker = key_pack(key_marker or ""), id_marker or ""
    _keep(walk)
    if walk.job_id is not None:
        job_count(walk.job_id, done=walk.aborted + walk.failed, failed=walk.failed)


def _keep(walk: UploadWalk) -> None:
    # Not the lease, which is renewed meanwhile.
    walk.save(
        update_fields=[
            "places", "packed_marker", "id_marker", "uploads", "parts", "size",
            "aborted", "failed", "kept", "problems",
        ]
    )  # fmt: skip


def _finish(walk: UploadWalk) -> bool | None:
    """End the walk, unless its person stopped it at the last page: then it ends when it goes on.

    A job that had to leave something out waits for its person, who may try those buckets again.
    """
    with transaction.atomic():
        if walk.job_id is not None:
            dealt = walk.aborted + walk.failed
            job_count(walk.job_id, done=dealt, failed=walk.failed, total=dealt)
            if walk.problems:
                job_park(walk.job_id, _left_out(walk), frm=RUNNING)
                return None
            if not job_move(walk.job_id, to=Job.State.DONE, frm=RUNNING):
                return None
        UploadWalk.objects.filter(pk=walk.pk).update(finished_at=timezone.now())
        if walk.purpose == UploadWalk.Purpose.ABORT and (walk.aborted or walk.failed):
            _record(walk)
    return True


def _left_out(walk: UploadWalk) -> StorageError:
    first, *others = walk.problems
    more = f" There are problems with {len(others)} more buckets." if others else ""
    text = f"{first['bucket']}: {first['message']}{more}"
    return Refused(text, code=first["code"], request_id=first.get("request_id", ""))


def _record(walk: UploadWalk) -> None:
    after = {"aborted": walk.aborted, "failed": walk.failed, "kept": walk.kept}
    if walk.rule is not None:
        after["older_than_days"] = walk.rule.days
    activity_record(
        person=walk.person,
        verb="upload.abort",
        connection=walk.connection.slug,
        bucket=walk.bucket,
        after=after,
        job=walk.job_id,
    )


def walk_pause(walk: UploadWalk) -> None:
    """This will stop an abort after its page. Raises StateChanged."""
    _require(walk, Job.State.PAUSED, frm=RUNNING)


def walk_resume(walk: UploadWalk) -> None:
    """This will let a paused or parked abort go on from where it is. Raises StateChanged.

    One that is through goes once more to the buckets that it had to leave out.
    """
    with transaction.atomic():
        if not walk.places and walk.problems:
            walk.places = [[problem["bucket"], problem["region"]] for problem in walk.problems]
            walk.problems, walk.failed = [], 0
            _keep(walk)
        _require(walk, Job.State.RUNNING, frm=[Job.State.PAUSED, Job.State.PARKED])


def walk_cancel(walk: UploadWalk) -> None:
    """This will end an abort where it is; what is aborted stays so. Raises StateChanged."""
    _require(walk, Job.State.CANCELED, frm=[*RUNNING, Job.State.PAUSED, Job.State.PARKED])
    UploadWalk.objects.filter(pk=walk.pk).update(finished_at=timezone.now())
    walk.refresh_from_db()
    _record(walk)


def _require(walk: UploadWalk, to: Job.State, *, frm: Sequence[Job.State]) -> None:
    if walk.job_id is None or not job_move(walk.job_id, to=to, frm=frm):
        raise StateChanged


@dataclass(frozen=True)
class Sizes:
    """What the first uploads of a plan keep, in bytes; `counted` of them were asked about in time."""

    size: int
    counted: int


def sizes_of(connection: Connection, uploads: Sequence[Found]) -> Sizes:
    """Return what the first hundred uploads keep, as far as the store says so while a person waits."""
    store = store_for(connection)
    calls = {found: partial(_size_of, store, found) for found in uploads[:SIZED_AT_MOST]}
    answers = ask_all(calls, line=("parts", connection.pk), timeout_s=SIZES_TIMEOUT_S)
    sizes = [answer for answer in answers.values() if isinstance(answer, int)]
    return Sizes(sum(sizes), len(sizes))


def _size_of(store: ObjectStore, found: Found) -> int:
    target, upload_id = found.ref.target, found.upload.upload_id
    parts = store.list_parts(bucket=target.bucket, region=target.region, key=target.key, upload_id=upload_id)
    return sum(part.size for part in parts)


def walk_give_up(walk_id: int, error: StorageError) -> bool:
    """This will leave a bucket that does not answer, and return whether others are to be walked instead.

    Else it ends the walk; one with a job waits for its person instead.
    """
    walk = UploadWalk.objects.filter(pk=walk_id, finished_at=None).first()
    if walk is None:
        return False
    if len(walk.places or []) > 1 and len(walk.problems) < SKIPPED_AT_MOST:
        _skip(walk, error)
        return True
    if walk.job_id is not None:
        job_park(walk.job_id, error, frm=RUNNING)
        return False
    _note(walk, Place(*(walk.places or [[walk.bucket, ""]])[0]), error)
    UploadWalk.objects.filter(pk=walk_id).update(problems=walk.problems, finished_at=timezone.now())
    return False
