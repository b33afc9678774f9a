"""Copies between connections: in the store where one key can read and write, else through a worker."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import Person
from apps.connections.models import Connection, Role
from apps.connections.services import member_set, store_for
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.errors import ObjectNotFound
from apps.storage.grants import EVERYONE, Grant, account_grantee
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectRef
from apps.transfers import tasks
from apps.transfers.copying import copy_batch
from apps.transfers.finishing import transfer_abort, transfer_complete, transfer_finish_claim
from apps.transfers.models import Transfer
from apps.transfers.services import copies, states
from tests.conftest import OTHER_ACCOUNT, REGION
from tests.transfers.conftest import MIB
from tests.transfers.test_uploads import stored_bytes, uploads_left

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Start = Callable[..., Transfer]
BODY = os.urandom(3 * MIB + 9)
PARTS = 4


@pytest.fixture
def there(other_connection: Connection) -> ObjectStore:
    return store_for(other_connection)


@pytest.fixture
def other_bucket(there: ObjectStore, bucket: str) -> str:
    name = f"{bucket.rpartition('-')[0]}-{OTHER_ACCOUNT.appid}"
    there.create_bucket(bucket=name, region=REGION)
    return name


@pytest.fixture
def start(
    owner: Person, connection: Connection, other_connection: Connection, bucket: str, other_bucket: str
) -> Start:
    member_set(connection=other_connection, person=owner, role=Role.WRITER)

    def begin(*, parts_from: int = MIB, **wanted: Any) -> Transfer:
        return copies.copy_start(
            owner=owner,
            connection=other_connection,
            source_connection=connection,
            source=ObjectRef(bucket, REGION, "from"),
            bucket=other_bucket,
            region=REGION,
            key="to",
            replace=False,
            wanted=copies.CopyWanted(parts_from=parts_from, part_size=MIB, **wanted),
        )

    return begin


def run(transfer: Transfer) -> Transfer:
    assert copy_batch(transfer_id=transfer.pk) is True
    assert transfer_finish_claim(transfer)
    transfer_complete(transfer_id=transfer.pk)
    transfer.refresh_from_db()
    return transfer


@pytest.mark.parametrize("parts_from", [MIB, 32 * MIB])
def test_bytes_pass_through_a_worker_where_no_key_reads_and_writes(
    start: Start,
    put: Callable[..., str],
    store: ObjectStore,
    there: ObjectStore,
    bucket: str,
    other_bucket: str,
    spool_dir: Path,
    parts_from: int,
) -> None:
    put("from", BODY, content_type="video/mp4", metadata={"team": "blue"}, storage_class="STANDARD_IA")

    transfer = run(start(parts_from=parts_from))

    assert transfer.is_relayed
    assert transfer.parts.count() == (PARTS if parts_from == MIB else 1)
    assert transfer.job.state == Job.State.DONE
    assert stored_bytes(there, other_bucket, "to") == BODY
    info = there.head_object(bucket=other_bucket, region=REGION, key="to")
    assert (info.content_type, info.metadata, info.storage_class) == (
        "video/mp4",
        {"team": "blue"},
        "STANDARD_IA",
    )
    assert transfer.crc64 == store.head_object(bucket=bucket, region=REGION, key="from").crc64
    assert os.listdir(spool_dir) == []


def test_store_copies_by_itself_where_the_targets_key_may_read(
    start: Start,
    put: Callable[..., str],
    store: ObjectStore,
    there: ObjectStore,
    bucket: str,
    other_bucket: str,
    local_store: LocalStore,
) -> None:
    put("from", BODY)
    store.put_object_acl(bucket=bucket, region=REGION, key="from", acl="public-read")
    transfer = start()
    local_store.faults.add(kind="error", operation="GetObject", status=403, code="AccessDenied", count=None)

    run(transfer)

    local_store.faults.clear()
    assert not transfer.is_relayed
    assert stored_bytes(there, other_bucket, "to") == BODY


def test_store_that_refuses_after_all_makes_the_copy_pass_through(
    start: Start,
    put: Callable[..., str],
    store: ObjectStore,
    there: ObjectStore,
    bucket: str,
    other_bucket: str,
) -> None:
    put("from", BODY)
    store.put_object_acl(bucket=bucket, region=REGION, key="from", acl="public-read")
    transfer = start()
    store.put_object_acl(bucket=bucket, region=REGION, key="from", acl="private")

    run(transfer)

    assert transfer.is_relayed
    assert stored_bytes(there, other_bucket, "to") == BODY


def test_source_that_changes_stops_the_copy(
    start: Start, put: Callable[..., str], there: ObjectStore, other_bucket: str
) -> None:
    put("from", BODY)
    transfer = start()
    put("from", BODY[::-1])

    tasks.copy_parts.apply(kwargs={"transfer_id": transfer.pk})
    states.transfer_cancel(transfer)
    transfer_abort(transfer_id=transfer.pk)

    transfer.job.refresh_from_db()
    assert transfer.job.state == Job.State.CANCELED
    assert uploads_left(there, other_bucket) == 0


def test_source_that_may_not_be_read_any_more_parks_the_copy(
    start: Start, put: Callable[..., str], local_store: LocalStore
) -> None:
    put("from", BODY)
    transfer = start()
    local_store.faults.add(kind="error", operation="GetObject", status=403, code="AccessDenied", count=None)

    tasks.copy_parts.apply(kwargs={"transfer_id": transfer.pk})

    transfer.job.refresh_from_db()
    assert (transfer.job.state, transfer.job.error_code) == (Job.State.PARKED, "AccessDenied")


def test_full_spool_is_waited_for(start: Start, put: Callable[..., str], settings: Any) -> None:
    put("from", BODY)
    transfer = start()
    room, settings.SPOOL_FREE_BYTES = settings.SPOOL_FREE_BYTES, 1 << 60
    tasks.copy_parts.apply(kwargs={"transfer_id": transfer.pk}, retries=tasks.ATTEMPTS)
    transfer.job.refresh_from_db()
    told = transfer.job.error_code

    settings.SPOOL_FREE_BYTES = room
    states.transfer_resume(transfer)
    run(transfer)

    assert told == "SpoolFull"


def test_moved_object_leaves_the_other_connection(
    start: Start,
    put: Callable[..., str],
    store: ObjectStore,
    there: ObjectStore,
    bucket: str,
    other_bucket: str,
) -> None:
    put("from", BODY)

    run(start(is_move=True))

    assert stored_bytes(there, other_bucket, "to") == BODY
    with pytest.raises(ObjectNotFound):
        store.head_object(bucket=bucket, region=REGION, key="from")


def test_grants_of_the_source_are_given_to_the_copy(
    start: Start,
    put: Callable[..., str],
    store: ObjectStore,
    there: ObjectStore,
    bucket: str,
    other_bucket: str,
) -> None:
    put("from", BODY)
    store.put_object_acl(bucket=bucket, region=REGION, key="from", acl="public-read")
    read = store.get_object_acl(bucket=bucket, region=REGION, key="from")

    run(start(is_acl_kept=True))

    acl = there.get_object_acl(bucket=other_bucket, region=REGION, key="to")
    assert acl.explicit == read.explicit == (Grant(EVERYONE, "READ"),)
    assert acl.owner == account_grantee(OTHER_ACCOUNT.root_uin)
