"""Many small files that arrive in one request: their rows in one transaction, their bytes into the spool.

A request, a session and a commit for each of some thousand small files cost far more than their bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction

from apps.connections.models import Connection
from apps.connections.services import bucket_region
from apps.jobs.models import Job
from apps.storage.digest import crc64_update
from apps.storage.errors import StorageError
from apps.storage.multipart import plan_parts
from apps.transfers import spool
from apps.transfers.models import Transfer, UploadBatch
from apps.transfers.services.batches import MOVING
from apps.transfers.services.beginning import TargetExists, begun_already, free_ids, require_open
from apps.transfers.services.uploads import UploadWanted, require_may_begin

PACK_FILES_MAX = 100
PACK_BYTES_MAX = 4 * 1024 * 1024
LOOKS_AT_ONCE = 8
# So many small files of one batch may be on their way to the store: beyond that the browser waits.
UNDER_WAY_AT_MOST = 300


class PackWaits(Exception):
    """The store has to catch up before further files are taken."""


class DiskFull(Exception):
    """The console's disk would lose its reserve."""


@dataclass(frozen=True)
class PackedFile:
    """A small file with all its bytes."""

    wanted: UploadWanted
    replace: bool
    content: memoryview


def pack_require_room(batch: UploadBatch) -> None:
    """Raise PackWaits while the store has to catch up with a batch; asked before a pack is looked into."""
    if batch.job.children.filter(state__in=MOVING).count() >= UNDER_WAY_AT_MOST:
        raise PackWaits


def pack_take(*, batch: UploadBatch, files: Sequence[PackedFile]) -> list[int | None]:
    """This will begin the uploads of small files whose bytes are there, and return their transfers' ids.

    None stands for a file that needs a word with a person, such as one whose key is taken: it is sent by
    itself, which says what is the matter. Raises DiskFull, BatchEnded; nothing is begun then.
    """
    if not spool.has_room(sum(len(file.content) for file in files)):
        raise DiskFull
    region = bucket_region(batch.connection, batch.bucket)
    with ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="pack") as pool:
        takes = list(pool.map(lambda file: _may_begin(batch.connection, batch.bucket, region, file), files))
    return _begin(batch, region, [(file, may) for file, may in zip(files, takes, strict=True)])


def _may_begin(connection: Connection, bucket: str, region: str, file: PackedFile) -> bool:
    try:
        require_may_begin(connection, bucket=bucket, region=region, wanted=file.wanted, replace=file.replace)
    except (TargetExists, StorageError):
        return False
    return True


def _begin(batch: UploadBatch, region: str, files: list[tuple[PackedFile, bool]]) -> list[int | None]:
    asked = {file.wanted.job_id: (file.wanted.key, file.wanted.size) for file, _may in files}
    with transaction.atomic():
        require_open(batch.job)
        # The answer to this very pack may have been lost: looked for where nobody else can begin meanwhile.
        begun = begun_already(batch.job.owner, batch.connection, batch.bucket, asked)
        new = [file for file, may in files if may and file.wanted.job_id not in begun]
        rows = iter(_rows(batch, region, new))
        transfers = [begun.get(file.wanted.job_id) or (next(rows) if may else None) for file, may in files]
    return [
        transfer.pk if transfer is not None and _has_bytes(transfer, file) else None
        for transfer, (file, _may) in zip(transfers, files, strict=True)
    ]


def _rows(batch: UploadBatch, region: str, files: list[PackedFile]) -> list[Transfer]:
    free = free_ids(file.wanted.job_id for file in files)
    jobs = Job.objects.bulk_create(
        Job(
            id=_id_of(file, free),
            kind=Job.Kind.UPLOAD,
            feature="transfers",
            owner_id=batch.job.owner_id,
            title=file.wanted.key,
            place=batch.bucket,
            bytes_total=file.wanted.size,
            parent=batch.job,
        )
        for file in files
    )
    return Transfer.objects.bulk_create(
        Transfer(
            job=job,
            connection=batch.connection,
            bucket=batch.bucket,
            region=region,
            key=file.wanted.key,
            size=file.wanted.size,
            part_size=plan_parts(file.wanted.size).part_size,
            wanted=file.wanted.new_object.to_json(),
            file_modified_ms=file.wanted.file_modified_ms,
            may_replace=file.replace,
        )
        for job, file in zip(jobs, files, strict=True)
    )


def _id_of(file: PackedFile, free: set[UUID]) -> UUID:
    """Return the id that the browser chose, once; another one where that is taken."""
    chosen = file.wanted.job_id
    if chosen not in free:
        return uuid4()
    free.remove(chosen)
    return chosen


def _has_bytes(transfer: Transfer, file: PackedFile) -> bool:
    """Return whether the bytes are with the console; those of a file that waits for them are laid down."""
    if transfer.job.state != Job.State.QUEUED or spool.slices_waiting(transfer.pk):
        return True
    return _spooled(transfer, file)


def _spooled(transfer: Transfer, file: PackedFile) -> bool:
    """Lay a file's bytes down where a worker finds them; a disk that refuses them leaves nothing behind."""
    spool.spool_open(transfer.pk)
    draft = spool.Draft(transfer.pk, 1)
    try:
        draft.write(file.content)
        draft.keep(crc64_update(file.content))
    except OSError:
        draft.discard()
        spool.spool_remove(transfer.pk)
        transfer.job.delete()
        return False
    return True
