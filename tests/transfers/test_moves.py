"""A move: copied, verified, and only then is the source deleted, however often somebody is killed between."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from apps.accounts.models import Person
from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.errors import Conflict, Corrupted, Denied, ObjectNotFound, Throttled
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectRef
from apps.transfers import settling, tasks
from apps.transfers.copying import copy_batch
from apps.transfers.finishing import transfer_abort, transfer_complete, transfer_finish_claim
from apps.transfers.models import Transfer
from apps.transfers.services import copies, states
from tests.conftest import REGION
from tests.transfers.conftest import MIB
from tests.transfers.test_uploads import stored_bytes, uploads_left

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Move = Callable[..., Transfer]
BODY = os.urandom(2 * MIB + 5)
SMALL, IN_PARTS = 32 * MIB, MIB


@pytest.fixture
def move(owner: Person, connection: Connection, bucket: str) -> Move:
    def start(*, parts_from: int = SMALL, target: str = "to") -> Transfer:
        return copies.copy_start(
            owner=owner,
            connection=connection,
            source=ObjectRef(bucket, REGION, "from"),
            bucket=bucket,
            region=REGION,
            key=target,
            replace=True,
            wanted=copies.CopyWanted(is_move=True, parts_from=parts_from, part_size=MIB),
        )

    return start


def copied(transfer: Transfer) -> Transfer:
    """Copy all parts, and leave the end to come."""
    assert copy_batch(transfer_id=transfer.pk) is True
    assert transfer_finish_claim(transfer)
    return transfer


def state_of(transfer: Transfer) -> tuple[str, str]:
    transfer.job.refresh_from_db()
    return transfer.job.state, transfer.job.error_code


def exists(store: ObjectStore, bucket: str, key: str) -> bool:
    try:
        store.head_object(bucket=bucket, region=REGION, key=key)
    except ObjectNotFound:
        return False
    return True


def complete(transfer: Transfer) -> None:
    tasks.complete_transfer.apply(kwargs={"transfer_id": transfer.pk}, throw=True)


@pytest.mark.parametrize("parts_from", [SMALL, IN_PARTS])
def test_source_is_gone_once_the_copy_is_verified(
    move: Move, put: Callable[..., str], store: ObjectStore, bucket: str, parts_from: int
) -> None:
    put("from", BODY)
    transfer = copied(move(parts_from=parts_from))

    complete(transfer)
    complete(transfer)

    assert state_of(transfer) == (Job.State.DONE, "")
    assert stored_bytes(store, bucket, "to") == BODY
    assert not exists(store, bucket, "from")
    told = [(entry.verb, entry.key) for entry in Entry.objects.order_by("sequence")]
    assert told == [("object.delete", "from"), ("object.copy", "to")]


@pytest.mark.parametrize("parts_from", [SMALL, IN_PARTS])
@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("HeadObject", "error"),
        ("DeleteObject", "error"),
        ("DeleteObject", "drop_after"),
        ("CompleteMultipartUpload", "drop_after"),
    ],
)
def test_move_that_was_broken_off_anywhere_ends_when_it_is_tried_again(
    move: Move,
    put: Callable[..., str],
    store: ObjectStore,
    bucket: str,
    local_store: LocalStore,
    parts_from: int,
    operation: str,
    kind: str,
) -> None:
    put("from", BODY)
    transfer = copied(move(parts_from=parts_from))
    local_store.faults.add(kind=kind, operation=operation, count=1)

    for _attempt in range(3):
        complete(transfer)

    assert state_of(transfer) == (Job.State.DONE, "")
    assert stored_bytes(store, bucket, "to") == BODY
    assert not exists(store, bucket, "from")
    assert uploads_left(store, bucket) == 0


def test_source_that_changed_since_is_kept(
    move: Move, put: Callable[..., str], store: ObjectStore, bucket: str
) -> None:
    put("from", BODY)
    transfer = copied(move())
    put("from", b"newer")

    complete(transfer)

    assert state_of(transfer) == (Job.State.PARKED, settling.SOURCE_CHANGED)
    assert stored_bytes(store, bucket, "from") == b"newer"
    assert stored_bytes(store, bucket, "to") == BODY


def test_copy_that_was_replaced_since_keeps_the_source(
    move: Move, put: Callable[..., str], store: ObjectStore, bucket: str
) -> None:
    put("from", BODY)
    transfer = copied(move())
    put("to", b"somebody else's")

    with pytest.raises(Conflict):
        transfer_complete(transfer_id=transfer.pk)

    assert stored_bytes(store, bucket, "from") == BODY


def test_parts_that_do_not_make_the_source_are_never_completed(
    move: Move, put: Callable[..., str], store: ObjectStore, bucket: str
) -> None:
    put("from", BODY)
    transfer = copied(move(parts_from=IN_PARTS))
    transfer.parts.filter(number=2).update(crc64="1")

    with pytest.raises(Corrupted):
        transfer_complete(transfer_id=transfer.pk)

    assert exists(store, bucket, "from")
    assert not exists(store, bucket, "to")


def test_refused_deletion_is_told_and_tried_again(
    move: Move, put: Callable[..., str], store: ObjectStore, bucket: str, local_store: LocalStore
) -> None:
    put("from", BODY)
    transfer = copied(move())
    local_store.faults.add(
        kind="error", operation="DeleteObject", status=403, code="AccessDenied", count=None
    )

    complete(transfer)
    told = state_of(transfer)
    local_store.faults.clear()
    states.transfer_resume(transfer)
    tasks.resume_transfer.apply(kwargs={"transfer_id": transfer.pk}, throw=True)
    complete(transfer)

    assert told == (Job.State.PARKED, settling.SOURCE_KEPT)
    assert "source was not deleted" in Job(error_code=told[1]).error_text
    assert state_of(transfer) == (Job.State.DONE, "")
    assert not exists(store, bucket, "from")


def test_canceled_after_the_copy_keeps_both_and_says_so(
    move: Move, put: Callable[..., str], store: ObjectStore, bucket: str, local_store: LocalStore
) -> None:
    put("from", BODY)
    transfer = copied(move(parts_from=IN_PARTS))
    local_store.faults.add(
        kind="error", operation="DeleteObject", status=403, code="AccessDenied", count=None
    )
    with pytest.raises(Denied):
        transfer_complete(transfer_id=transfer.pk)
    local_store.faults.clear()
    Job.objects.filter(pk=transfer.job_id).update(state=Job.State.PARKED)

    states.transfer_cancel(transfer)
    transfer_abort(transfer_id=transfer.pk)
    transfer_abort(transfer_id=transfer.pk)

    assert state_of(transfer) == (Job.State.CANCELED, settling.COPY_KEPT)
    assert stored_bytes(store, bucket, "from") == stored_bytes(store, bucket, "to") == BODY


def test_throttled_deletion_is_tried_again_by_itself(
    move: Move, put: Callable[..., str], local_store: LocalStore
) -> None:
    put("from", BODY)
    transfer = copied(move())
    local_store.faults.add(kind="slow_down", operation="DeleteObject", count=None)

    with pytest.raises(Throttled):
        transfer_complete(transfer_id=transfer.pk)

    assert state_of(transfer) == (Job.State.FINISHING, "")


def test_canceled_before_the_end_keeps_the_source(
    move: Move, put: Callable[..., str], store: ObjectStore, bucket: str
) -> None:
    put("from", BODY)
    transfer = move(parts_from=IN_PARTS)
    states.transfer_cancel(transfer)

    transfer_abort(transfer_id=transfer.pk)

    assert state_of(transfer) == (Job.State.CANCELED, "")
    assert exists(store, bucket, "from")
    assert not exists(store, bucket, "to")


def test_object_is_never_moved_onto_itself_by_another_address(
    owner: Person, connection: Connection, put: Callable[..., str], bucket: str
) -> None:
    put("from", BODY)
    alias = Connection.objects.get(pk=connection.pk)
    alias.pk, alias.slug, alias.name = None, "alias", "Alias"
    alias.connect_to = alias.connect_to.replace("127.0.0.1", "localhost")
    alias.save()

    with pytest.raises(copies.SameObject):
        copies.copy_start(
            owner=owner,
            connection=alias,
            source_connection=connection,
            source=ObjectRef(bucket, REGION, "from"),
            bucket=bucket,
            region=REGION,
            key="from",
            replace=True,
            wanted=copies.CopyWanted(is_move=True),
        )
