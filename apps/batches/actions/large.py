"""Objects too large for one request: copied in parts, over as many tasks as it takes.

That an upload is about to begin is kept on the line before the store is asked for it, and its id before the
first part: whoever goes on after a killed worker knows what may have been left. Which parts are there is
asked of the store each time: a worker that was killed lost nothing, and no second record of parts can be
wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.db import connection

from apps.batches.actions.outcomes import Work
from apps.batches.content import Kept
from apps.batches.ledger import Outcome
from apps.batches.models import BatchObject
from apps.batches.rules import KEPT
from apps.storage.errors import Conflict, Corrupted, Denied, NotFound, Refused, UploadNotFound
from apps.storage.grants import Acl
from apps.storage.multipart import PartPlan, plan_parts
from apps.storage.types import ObjectHeaders, ObjectInfo, ObjectRef, StoredObject, StoredPart
from apps.transfers.content import headers_of
from apps.transfers.relaying import PinnedSource, relay_part, source_pin
from apps.transfers.services.copies import COPY_PART_SIZE
from apps.transfers.targets import lost_uploads

PARTS_AT_ONCE = 8
# In place of an upload id while the store is asked for one: this, and since when in unix seconds.
BEGUN = "begun:"
# A round of lines may take as long, and the store's answer.
LOST_WINDOW = timedelta(minutes=2)


def advance(
    work: Work,
    line: BatchObject,
    target: ObjectRef,
    *,
    access: str,
    settled: Callable[[StoredObject], Outcome],
    headers: ObjectHeaders | None = None,
    kept: Kept | None = None,
    is_new_only: bool = False,
) -> Outcome:
    """Bring a large copy as far as the time allows: begun, further, or complete.

    `headers` replace those of the source; `kept` says of a copy onto itself what was there before. Raises
    StorageError; the upload stays with the line, for the next attempt or to be aborted when the batch ends.
    """
    with work.large:
        info = work.store.head_object(bucket=work.bucket, region=work.region, key=line.key)
        etag = kept.etag if kept else line.etag
        if info.etag != etag:
            raise Conflict("The source was replaced since the plan.", code="Changed")
        if not line.upload_id:
            begun = f"{BEGUN}{int(time.time())}"
            return Outcome(line=line, state=line.state, upload_id=begun, target=_target_kept(line, target))
        if line.upload_id.startswith(BEGUN):
            _abort_lost(work, line, target)
            if access == KEPT and kept is None:
                acl_of(work, line)
            upload_id = _begin(work, info, target, headers, access)
            return Outcome(
                line=line, state=line.state, upload_id=upload_id, target=_target_kept(line, target)
            )
        plan = plan_parts(line.size, part_size_min=COPY_PART_SIZE)
        try:
            parts = _parts(work, line, target, plan, source_pin(work.source(line.key), info))
            if len(parts) < plan.count:
                return Outcome(line=line, state=line.state, upload_id=line.upload_id)
            stored = work.target_store.complete_multipart_upload(
                bucket=target.bucket,
                region=target.region,
                key=target.key,
                upload_id=line.upload_id,
                parts=parts,
                is_new_only=is_new_only,
            )
        except UploadNotFound:
            # Somebody aborted it, or a Complete went through whose answer was lost; the next look decides.
            return Outcome(line=line, state=line.state, upload_id="", is_attempt=True)
        _verify(stored, info)
        if access == KEPT:
            grant(work, kept.acl if kept else acl_of(work, line), target)
        return settled(stored)


def _begin(
    work: Work, info: ObjectInfo, target: ObjectRef, headers: ObjectHeaders | None, access: str
) -> str:
    wanted = headers or headers_of(info)
    if wanted.storage_class is None:
        wanted = replace(wanted, storage_class=info.storage_class)
    return work.target_store.create_multipart_upload(
        bucket=target.bucket,
        region=target.region,
        key=target.key,
        headers=wanted,
        # Never for a moment more open than the source: its own grants follow when the object is whole.
        acl="private" if access == KEPT else work.acl,
    )


def _target_kept(line: BatchObject, target: ObjectRef) -> str:
    """Return the other name under which the upload was begun: whoever aborts it has to know."""
    return target.key if line.target and target.key != line.target else ""


def _parts(
    work: Work, line: BatchObject, target: ObjectRef, plan: PartPlan, source: PinnedSource
) -> list[StoredPart]:
    """Copy what is missing until the time is up; return what is there."""
    listed = work.target_store.list_parts(
        bucket=target.bucket, region=target.region, key=target.key, upload_id=line.upload_id
    )
    there = {part.number: part for part in listed if part.size == plan.range_of(part.number)[1]}
    missing = [number for number in range(1, plan.count + 1) if number not in there]

    def copied(number: int) -> StoredPart | None:
        return None if work.is_over else _copy_part(work, line, target, plan, number, source)

    with ThreadPoolExecutor(PARTS_AT_ONCE, thread_name_prefix="large") as pool:
        there |= {part.number: part for part in _present(pool.map(copied, missing))}
    return [there[number] for number in sorted(there)]


def _present(parts: Iterable[StoredPart | None]) -> Iterable[StoredPart]:
    return (part for part in parts if part is not None)


def _copy_part(
    work: Work, line: BatchObject, target: ObjectRef, plan: PartPlan, number: int, source: PinnedSource
) -> StoredPart:
    offset, length = plan.range_of(number)
    if not work.relays.is_set():
        try:
            return work.target_store.upload_part_copy(
                source=source.ref,
                bucket=target.bucket,
                region=target.region,
                key=target.key,
                upload_id=line.upload_id,
                number=number,
                first_byte=offset,
                last_byte=offset + length - 1,
                source_etag=source.etag,
            )
        except Denied:
            if not work.is_elsewhere:
                raise
            work.relays.set()
    return relay_part(
        work.store,
        source,
        work.target_store,
        target,
        upload_id=line.upload_id,
        number=number,
        offset=offset,
        length=length,
        on_progress=work.may_go_on,
    )


def _verify(stored: StoredObject, info: ObjectInfo) -> None:
    if stored.crc64 is not None and info.crc64 is not None and stored.crc64 != info.crc64:
        raise Corrupted(f"The copy has the CRC-64 {stored.crc64}, its source {info.crc64}.")


def grant_again(work: Work, line: BatchObject, target: ObjectRef) -> None:
    """Give a copy the source's grants that a killed worker may not have got to."""
    grant(work, acl_of(work, line), target)


def acl_of(work: Work, line: BatchObject) -> Acl:
    """Return the grants of a source. Raises Refused for what a copy would lose of them."""
    acl = work.store.get_object_acl(bucket=work.bucket, region=work.region, key=line.key)
    if acl.unknown:
        raise Refused(f"The grants hold {', '.join(acl.unknown)}.", code="UnknownGrants")
    return acl


def grant(work: Work, acl: Acl, target: ObjectRef) -> None:
    """Give the copy the source's grants, which it waited for with none. Raises StorageError."""
    store, at = work.target_store, {"bucket": target.bucket, "region": target.region, "key": target.key}
    if acl.is_inherited:
        store.put_object_acl(**at, acl="default")
        return
    there = store.get_object_acl(**at)
    store.put_object_acl(**at, acl=replace(there, grants=acl.explicit, is_inherited=False))


def abort(work: Work, line: BatchObject, target: ObjectRef) -> None:
    """This will throw away what the store holds of a large copy. Raises StorageError."""
    if line.upload_id.startswith(BEGUN):
        _abort_lost(work, line, target)
        return
    _abort_upload(work, target, line.upload_id)


def _abort_lost(work: Work, line: BatchObject, target: ObjectRef) -> None:
    """Abort what a worker may have begun that was killed before it knew the upload's id."""
    since = datetime.fromtimestamp(int(line.upload_id.removeprefix(BEGUN)), UTC)
    try:
        found = set(lost_uploads(work.target_store, target, since=since, until=since + LOST_WINDOW))
        known = set(BatchObject.objects.filter(upload_id__in=found).values_list("upload_id", flat=True))
    finally:
        # A thread of the run ends with its round, and takes no connection to the database along.
        connection.close()
    for upload_id in found - known:
        _abort_upload(work, target, upload_id)


def _abort_upload(work: Work, target: ObjectRef, upload_id: str) -> None:
    try:
        work.target_store.abort_multipart_upload(
            bucket=target.bucket, region=target.region, key=target.key, upload_id=upload_id
        )
    except (NotFound, Refused):
        return
