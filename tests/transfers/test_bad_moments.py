"""Things that happen at the worst moment: each once left a job that stood still, a lie, or litter."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.connections.models import Connection, ConnectionMember, Role
from apps.jobs.events import hub
from apps.jobs.leases import LEASE, row_lease
from apps.jobs.models import Job
from apps.jobs.services import job_move
from apps.localstore.server import LocalStore
from apps.storage.digest import crc64_update
from apps.storage.errors import Refused, Throttled, Unavailable
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectHeaders
from apps.transfers import finishing, receiver, spool, targets, tasks
from apps.transfers.finishing import transfer_abort, transfer_complete, transfer_finish_claim
from apps.transfers.models import Transfer
from apps.transfers.sending import Sent, part_send
from apps.transfers.services import beginning, states, uploads
from apps.transfers.sweeping import transfers_owed
from tests.conftest import REGION, client_of
from tests.transfers.conftest import MIB, slice_put
from tests.transfers.test_uploads import finish, send_all, stored_bytes, uploads_left

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Transfer]


def state_of(transfer: Transfer) -> str:
    return Job.objects.get(pk=transfer.job_id).state


def test_cancel_while_the_upload_begins_leaves_nothing(
    begin: Begin, store: ObjectStore, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = beginning._keep_upload_id

    def canceled_just_before(transfer: Transfer, upload_id: str) -> bool:
        states.transfer_cancel(transfer)
        return keep(transfer, upload_id)

    monkeypatch.setattr(beginning, "_keep_upload_id", canceled_just_before)

    with pytest.raises(beginning.StateChanged):
        begin(20 * MIB)

    assert uploads_left(store, bucket) == 0


def test_lost_answer_of_initiate_is_cleaned_up(
    begin: Begin,
    store: ObjectStore,
    bucket: str,
    local_store: LocalStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    local_store.faults.add("drop_after", operation="InitiateMultipartUpload")

    with pytest.raises(Unavailable):
        begin(20 * MIB)

    transfer = Transfer.objects.get()
    assert (state_of(transfer), uploads_left(store, bucket)) == ("canceling", 1)
    with pytest.raises(Throttled):
        transfer_abort(transfer_id=transfer.pk)
    foreign = store.create_multipart_upload(
        bucket=bucket, region=REGION, key="other", headers=ObjectHeaders()
    )
    monkeypatch.setattr(finishing, "LOST_WINDOW", timedelta(seconds=1))
    time.sleep(1.1)
    transfer_abort(transfer_id=transfer.pk)

    left = store.list_multipart_uploads(bucket=bucket, region=REGION).uploads
    assert [upload.upload_id for upload in left if upload.key == "other"] == [foreign]
    assert state_of(transfer) == "canceled"


def test_slice_that_comes_again_while_it_is_sent_is_left_alone(begin: Begin, content: bytes) -> None:
    transfer = begin(len(content))
    slice_put(transfer, 1, content[: 8 * MIB])
    waiting = spool.slice_find(transfer.pk, 1)
    assert waiting is not None

    with spool.slice_hold(waiting) as file:
        assert file is not None
        slice_put(transfer, 1, content[: 8 * MIB])
        assert part_send(transfer_id=transfer.pk, number=1) is Sent.NOTHING


def test_late_failure_of_a_part_does_not_park_a_finished_upload(
    begin: Begin, content: bytes, store: ObjectStore, bucket: str
) -> None:
    transfer = begin(len(content))
    send_all(transfer, content)
    assert transfer_finish_claim(transfer)
    tasks._park_sending(transfer.pk, Refused("too late"))

    transfer_complete(transfer_id=transfer.pk)

    assert state_of(transfer) == "done"


def test_foreign_file_in_the_spool_stops_nothing(begin: Begin, content: bytes, spool_dir: Path) -> None:
    transfer = begin(len(content))
    other = begin(len(content), key="other")
    (spool_dir / str(transfer.pk) / ".nfs00000001").touch()
    (spool_dir / str(transfer.pk) / "1.txt~").touch()
    slice_put(transfer, 1, content[: 8 * MIB])
    slice_put(other, 2, content[: 8 * MIB])

    assert sorted(transfers_owed(min_age_s=0).slices) == [(transfer.pk, 1), (other.pk, 2)]
    finish_after = send_all(transfer, content)
    assert finish_after[-1] is Sent.LAST_PART


def test_abort_that_the_store_refuses_ends_with_its_words(begin: Begin, local_store: LocalStore) -> None:
    transfer = begin(20 * MIB)
    states.transfer_cancel(transfer)
    local_store.faults.add(
        "error", operation="AbortMultipartUpload", status=403, code="AccessDenied", count=99
    )

    tasks.abort_transfer.apply(kwargs={"transfer_id": transfer.pk})

    job = Job.objects.get(pk=transfer.job_id)
    assert (job.state, job.error_code) == ("canceled", "AccessDenied")


def test_queue_does_not_grow_with_each_look(begin: Begin) -> None:
    transfer = begin(3)
    Job.objects.update(state=Job.State.FINISHING)

    assert [transfers_owed().completes for _ in range(5)] == [[transfer.pk], [], [], [], []]


@pytest.mark.parametrize("damage", ["short", "changed"])
def test_slice_damaged_on_disk_is_asked_for_again(begin: Begin, content: bytes, damage: str) -> None:
    transfer = begin(len(content))
    slice_put(transfer, 1, content[: 8 * MIB])
    waiting = spool.slice_find(transfer.pk, 1)
    assert waiting is not None
    with open(waiting.path, "r+b") as file:
        file.truncate(100) if damage == "short" else file.write(bytes(4096))

    tasks.send_part.apply(kwargs={"transfer_id": transfer.pk, "number": 1})

    job = Job.objects.get(pk=transfer.job_id)
    assert (job.state, job.error_code) == ("parked", "SliceDamaged")
    assert uploads.slices_received(transfer) == []
    states.transfer_resume(transfer)
    assert send_all(transfer, content)[-1] is Sent.LAST_PART


def test_failure_of_the_console_itself_parks_the_upload(
    begin: Begin, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = begin(len(content))
    slice_put(transfer, 1, content[: 8 * MIB])
    monkeypatch.setattr(tasks, "ATTEMPTS", 0)
    monkeypatch.setattr(spool, "slice_done", _fail)

    tasks.send_part.apply(kwargs={"transfer_id": transfer.pk, "number": 1})

    job = Job.objects.get(pk=transfer.job_id)
    assert (job.state, job.error_code) == ("parked", "PermissionError")


def _fail(item: spool.Slice) -> None:
    raise PermissionError(item.path)


def test_object_that_differs_in_the_end_is_said_at_once(begin: Begin, content: bytes) -> None:
    transfer = begin(len(content))
    send_all(transfer, content)
    transfer.parts.filter(number=1).update(crc64="1")
    assert transfer_finish_claim(transfer)

    tasks.complete_transfer.apply(kwargs={"transfer_id": transfer.pk})

    job = Job.objects.get(pk=transfer.job_id)
    assert job.state == "parked"
    assert "CRC" in job.error_message


def test_partials_of_a_killed_web_process_make_room(
    begin: Begin, spool_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = begin(100 * MIB)
    alive = spool.Draft(transfer.pk, 2)
    for number in range(8):
        dead = spool_dir / str(transfer.pk) / f"{number}.00{spool.PARTIAL}"
        dead.touch()
        os.utime(dead, (0, 0))
    os.utime(alive.path, (0, 0))
    monkeypatch.setattr(receiver, "WAIT_FOR_ROOM_S", 0.1)

    receiver._wait_for_room(transfer.pk, 1)

    assert spool.backlog(transfer.pk) == 1
    alive.discard()


def test_lease_that_was_lost_stays_with_its_new_holder(begin: Begin) -> None:
    transfer = begin(3)
    with row_lease(Transfer, transfer.pk) as first:
        Transfer.objects.update(lease_until=timezone.now())
        with row_lease(Transfer, transfer.pk) as second:
            assert (first, second) == (True, True)
            held_until = Transfer.objects.get().lease_until
    # The first one's end came after the second's and freed nothing that was not its own.
    assert held_until > timezone.now() + LEASE / 2


def test_lease_from_before_the_clock_was_set_back_is_free(begin: Begin) -> None:
    transfer = begin(3)
    Transfer.objects.update(lease_until=timezone.now() + timedelta(hours=1))

    with row_lease(Transfer, transfer.pk) as is_ours:
        assert is_ours


def test_cancel_that_comes_after_a_single_request_says_that_it_is_stored(
    begin: Begin, store: ObjectStore, bucket: str
) -> None:
    transfer = begin(11)
    send_all(transfer, b"hello world")
    states.transfer_cancel(transfer)

    transfer_abort(transfer_id=transfer.pk)

    assert state_of(transfer) == "done"
    assert stored_bytes(store, bucket, transfer.key) == b"hello world"


@pytest.mark.parametrize(("stored", "state"), [(b"hello world", "done"), (b"other", "canceled")])
def test_cancel_after_a_worker_died_with_a_single_request_looks_for_the_object(
    begin: Begin, store: ObjectStore, bucket: str, stored: bytes, state: str
) -> None:
    transfer = begin(11)
    slice_put(transfer, 1, b"hello world")
    # What a worker leaves that is killed after its request and before its row; or somebody else's object.
    job_move(transfer.job_id, to=Job.State.RUNNING, frm=[Job.State.QUEUED])
    store.put_object(bucket=bucket, region=REGION, key=transfer.key, body=stored, headers=ObjectHeaders())
    states.transfer_cancel(transfer)

    transfer_abort(transfer_id=transfer.pk)

    assert state_of(transfer) == state
    assert stored_bytes(store, bucket, transfer.key) == stored
    assert spool.closed_ids() == set()


def test_abort_waits_for_a_worker_that_still_sends(begin: Begin, content: bytes) -> None:
    transfer = begin(len(content))
    slice_put(transfer, 1, content[: 8 * MIB])
    waiting = spool.slice_find(transfer.pk, 1)
    assert waiting is not None
    with spool.slice_hold(waiting):
        states.transfer_cancel(transfer)
        with pytest.raises(Throttled):
            transfer_abort(transfer_id=transfer.pk)

    transfer_abort(transfer_id=transfer.pk)

    assert state_of(transfer) == "canceled"
    assert spool.closed_ids() == set()


def test_stream_that_is_never_read_is_let_go(owner_client: Client, begin: Begin) -> None:
    begin(3)

    owner_client.get(reverse("jobs:events")).close()

    assert hub.listeners == set()


def test_who_was_shown_out_goes_on_with_nothing(connection: Connection, writer: object, bucket: str) -> None:
    client = client_of(writer)  # type: ignore[arg-type]
    start = reverse("transfers:upload-start", args=[connection.slug, bucket])
    started = client.post(start, {"key": "a", "size": 20 * MIB}, content_type="application/json").json()
    client.post(f"{started['state_url']}pause/")
    ConnectionMember.objects.update(role=Role.READER)

    assert "slice_url" not in client.get(started["state_url"]).json()
    assert client.post(f"{started['state_url']}resume/").status_code == 403
    assert client.post(f"{started['state_url']}cancel/").status_code == 302


@pytest.mark.parametrize(
    "body",
    [
        {"key": "a\ud800", "size": 1, "replace": True},
        {"key": "/lead", "size": 1, "replace": True},
        {"key": "a", "size": 1, "last_modified": 10**23},
    ],
)
def test_start_that_makes_no_sense_is_refused(
    owner_client: Client, connection: Connection, bucket: str, body: dict[str, object]
) -> None:
    start = reverse("transfers:upload-start", args=[connection.slug, bucket])

    assert owner_client.post(start, body, content_type="application/json").status_code == 400
    assert Job.objects.count() == 0


def test_same_content_twice_is_one_object(
    begin: Begin, content: bytes, store: ObjectStore, bucket: str
) -> None:
    transfer = begin(len(content))
    send_all(transfer, content, order=[1, 1, 2, 3])

    finish(transfer)

    info = store.head_object(bucket=bucket, region=REGION, key=transfer.key)
    assert info.crc64 == str(crc64_update(content))


@pytest.mark.parametrize("size", [11, 20 * MIB])
def test_key_that_is_taken_meanwhile_is_not_overwritten_silently(
    begin: Begin, put: Callable[..., str], store: ObjectStore, bucket: str, size: int
) -> None:
    transfer = begin(size)
    put(transfer.key, b"somebody else's")
    for number in range(1, transfer.plan.count + 1):
        slice_put(transfer, number, bytes(transfer.plan.range_of(number)[1]))
        tasks.send_part.apply(kwargs={"transfer_id": transfer.pk, "number": number})
    Job.objects.filter(state=Job.State.RUNNING).update(state=Job.State.FINISHING)
    tasks.complete_transfer.apply(kwargs={"transfer_id": transfer.pk})

    job = Job.objects.get(pk=transfer.job_id)
    assert (job.state, job.error_code) == ("parked", "TargetTaken")
    assert stored_bytes(store, bucket, transfer.key) == b"somebody else's"

    transfer.refresh_from_db()
    states.transfer_resume(transfer)
    tasks.send_part.apply(kwargs={"transfer_id": transfer.pk, "number": 1})
    transfer_finish_claim(transfer)
    transfer_complete(transfer_id=transfer.pk)
    assert stored_bytes(store, bucket, transfer.key) == bytes(size)


class Faster:
    """Somebody who stores an object with the key between the last look at it and the write."""

    def __init__(self, put: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.put = put
        self.look = targets.target_require_free
        monkeypatch.setattr(targets, "target_require_free", self)
        monkeypatch.setattr(finishing, "target_require_free", self)

    def __call__(self, transfer: Transfer, *, crc64: str) -> None:
        self.look(transfer, crc64=crc64)
        self.put(transfer.key, b"somebody else's")


@pytest.mark.parametrize("size", [11, 20 * MIB])
def test_key_that_is_taken_between_look_and_write_is_not_overwritten(
    begin: Begin,
    put: Callable[..., str],
    store: ObjectStore,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    transfer = begin(size)
    Faster(put, monkeypatch)
    for number in range(1, transfer.plan.count + 1):
        slice_put(transfer, number, bytes(transfer.plan.range_of(number)[1]))
        tasks.send_part.apply(kwargs={"transfer_id": transfer.pk, "number": number})
    Job.objects.filter(state=Job.State.RUNNING).update(state=Job.State.FINISHING)
    tasks.complete_transfer.apply(kwargs={"transfer_id": transfer.pk})

    job = Job.objects.get(pk=transfer.job_id)
    assert (job.state, job.error_code) == ("parked", "TargetTaken")
    assert stored_bytes(store, bucket, transfer.key) == b"somebody else's"


def test_lost_answer_of_a_write_to_a_free_key_is_settled(
    begin: Begin, local_store: LocalStore, store: ObjectStore, bucket: str
) -> None:
    transfer = begin(11)
    local_store.faults.add("drop_after", operation="PutObject")

    send_all(transfer, b"hello world")
    finish(transfer)

    assert state_of(transfer) == "done"
    assert stored_bytes(store, bucket, transfer.key) == b"hello world"
