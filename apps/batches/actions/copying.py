"""Copying: the source pinned, the target looked at right before, nothing overwritten that nobody saw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from apps.batches.actions import large
from apps.batches.actions.outcomes import ATTEMPTS, State, Work, conflicted, ended, failed
from apps.batches.content import Content, content_of
from apps.batches.ledger import Outcome
from apps.batches.models import Action, BatchObject
from apps.batches.rules import IN_STORE, KEPT, RELAYED, other_name
from apps.storage.errors import TAKEN, Conflict, Denied, ObjectNotFound, StorageError
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectHeaders, ObjectInfo, ObjectRef, StoredObject
from apps.transfers.content import NewObject
from apps.transfers.relaying import relay_object, source_pin
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
        return _overtaken(line, error) if error.code == TAKEN else conflicted(line, error)
    except StorageError as error:
        return failed(line, error)


def _overtaken(line: BatchObject, error: Conflict) -> Outcome:
    """Look again: after the last look somebody stored an object there, or an attempt went through unseen."""
    if line.attempts + 1 >= ATTEMPTS:
        return failed(line, error)
    return Outcome(line=line, state=line.state, upload_id=line.upload_id, is_attempt=True)


def _looked(work: Work, line: BatchObject, target: ObjectRef, choice: str) -> Outcome:
    """Copy unless something is in the way now that the person has not decided on."""
    there = _head(work.target_store, target)
    if there is None or (choice == REPLACE and there.etag == line.target_etag):
        return _written(work, line, target, is_new_only=there is None)
    source = _head(work.store, work.source(line.key))
    if source is not None and source.etag == line.etag and _is_copy(there, source, _wanted(work, source)):
        # Ours, from an attempt whose end was not written down; or one like it, which nothing is lost by.
        if work.access == KEPT and (work.is_elsewhere or line.size > COPY_IN_PARTS_FROM):
            large.grant_again(work, line, target)
        return _settled(work, line, target, StoredObject(there.etag, there.crc64))
    # An upload that was begun for this key stays with its line, to be aborted when the batch ends.
    if choice == SKIP:
        return ended(line, State.SKIPPED, "TargetTaken", upload_id=line.upload_id)
    other = other_name(line.target, work.frozen_at, line.rank)
    if choice == KEEP and target.key != other:
        if line.upload_id:
            large.abort(work, line, work.target(line.target))
            line.upload_id = ""
        return _looked(work, line, work.target(other), choice)
    message = f"An object with the key {target.key!r} is there that the plan has not seen."
    return ended(line, State.FAILED, "TargetTaken", message=message, upload_id=line.upload_id)


def _written(work: Work, line: BatchObject, target: ObjectRef, *, is_new_only: bool) -> Outcome:
    if line.size > COPY_IN_PARTS_FROM:
        return large.advance(
            work,
            line,
            target,
            access=work.access,
            headers=_headers(work, line),
            settled=lambda stored: _settled(work, line, target, stored),
            is_new_only=is_new_only,
        )
    if work.is_elsewhere:
        return _settled(work, line, target, _crossed(work, line, target, is_new_only=is_new_only))
    stored = work.store.copy_object(
        source=work.source(line.key),
        bucket=target.bucket,
        region=target.region,
        key=target.key,
        source_etag=line.etag,
        storage_class=work.options.get("storage_class") or line.storage_class or None,
        headers=_headers(work, line),
        acl=None if work.access == KEPT else work.acl,
        is_acl_kept=work.access == KEPT,
        is_new_only=is_new_only,
    )
    return _settled(work, line, target, stored)


def _headers(work: Work, line: BatchObject) -> ObjectHeaders | None:
    """Return what replaces the headers of the source, None where the store copies them as they are."""
    is_class_changed = work.is_elsewhere or work.options.get("storage_class")
    if not work.options.get("is_replaced") and not (line.size > COPY_IN_PARTS_FROM and is_class_changed):
        return None
    return _wanted(work, _pinned(work, line)).to_headers()


def _crossed(work: Work, line: BatchObject, target: ObjectRef, *, is_new_only: bool) -> StoredObject:
    """Copy to another connection. Its grants are read first, and given when the bytes are there."""
    acl = large.acl_of(work, line) if work.access == KEPT else None
    begun = None if acl is not None and acl.is_inherited else work.acl
    info = _pinned(work, line)
    new = NewObject(headers=_wanted(work, info).to_headers(), acl=begun or "")
    stored = _stored(work, line, target, info, new, is_new_only=is_new_only)
    if acl is not None and not acl.is_inherited:
        large.grant(work, acl, target)
    return stored


def _stored(
    work: Work,
    line: BatchObject,
    target: ObjectRef,
    info: ObjectInfo,
    new: NewObject,
    *,
    is_new_only: bool,
) -> StoredObject:
    source = work.source(line.key)
    if not work.relays.is_set():
        try:
            return work.target_store.copy_object(
                source=source,
                bucket=target.bucket,
                region=target.region,
                key=target.key,
                source_etag=line.etag,
                headers=new.headers,
                acl=new.acl or None,
                is_new_only=is_new_only,
            )
        except Denied:
            # The key of the one connection does not read the other's bucket: from now on bytes pass here.
            work.relays.set()
    return relay_object(
        work.store,
        source_pin(source, info),
        work.target_store,
        target,
        new_object=new,
        on_progress=work.may_go_on,
        is_new_only=is_new_only,
    )


def _pinned(work: Work, line: BatchObject) -> ObjectInfo:
    """Return what the source says of itself. Raises Conflict when it is not that of the plan."""
    info = work.store.head_object(bucket=work.bucket, region=work.region, key=line.key)
    if info.etag != line.etag:
        raise Conflict("The source was replaced since the plan.", code="Changed")
    return info


def _wanted(work: Work, source: ObjectInfo) -> Content:
    """Return what a copy of an object says of itself."""
    content, options = content_of(source), work.options
    if options.get("is_replaced"):
        kept = {name: content.headers[name] for name in ("content-type",) if name in content.headers}
        content = Content(kept | options["set"], options["metadata"], content.storage_class)
    known = work.target_store.features.storage_classes
    chosen = options.get("storage_class") or content.storage_class
    return replace(content, storage_class=chosen if chosen in known else known[0])


def _settled(work: Work, line: BatchObject, target: ObjectRef, stored: StoredObject) -> Outcome:
    return ended(
        line,
        State.DONE if work.action == Action.COPY else State.COPIED,
        request_id=stored.request_id,
        after=json.dumps({"etag": stored.etag, "crc64": stored.crc64} | _way(work)),
        target=target.key,
    )


def _way(work: Work) -> dict[str, str]:
    """Return for the receipt how the bytes got to another connection."""
    if not work.is_elsewhere:
        return {}
    return {"way": RELAYED if work.relays.is_set() else IN_STORE}


def verify(work: Work, lines: Sequence[BatchObject]) -> list[Outcome]:
    """Compare copy and source once more: what differs keeps its source."""
    return [_verified(work, line) for line in lines]


def _verified(work: Work, line: BatchObject) -> Outcome:
    try:
        there = _head(work.target_store, work.target(line.target))
        source = _head(work.store, work.source(line.key))
    except StorageError as error:
        return failed(line, error)
    stored = json.loads(line.after)
    if there is None and source is None:
        return ended(line, State.FAILED, "BothGone")
    if there is None or there.size != line.size or there.etag != stored["etag"]:
        return ended(line, State.FAILED, "CopyDiffers")
    if source is None:
        return ended(line, State.DONE)
    if source.etag != line.etag or _is_newer(source, line):
        return ended(line, State.FAILED, "Changed")
    if not _is_same(there, source):
        return ended(line, State.FAILED, "CopyDiffers")
    return ended(line, State.READ)


def _is_newer(source: ObjectInfo, line: BatchObject) -> bool:
    """Return whether a source was stored again since the plan: with the same bytes it has the same ETag.

    Lists tell the moment more exactly than heads do, which have whole seconds.
    """
    if source.modified_at is None or line.modified_at is None:
        return False
    return int(source.modified_at.timestamp()) > int(line.modified_at.timestamp())


def _is_copy(there: ObjectInfo, source: ObjectInfo, wanted: Content) -> bool:
    """Return whether one object is all that a copy of the other would be: bytes, headers and class."""
    return _is_same(there, source) and content_of(there) == wanted


def _is_same(there: ObjectInfo, source: ObjectInfo) -> bool:
    """Return whether two objects hold the same bytes, by size and by CRC-64 where the store has it."""
    if there.size != source.size:
        return False
    if there.crc64 is None or source.crc64 is None:
        return there.etag == source.etag
    return there.crc64 == source.crc64


def _head(store: ObjectStore, ref: ObjectRef) -> ObjectInfo | None:
    try:
        return store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
    except ObjectNotFound:
        return None
