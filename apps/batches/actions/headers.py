"""Changing headers, metadata or class: a copy of each object onto itself, which keeps all the rest."""

from __future__ import annotations

from collections.abc import Sequence

from apps.batches.actions import large
from apps.batches.actions.outcomes import State, Work, conflicted, ended, failed
from apps.batches.content import Content, Kept, content_changed, content_of, content_read, kept_add, kept_in
from apps.batches.ledger import Outcome
from apps.batches.models import BatchObject
from apps.batches.rules import KEPT
from apps.storage.errors import Conflict, StorageError
from apps.storage.types import ObjectInfo, StoredObject


def read(work: Work, lines: Sequence[BatchObject]) -> list[Outcome]:
    """Read what each object says of itself; one that is as wanted already needs no copy."""
    return [_read(work, line) for line in lines]


def _read(work: Work, line: BatchObject) -> Outcome:
    try:
        info = _head(work, line)
        content = content_of(info)
        if line.before and _is_written(work, line, info, _wanted(work, line, content)):
            return ended(line, State.DONE, "AsWanted", after=content.text)
        kept = _kept(work, line, info)
    except StorageError as error:
        return failed(line, error)
    if line.expected and content.text != line.expected:
        return ended(line, State.SKIPPED, "Changed")
    if info.etag != line.etag and not line.wanted:
        return ended(line, State.FAILED, "Changed")
    if _wanted(work, line, content) == content:
        return ended(line, State.DONE, "AsWanted", after=content.text)
    return ended(line, State.READ, before=kept_add(content.text, kept) if kept else content.text)


def _kept(work: Work, line: BatchObject, info: ObjectInfo) -> Kept | None:
    """Read what is lost when a large object takes its own place; a small one is replaced in one request."""
    if line.size <= work.store.features.single_copy_max:
        return None
    acl = work.store.get_object_acl(bucket=work.bucket, region=work.region, key=line.key)
    return Kept(info.etag, info.crc64, acl)


def write(work: Work, lines: Sequence[BatchObject]) -> list[Outcome]:
    """Copy each object onto itself with its new headers, its grants and tags kept."""
    return [_write(work, line) for line in lines]


def _write(work: Work, line: BatchObject) -> Outcome:
    wanted = _wanted(work, line, content_read(line.before))
    try:
        return _copied(work, line, wanted)
    except Conflict as error:
        return _explained(work, line, wanted, error)
    except StorageError as error:
        return failed(line, error)


def _copied(work: Work, line: BatchObject, wanted: Content) -> Outcome:
    def settled(stored: StoredObject) -> Outcome:
        return ended(line, State.DONE, request_id=stored.request_id, after=wanted.text)

    target = work.source(line.key)
    kept = kept_in(line.before)
    if kept is not None:
        return large.advance(
            work, line, target, access=KEPT, headers=wanted.to_headers(), settled=settled, kept=kept
        )
    stored = work.store.copy_object(
        source=target,
        bucket=target.bucket,
        region=target.region,
        key=target.key,
        source_etag=None if line.wanted else line.etag,
        headers=wanted.to_headers(),
        is_acl_kept=True,
    )
    return settled(stored)


def _explained(work: Work, line: BatchObject, wanted: Content, error: Conflict) -> Outcome:
    """Tell an object that somebody replaced from one whose ETag our own copy changed, unseen."""
    try:
        is_ours = _is_written(work, line, _head(work, line), wanted)
    except StorageError as failure:
        return failed(line, failure)
    if is_ours:
        return ended(line, State.DONE, after=wanted.text)
    return conflicted(line, error)


def _is_written(work: Work, line: BatchObject, info: ObjectInfo, wanted: Content) -> bool:
    """Return whether an attempt whose end nobody wrote down gave the object its headers.

    A large one then gets its grants back: whoever replaced it may have been killed while it had none.
    """
    kept = kept_in(line.before)
    if content_of(info) != wanted or (kept is not None and info.crc64 != kept.crc64):
        return False
    if kept is not None:
        large.grant(work, kept.acl, work.source(line.key))
    return True


def _wanted(work: Work, line: BatchObject, content: Content) -> Content:
    return content_read(line.wanted) if line.wanted else content_changed(content, work.options)


def _head(work: Work, line: BatchObject) -> ObjectInfo:
    return work.store.head_object(bucket=work.bucket, region=work.region, key=line.key)
