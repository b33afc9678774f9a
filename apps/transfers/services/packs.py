"""Many small files that arrive in one request: their rows in one transaction, their bytes into the spool.

A request, a session and a commit for each of some thousand small files cost far more than their bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import transaction

from apps.connections.models import Connection
from apps.connections.services import bucket_region, store_for
from apps.jobs.models import Job
from apps.storage.digest import crc64_update
from apps.storage.errors import StorageError
from apps.storage.multipart import plan_parts
from apps.transfers import spool
from apps.transfers.models import Transfer, UploadBatch
from apps.transfers.services.batches import MOVING
from apps.transfers.services.beginning import TargetExists, require_free, require_open
from apps.transfers.services.uploads import UploadWanted

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


def pack_take(*, batch: UploadBatch, files: Sequence[PackedFile]) -> list[int | None]:
    """This will begin the uploads of small files whose bytes are there, and return their transfers' ids.

    None stands for a file that needs a word with a person, such as one whose key is taken: it is sent by
    itself, which says what is the matter. Raises PackWaits, DiskFull, BatchEnded; nothing is begun then.
    """
    if batch.job.children.filter(state__in=MOVING).count() >= UNDER_WAY_AT_MOST:
        raise PackWaits
    if not spool.has_room(sum(len(file.content) for file in files)):
        raise DiskFull
    region = bucket_region(batch.connection, batch.bucket)
    with ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="pack") as pool:
        takes = list(pool.map(lambda file: _may_begin(batch.connection, batch.bucket, region, file), files))
    begun = iter(_begin(batch, region, [file for file, may in zip(files, takes, strict=True) if may]))
    return [next(begun) if may else None for may in takes]


def _may_begin(connection: Connection, bucket: str, region: str, file: PackedFile) -> bool:
    if file.replace:
        return True
    try:
        require_free(store_for(connection), bucket=bucket, region=region, key=file.wanted.key)
    except (TargetExists, StorageError):
        return False
    return True


def _begin(batch: UploadBatch, region: str, files: list[PackedFile]) -> list[int | None]:
    transfers = _rows(batch, region, files)
    return [
        transfer.pk if _spooled(transfer, file) else None
        for transfer, file in zip(transfers, files, strict=True)
    ]


def _rows(batch: UploadBatch, region: str, files: list[PackedFile]) -> list[Transfer]:
    with transaction.atomic():
        require_open(batch.job)
        jobs = Job.objects.bulk_create(
            Job(
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
