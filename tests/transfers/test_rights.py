"""Somebody who was shown out while files are under way: nothing more of theirs is stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.accounts.models import Person
from apps.connections.models import Connection, Role
from apps.connections.services import ConnectionInUse, connection_delete, member_set, store_for
from apps.jobs.models import Job
from apps.storage.errors import ObjectNotFound
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectRef
from apps.transfers import ledger, tasks
from apps.transfers.models import Transfer
from apps.transfers.services import copies, states, uploads
from tests.conftest import OTHER_ACCOUNT, REGION
from tests.transfers.conftest import MIB, slice_put
from tests.transfers.test_uploads import stored_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

SIZE = 9 * MIB
BODY = bytes(range(256)) * (SIZE // 256)


@pytest.fixture
def upload(writer: Person, connection: Connection, bucket: str) -> Transfer:
    """A writer's upload in two parts, of which the first one is stored."""
    wanted = uploads.UploadWanted(key="theirs", size=SIZE)
    transfer = uploads.upload_start(
        owner=writer, connection=connection, bucket=bucket, wanted=wanted, replace=False
    )
    send(transfer, 1)
    return transfer


def send(transfer: Transfer, number: int) -> Job:
    offset, length = transfer.plan.range_of(number)
    slice_put(transfer, number, BODY[offset : offset + length])
    tasks.send_part.apply(kwargs={"transfer_id": transfer.pk, "number": number})
    job: Job = Job.objects.get(pk=transfer.job_id)
    return job


@pytest.fixture
def show_out(connection: Connection, writer: Person) -> Callable[[str], object]:
    def do(how: str) -> object:
        if how == "removed":
            return connection.members.filter(person=writer).delete()
        if how == "lowered":
            return member_set(connection=connection, person=writer, role=Role.READER)
        return Person.objects.filter(pk=writer.pk).update(is_active=False)

    return do


@pytest.mark.parametrize("how", ["removed", "lowered", "deactivated"])
def test_slices_of_somebody_shown_out_are_not_sent(
    upload: Transfer, show_out: Callable[[str], object], how: str, writer: Person
) -> None:
    show_out(how)

    # What is known of a transfer may be some seconds old.
    ledger.transfer_forget(upload.pk)
    for _twice in range(2):
        job = send(upload, 2)

    assert (job.state, job.error_code) == (Job.State.PARKED, "RoleLost")
    assert [part.number for part in upload.parts.all()] == [1]


def test_nothing_is_completed_for_somebody_shown_out(
    upload: Transfer,
    show_out: Callable[[str], object],
    connection: Connection,
    store: ObjectStore,
    bucket: str,
) -> None:
    send(upload, 2)
    show_out("removed")
    Job.objects.filter(pk=upload.job_id).update(state=Job.State.FINISHING)

    tasks.complete_transfer.apply(kwargs={"transfer_id": upload.pk})

    upload.job.refresh_from_db()
    assert (upload.job.state, upload.job.error_code) == (Job.State.PARKED, "RoleLost")
    with pytest.raises(ObjectNotFound):
        store.head_object(bucket=bucket, region=REGION, key="theirs")


def test_who_is_let_in_again_goes_on(
    upload: Transfer,
    show_out: Callable[[str], object],
    connection: Connection,
    writer: Person,
    store: ObjectStore,
) -> None:
    show_out("lowered")
    ledger.transfer_forget(upload.pk)
    send(upload, 2)
    member_set(connection=connection, person=writer, role=Role.WRITER)
    states.transfer_resume(upload)

    tasks.send_part.apply(kwargs={"transfer_id": upload.pk, "number": 2})
    tasks.complete_transfer.apply(kwargs={"transfer_id": upload.pk})

    assert stored_bytes(store, upload.bucket, "theirs") == BODY


@pytest.fixture
def copy(
    writer: Person, connection: Connection, other_connection: Connection, bucket: str, put: Callable[..., str]
) -> Transfer:
    """A writer's copy out of the owner's connection into another one that lets them write."""
    put("from", BODY)
    member_set(connection=other_connection, person=writer, role=Role.WRITER)
    name = f"{bucket.rpartition('-')[0]}-{OTHER_ACCOUNT.appid}"
    store_for(other_connection).create_bucket(bucket=name, region=REGION)
    return copies.copy_start(
        owner=writer,
        connection=other_connection,
        source_connection=connection,
        source=ObjectRef(bucket, REGION, "from"),
        bucket=name,
        region=REGION,
        key="to",
        replace=False,
        wanted=copies.CopyWanted(parts_from=MIB, part_size=4 * MIB),
    )


def test_nothing_is_read_for_somebody_shown_out(copy: Transfer, show_out: Callable[[str], object]) -> None:
    show_out("removed")

    tasks.copy_parts.apply(kwargs={"transfer_id": copy.pk})

    copy.job.refresh_from_db()
    assert (copy.job.state, copy.job.error_code) == (Job.State.PARKED, "RoleLost")
    assert not copy.parts.exists()


def test_reader_of_the_source_copies_and_moves_nothing(
    copy: Transfer, show_out: Callable[[str], object]
) -> None:
    show_out("lowered")
    Transfer.objects.filter(pk=copy.pk).update(is_move=True)

    tasks.copy_parts.apply(kwargs={"transfer_id": copy.pk})

    assert not copy.parts.exists()
    Transfer.objects.filter(pk=copy.pk).update(is_move=False)
    states.transfer_resume(copy)
    tasks.copy_parts.apply(kwargs={"transfer_id": copy.pk})
    assert copy.parts.count() == copy.plan.count


def test_connection_that_a_copy_reads_from_is_not_deleted(copy: Transfer, connection: Connection) -> None:
    with pytest.raises(ConnectionInUse):
        connection_delete(connection)
