"""Bytes that pass through a worker: copies between stores that no single key can both read and write.

`can_copy_in_store` finds out whether that is necessary. A relayed object or part goes through a file without
a name in the spool: memory stays flat, an interrupted download goes on where it was, an upload can be sent
again, and nothing is left behind by a worker that is killed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from apps.connections.models import Connection
from apps.connections.services import store_for
from apps.storage.digest import crc64_update
from apps.storage.errors import Canceled, Conflict, Corrupted, Denied, Interrupted, NotFound, Throttled
from apps.storage.store import ObjectStore
from apps.storage.types import FileSlice, ObjectInfo, ObjectRef, StoredObject, StoredPart
from apps.transfers.content import NewObject
from apps.transfers.spool import has_room

OnProgress = Callable[[int], bool]
# A download that breaks off is continued this often before the whole part counts as failed.
INTERRUPTIONS_MAX = 3


@dataclass(frozen=True)
class PinnedSource:
    """An object that is copied, as it was when the copy began: never another one under the same key.

    `version_id` is empty for the newest version; `crc64` is '' where the store does not know it.
    """

    ref: ObjectRef
    size: int
    etag: str
    version_id: str = ""
    crc64: str = ""


def source_pin(ref: ObjectRef, info: ObjectInfo, *, version_id: str = "") -> PinnedSource:
    """Return what HEAD said about an object as the source of a copy."""
    return PinnedSource(
        ref=ref, size=info.size, etag=info.etag, version_id=version_id, crc64=info.crc64 or ""
    )


def can_copy_in_store(
    source_connection: Connection, target_connection: Connection, *, source: PinnedSource
) -> bool:
    """Return whether the store can copy by itself, with the key of the target's connection.

    The same connection always can. Another one can when it speaks to the same endpoint and its key may read
    this very object, which is found out by reading its head. The answer can still turn out wrong: a copy
    that is refused with Denied has to be relayed. Raises StorageError when the store gives no answer.
    """
    if source_connection.pk == target_connection.pk:
        return True
    if _endpoint_of(source_connection) != _endpoint_of(target_connection):
        return False
    try:
        info = store_for(target_connection).head_object(
            bucket=source.ref.bucket,
            region=source.ref.region,
            key=source.ref.key,
            version_id=source.version_id or None,
        )
    except (Denied, NotFound):
        return False
    return info.etag == source.etag and info.size == source.size


def _endpoint_of(connection: Connection) -> tuple[str, str, str]:
    return connection.provider, connection.suffix, connection.connect_to


def relay_object(
    source_store: ObjectStore,
    source: PinnedSource,
    target_store: ObjectStore,
    target: ObjectRef,
    *,
    new_object: NewObject,
    on_progress: OnProgress | None = None,
    is_new_only: bool = False,
) -> StoredObject:
    """This will copy a whole object from one store into another in one request each.

    For up to `Features.single_put_max` bytes, as many as fit on the spool's disk beside its reserve. With
    `is_new_only` an object that has the key already stays, and this raises Conflict with the code `TAKEN`.
    `on_progress` is called with the bytes that are through, counting a byte that was read and not yet sent
    as half; when it returns False this raises Canceled. Raises Conflict when the source is not the pinned
    one any more, Corrupted when either side holds something else than passed here, Throttled with the code
    `SpoolFull` when the disk has no room now, and StorageError. Nothing is left behind in any case; whether
    the object is stored after Unavailable nobody knows.
    """
    with _fetched(source_store, source, 0, source.size, on_progress) as (body, crc64):
        _require_same(source, crc64)
        stored = target_store.put_object(
            bucket=target.bucket,
            region=target.region,
            key=target.key,
            body=body,
            headers=new_object.headers,
            on_progress=_second_half(on_progress, source.size),
            acl=new_object.acl or None,
            grants=new_object.grants,
            tags=new_object.tags,
            is_new_only=is_new_only,
        )
        _verify(stored.crc64, crc64)
    return replace(stored, crc64=crc64)


def relay_part(
    source_store: ObjectStore,
    source: PinnedSource,
    target_store: ObjectStore,
    target: ObjectRef,
    *,
    upload_id: str,
    number: int,
    offset: int,
    length: int,
    on_progress: OnProgress | None = None,
) -> StoredPart:
    """This will copy `length` bytes from `offset` of an object as part `number` of an upload elsewhere.

    The part that is returned has the CRC-64 of the bytes that passed: those of all parts, combined, must be
    the source's. Progress and errors are those of `relay_object`; UploadNotFound when the upload has ended.
    """
    with _fetched(source_store, source, offset, length, on_progress) as (body, crc64):
        stored = target_store.upload_part(
            bucket=target.bucket,
            region=target.region,
            key=target.key,
            upload_id=upload_id,
            number=number,
            body=body,
            on_progress=_second_half(on_progress, length),
        )
        _verify(stored.crc64, crc64)
    return replace(stored, crc64=crc64)


@contextmanager
def _fetched(
    store: ObjectStore, source: PinnedSource, offset: int, length: int, on_progress: OnProgress | None
) -> Iterator[tuple[FileSlice, str]]:
    """Lend a range of the source as a file that has no name, with its CRC-64."""
    root = Path(settings.SPOOL_DIR)
    root.mkdir(parents=True, exist_ok=True)
    _require_room(length)
    with tempfile.TemporaryFile(dir=root, prefix="relay-", buffering=0) as file:
        crc64 = _fetch(store, source, offset, length, file, on_progress)
        yield FileSlice(file=file, offset=0, length=length), str(crc64)


def _fetch(
    store: ObjectStore,
    source: PinnedSource,
    offset: int,
    length: int,
    file: BinaryIO,
    on_progress: OnProgress | None,
) -> int:
    done, crc64, interruptions = 0, 0, 0
    while True:
        try:
            for chunk in _chunks(store, source, offset + done, length - done):
                _write(file, chunk)
                crc64, done = crc64_update(chunk, crc64), done + len(chunk)
                if on_progress is not None and not on_progress(done // 2):
                    raise Canceled("The copy was canceled.")
            if done < length:
                raise Corrupted(f"The source gave {done} bytes where {length} were asked for.")
        except Interrupted:
            interruptions += 1
            if interruptions > INTERRUPTIONS_MAX:
                raise
        if done == length:
            break
    return crc64


def _chunks(store: ObjectStore, source: PinnedSource, offset: int, length: int) -> Iterator[bytes]:
    is_whole = offset == 0 and length == source.size
    body = store.get_object(
        bucket=source.ref.bucket,
        region=source.ref.region,
        key=source.ref.key,
        # An empty object has no range that could be asked for.
        byte_range=None if is_whole else f"bytes={offset}-{offset + length - 1}",
        if_match=source.etag,
        version_id=source.version_id or None,
    )
    with closing(body):
        # A store that ignores the condition must not slip another object in.
        if body.info.etag != source.etag or body.content_length not in (-1, length):
            raise Conflict("The source was replaced while it was copied.", code="PreconditionFailed")
        yield from body


def _write(file: BinaryIO, chunk: bytes) -> None:
    view = memoryview(chunk)
    try:
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        if error.errno not in (ENOSPC, EDQUOT):
            raise
        raise _full() from None


def _require_room(length: int) -> None:
    if not has_room(length):
        raise _full()


def _full() -> Throttled:
    return Throttled("The console's disk has no room for the bytes that pass through it.", code="SpoolFull")


def _second_half(on_progress: OnProgress | None, length: int) -> OnProgress | None:
    if on_progress is None:
        return None
    return lambda sent: on_progress(length - (length - sent) // 2)


def _require_same(source: PinnedSource, crc64: str) -> None:
    if source.crc64 and source.crc64 != crc64:
        raise Corrupted(f"The source has the CRC-64 {source.crc64}, and what it gave has {crc64}.")


def _verify(stored: str | None, crc64: str) -> None:
    if stored is not None and stored != crc64:
        raise Corrupted(f"The copy arrived changed: its CRC-64 is {stored}, and {crc64} was sent.")
