"""Objects too large for one request: copied in parts, over as many tasks as it takes.

The upload id is kept on the line before the first part is asked for. Which parts are there is asked of the
store each time: a worker that was killed lost nothing, and no second record of parts can be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from apps.batches.actions.outcomes import Work
from apps.batches.content import Kept
from apps.batches.ledger import Outcome
from apps.batches.models import BatchObject
from apps.storage.errors import Conflict, Corrupted, NotFound, Refused, UploadNotFound
from apps.storage.grants import Acl
from apps.storage.multipart import PartPlan, plan_parts
from apps.storage.types import ObjectHeaders, ObjectInfo, ObjectRef, StoredObject, StoredPart
from apps.transfers.services.copies import COPY_PART_SIZE, headers_of

PARTS_AT_ONCE = 8


def advance(
    work: Work,
    line: BatchObject,
    target: ObjectRef,
    *,
    is_acl_kept: bool,
    settled: Callable[[StoredObject], Outcome],
    headers: ObjectHeaders | None = None,
    kept: Kept | None = None,
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
            upload_id = _begin(work, info, target, headers, is_acl_kept=is_acl_kept)
            return Outcome(line=line, state=line.state, upload_id=upload_id)
        plan = plan_parts(line.size, part_size_min=COPY_PART_SIZE)
        try:
            parts = _parts(work, line, target, plan, etag)
            if len(parts) < plan.count:
                return Outcome(line=line, state=line.state, upload_id=line.upload_id)
            stored = work.store.complete_multipart_upload(
                bucket=target.bucket,
                region=target.region,
                key=target.key,
                upload_id=line.upload_id,
                parts=parts,
            )
        except UploadNotFound:
            # Somebody aborted it, or a Complete went through whose answer was lost; the next look decides.
            return Outcome(line=line, state=line.state, upload_id="", is_attempt=True)
        _verify(stored, info)
        if is_acl_kept:
            grant(work, kept.acl if kept else _acl(work, line), target)
        return settled(stored)


def _begin(
    work: Work, info: ObjectInfo, target: ObjectRef, headers: ObjectHeaders | None, *, is_acl_kept: bool
) -> str:
    wanted = headers or headers_of(info)
    if wanted.storage_class is None:
        wanted = replace(wanted, storage_class=info.storage_class)
    return work.store.create_multipart_upload(
        bucket=target.bucket,
        region=target.region,
        key=target.key,
        headers=wanted,
        # Never for a moment more open than the source: its own grants follow when the object is whole.
        acl="private" if is_acl_kept else None,
    )


def _parts(work: Work, line: BatchObject, target: ObjectRef, plan: PartPlan, etag: str) -> list[StoredPart]:
    """Copy what is missing until the time is up; return what is there."""
    listed = work.store.list_parts(
        bucket=target.bucket, region=target.region, key=target.key, upload_id=line.upload_id
    )
    there = {part.number: part for part in listed if part.size == plan.range_of(part.number)[1]}
    missing = [number for number in range(1, plan.count + 1) if number not in there]

    def copied(number: int) -> StoredPart | None:
        return None if work.is_over else _copy_part(work, line, target, plan, number, etag)

    with ThreadPoolExecutor(PARTS_AT_ONCE, thread_name_prefix="large") as pool:
        there |= {part.number: part for part in _present(pool.map(copied, missing))}
    return [there[number] for number in sorted(there)]


def _present(parts: Iterable[StoredPart | None]) -> Iterable[StoredPart]:
    return (part for part in parts if part is not None)


def _copy_part(
    work: Work, line: BatchObject, target: ObjectRef, plan: PartPlan, number: int, etag: str
) -> StoredPart:
    offset, length = plan.range_of(number)
    return work.store.upload_part_copy(
        source=work.source(line.key),
        bucket=target.bucket,
        region=target.region,
        key=target.key,
        upload_id=line.upload_id,
        number=number,
        first_byte=offset,
        last_byte=offset + length - 1,
        source_etag=etag,
    )


def _verify(stored: StoredObject, info: ObjectInfo) -> None:
    if stored.crc64 is not None and info.crc64 is not None and stored.crc64 != info.crc64:
        raise Corrupted(f"The copy has the CRC-64 {stored.crc64}, its source {info.crc64}.")


def grant_again(work: Work, line: BatchObject, target: ObjectRef) -> None:
    """Give a copy the source's grants that a killed worker may not have got to."""
    grant(work, _acl(work, line), target)


def _acl(work: Work, line: BatchObject) -> Acl:
    return work.store.get_object_acl(bucket=work.bucket, region=work.region, key=line.key)


def grant(work: Work, acl: Acl, target: ObjectRef) -> None:
    """Give the copy the source's grants, which it waited for with none. Raises StorageError."""
    if acl.is_inherited:
        work.store.put_object_acl(bucket=target.bucket, region=target.region, key=target.key, acl="default")
        return
    there = work.store.get_object_acl(bucket=target.bucket, region=target.region, key=target.key)
    granted = replace(there, grants=acl.explicit, is_inherited=False)
    work.store.put_object_acl(bucket=target.bucket, region=target.region, key=target.key, acl=granted)


def abort(work: Work, line: BatchObject, target: ObjectRef) -> None:
    """This will throw away what the store holds of a large copy. Raises StorageError."""
    try:
        work.store.abort_multipart_upload(
            bucket=target.bucket, region=target.region, key=target.key, upload_id=line.upload_id
        )
    except (NotFound, Refused):
        return
