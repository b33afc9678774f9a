"""Copying: the source pinned, the target looked at right before, nothing overwritten that nobody saw."""

from __future__ import annotations

import json
from collections.abc import Sequence

from apps.batches.actions import large
from apps.batches.actions.outcomes import State, Work, conflicted, ended, failed
from apps.batches.content import content_of
from apps.batches.ledger import Outcome
from apps.batches.models import Action, BatchObject
from apps.batches.rules import other_name
from apps.storage.errors import Conflict, ObjectNotFound, StorageError
from apps.storage.types import ObjectInfo, ObjectRef, StoredObject
from apps.transfers.services.copies import COPY_IN_PARTS_FROM

SKIP, REPLACE, KEEP = "skip", "replace", "keep"


def copy(work: Work, lines: Sequence[BatchObject]) -> list[Outcome]:
    """Copy each object. The source is pinned by its ETag, so that a plan never copies something newer."""
    return [_copied(work, line) for line in lines]


def _copied(work: Work, line: BatchObject) -> Outcome:
    choice = work.options.get("collision", "")
    if line.rank > 1 and choice != KEEP:
        return ended(line, State.SKIPPED, "SameTarget")
    if line.target_etag and choice == SKIP:
        return ended(line, State.SKIPPED, "TargetTaken")
    target = line.target
    if choice == KEEP and (line.rank > 1 or line.target_etag):
        target = other_name(line.target, work.frozen_at, line.rank)
    try:
        return _looked(work, line, work.target(target), choice)
    except Conflict as error:
        return conflicted(line, error)
    except StorageError as error:
        return failed(line, error)


def _looked(work: Work, line: BatchObject, target: ObjectRef, choice: str) -> Outcome:
    """Copy unless something is in the way now that the person has not decided on."""
    there = _head(work, target)
    if there is None or (choice == REPLACE and there.etag == line.target_etag):
        return _written(work, line, target)
    source = _head(work, work.source(line.key))
    if source is not None and source.etag == line.etag and _is_copy(there, source):
        # Ours, from an attempt whose end was not written down; or one like it, which nothing is lost by.
        if line.size > COPY_IN_PARTS_FROM and work.options.get("is_acl_kept", True):
            large.grant_again(work, line, target)
        return _settled(work, line, target, StoredObject(there.etag, there.crc64))
    if choice == SKIP:
        return ended(line, State.SKIPPED, "TargetTaken")
    if choice == KEEP and target.key == line.target:
        other = other_name(line.target, work.frozen_at, line.rank)
        return _looked(work, line, work.target(other), choice)
    message = f"An object with the key {target.key!r} is there that the plan has not seen."
    return Outcome(line=line, state=State.FAILED, code="TargetTaken", message=message)


def _written(work: Work, line: BatchObject, target: ObjectRef) -> Outcome:
    is_acl_kept = work.options.get("is_acl_kept", True)
    if line.size > COPY_IN_PARTS_FROM:
        return large.advance(
            work,
            line,
            target,
            is_acl_kept=is_acl_kept,
            settled=lambda stored: _settled(work, line, target, stored),
        )
    stored = work.store.copy_object(
        source=work.source(line.key),
        bucket=target.bucket,
        region=target.region,
        key=target.key,
        source_etag=line.etag,
        storage_class=line.storage_class or None,
        is_acl_kept=is_acl_kept,
    )
    return _settled(work, line, target, stored)


def _settled(work: Work, line: BatchObject, target: ObjectRef, stored: StoredObject) -> Outcome:
    return ended(
        line,
        State.DONE if work.action == Action.COPY else State.COPIED,
        request_id=stored.request_id,
        after=json.dumps({"etag": stored.etag, "crc64": stored.crc64}),
        target=target.key,
    )


def verify(work: Work, lines: Sequence[BatchObject]) -> list[Outcome]:
    """Compare copy and source once more: what differs keeps its source."""
    return [_verified(work, line) for line in lines]


def _verified(work: Work, line: BatchObject) -> Outcome:
    try:
        there = _head(work, work.target(line.target))
        source = _head(work, work.source(line.key))
    except StorageError as error:
        return failed(line, error)
    stored = json.loads(line.after)
    if there is None and source is None:
        return ended(line, State.FAILED, "BothGone")
    if there is None or there.size != line.size or there.etag != stored["etag"]:
        return ended(line, State.FAILED, "CopyDiffers")
    if source is None:
        return ended(line, State.DONE)
    if source.etag != line.etag:
        return ended(line, State.FAILED, "Changed")
    if not _is_same(there, source):
        return ended(line, State.FAILED, "CopyDiffers")
    return ended(line, State.READ)


def _is_copy(there: ObjectInfo, source: ObjectInfo) -> bool:
    """Return whether one object is all that a copy of the other would be: bytes, headers and class."""
    return _is_same(there, source) and content_of(there) == content_of(source)


def _is_same(there: ObjectInfo, source: ObjectInfo) -> bool:
    """Return whether two objects hold the same bytes, by size and by CRC-64 where the store has it."""
    if there.size != source.size:
        return False
    if there.crc64 is None or source.crc64 is None:
        return there.etag == source.etag
    return there.crc64 == source.crc64


def _head(work: Work, ref: ObjectRef) -> ObjectInfo | None:
    try:
        return work.store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
    except ObjectNotFound:
        return None
