"""An upload from its first row to its verified end: services run in the order in which tasks run them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.digest import crc64_update
from apps.storage.errors import (
    BucketNotFound,
    Corrupted,
    ObjectNotFound,
    Throttled,
    Unavailable,
    UploadNotFound,
)
from apps.storage.store import ObjectStore
from apps.transfers import spool, tasks
from apps.transfers.finishing import transfer_abort, transfer_complete, transfer_finish_claim
from apps.transfers.ledger import transfer_is_whole
from apps.transfers.models import Transfer
from apps.transfers.sending import Sent, part_send
from apps.transfers.services import beginning, states, uploads
from tests.conftest import REGION
from tests.transfers.conftest import MIB, slice_put

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Transfer]


def send_all(transfer: Transfer, content: bytes, *, order: list[int] | None = None) -> list[Sent]:
    results = []
    for number in order or range(1, transfer.plan.count + 1):
        offset, length = transfer.plan.range_of(number)
        slice_put(transfer, number, content[offset : offset + length])
        results.append(part_send(transfer_id=transfer.pk, number=number))
    return results


def finish(transfer: Transfer) -> Transfer:
    assert transfer_finish_claim(transfer)
    transfer_complete(transfer_id=transfer.pk)
    transfer.refresh_from_db()
    return transfer


def stored_bytes(store: ObjectStore, bucket: str, key: str) -> bytes:
    body = store.get_object(bucket=bucket, region=REGION, key=key)
    try:
        return b"".join(body)
    finally:
        body.close()


def uploads_left(store: ObjectStore, bucket: str) -> int:
    return len(store.list_multipart_uploads(bucket=bucket, region=REGION).uploads)


def test_slices_in_any_order_become_the_object(
    begin: Begin, content: bytes, store: ObjectStore, bucket: str
) -> None:
    transfer = begin(len(content))

    assert transfer.upload_id
    assert send_all(transfer, content, order=[3, 1, 2]) == [Sent.PART, Sent.PART, Sent.LAST_PART]
    transfer = finish(transfer)

    assert transfer.job.state == Job.State.DONE
    assert transfer.job.bytes_done == len(content)
    assert transfer.crc64 == str(crc64_update(content))
    assert stored_bytes(store, bucket, transfer.key) == content
    info = store.head_object(bucket=bucket, region=REGION, key=transfer.key)
    assert (info.content_type, info.crc64) == ("video/quicktime", transfer.crc64)
    assert spool.spool_ids() == set()
    assert uploads_left(store, bucket) == 0


def test_small_file_takes_a_single_put(begin: Begin, store: ObjectStore, bucket: str) -> None:
    transfer = begin(11)

    assert transfer.upload_id == ""
    assert send_all(transfer, b"hello world") == [Sent.LAST_PART]
    transfer = finish(transfer)

    info = store.head_object(bucket=bucket, region=REGION, key=transfer.key)
    assert "-" not in info.etag
    assert transfer.job.state == Job.State.DONE


def test_empty_file_becomes_an_empty_object(begin: Begin, store: ObjectStore, bucket: str) -> None:
    transfer = begin(0)

    send_all(transfer, b"")
    finish(transfer)

    assert store.head_object(bucket=bucket, region=REGION, key=transfer.key).size == 0


def test_second_delivery_of_a_slice_changes_nothing(begin: Begin, content: bytes) -> None:
    transfer = begin(len(content))
    slice_put(transfer, 1, content[: 8 * MIB])

    assert part_send(transfer_id=transfer.pk, number=1) is Sent.PART
    row = transfer.parts.get()
    assert part_send(transfer_id=transfer.pk, number=1) is Sent.NOTHING
    slice_put(transfer, 1, content[: 8 * MIB])
    assert part_send(transfer_id=transfer.pk, number=1) is Sent.PART
    assert transfer.parts.get().stored_at == row.stored_at


def test_changed_slice_replaces_the_part(
    begin: Begin, content: bytes, store: ObjectStore, bucket: str
) -> None:
    transfer = begin(len(content))
    send_all(transfer, bytes(len(content)), order=[1])

    send_all(transfer, content)
    finish(transfer)

    assert stored_bytes(store, bucket, transfer.key) == content


def test_slice_that_another_worker_sends_is_left_alone(begin: Begin, content: bytes) -> None:
    transfer = begin(len(content))
    slice_put(transfer, 1, content[: 8 * MIB])
    waiting = spool.slice_find(transfer.pk, 1)
    assert waiting is not None

    with spool.slice_hold(waiting) as file:
        assert file is not None
        assert part_send(transfer_id=transfer.pk, number=1) is Sent.NOTHING

    assert part_send(transfer_id=transfer.pk, number=1) is Sent.PART


def test_only_one_of_two_workers_completes(begin: Begin, content: bytes) -> None:
    transfer = begin(len(content))
    send_all(transfer, content)

    assert transfer_finish_claim(transfer)
    assert not transfer_finish_claim(transfer)


def test_second_complete_changes_nothing(begin: Begin, content: bytes) -> None:
    transfer = begin(len(content))
    send_all(transfer, content)
    finished = finish(transfer)

    transfer_complete(transfer_id=transfer.pk)

    transfer.refresh_from_db()
    assert transfer.etag == finished.etag
    assert transfer.job.state == Job.State.DONE


def test_lost_answer_of_complete_is_recognized(
    begin: Begin, content: bytes, local_store: LocalStore, store: ObjectStore, bucket: str
) -> None:
    transfer = begin(len(content))
    send_all(transfer, content)
    assert transfer_finish_claim(transfer)
    parts = list(
        store.list_parts(bucket=bucket, region=REGION, key=transfer.key, upload_id=transfer.upload_id)
    )
    store.complete_multipart_upload(
        bucket=bucket, region=REGION, key=transfer.key, upload_id=transfer.upload_id, parts=parts
    )

    transfer_complete(transfer_id=transfer.pk)

    transfer.job.refresh_from_db()
    assert transfer.job.state == Job.State.DONE


def test_upload_that_somebody_else_aborted_is_parked(
    begin: Begin, content: bytes, store: ObjectStore, bucket: str
) -> None:
    transfer = begin(len(content))
    send_all(transfer, content)
    store.abort_multipart_upload(bucket=bucket, region=REGION, key=transfer.key, upload_id=transfer.upload_id)
    assert transfer_finish_claim(transfer)

    tasks.complete_transfer.apply(kwargs={"transfer_id": transfer.pk})

    transfer.job.refresh_from_db()
    assert transfer.job.state == Job.State.PARKED
    assert transfer.job.error_code == "NoSuchUpload"


def test_existing_key_is_not_overwritten_silently(begin: Begin, put: Callable[..., str]) -> None:
    put("dir/video.mov", b"older")

    with pytest.raises(beginning.TargetExists) as taken:
        begin(100)

    assert taken.value.info.size == 5
    assert Job.objects.count() == 0
    assert begin(100, replace=True).job.state == Job.State.QUEUED


def test_store_that_refuses_leaves_no_row(owner: Person, connection: Connection) -> None:
    wanted = uploads.UploadWanted(key="a", size=20 * MIB)

    with pytest.raises(BucketNotFound):
        uploads.upload_start(
            owner=owner, connection=connection, bucket="nothing-1250000000", wanted=wanted, replace=True
        )

    assert Job.objects.count() == 0
    assert spool.spool_ids() == set()


def test_cancel_aborts_and_frees_the_spool(
    begin: Begin, content: bytes, store: ObjectStore, bucket: str
) -> None:
    transfer = begin(len(content))
    send_all(transfer, content, order=[1])
    slice_put(transfer, 2, content[8 * MIB : 16 * MIB])

    states.transfer_cancel(transfer)
    transfer_abort(transfer_id=transfer.pk)
    transfer_abort(transfer_id=transfer.pk)

    transfer.job.refresh_from_db()
    assert transfer.job.state == Job.State.CANCELED
    assert uploads_left(store, bucket) == 0
    assert spool.spool_ids() == set()
    assert part_send(transfer_id=transfer.pk, number=2) is Sent.NOTHING
    with pytest.raises(ObjectNotFound):
        store.head_object(bucket=bucket, region=REGION, key=transfer.key)


def test_paused_upload_still_sends_what_was_received(begin: Begin, content: bytes) -> None:
    transfer = begin(len(content))
    states.transfer_pause(transfer)

    assert send_all(transfer, content, order=[1]) == [Sent.PART]

    transfer.job.refresh_from_db()
    assert transfer.job.state == Job.State.PAUSED
    states.transfer_resume(transfer)
    with pytest.raises(beginning.StateChanged):
        states.transfer_resume(transfer)


def test_received_slices_are_those_in_the_store_and_in_the_spool(begin: Begin, content: bytes) -> None:
    transfer = begin(len(content))
    send_all(transfer, content, order=[3])
    slice_put(transfer, 1, content[: 8 * MIB])

    assert uploads.slices_received(transfer) == [1, 3]


def test_slow_down_is_retried_and_the_slice_stays(
    begin: Begin, content: bytes, local_store: LocalStore
) -> None:
    transfer = begin(len(content))
    slice_put(transfer, 1, content[: 8 * MIB])
    local_store.faults.add(operation="UploadPart", kind="slow_down", count=50)

    with pytest.raises(Throttled):
        part_send(transfer_id=transfer.pk, number=1)

    transfer.job.refresh_from_db()
    assert transfer.job.state == Job.State.RUNNING
    assert spool.slice_find(transfer.pk, 1) is not None
    local_store.faults.clear()
    assert part_send(transfer_id=transfer.pk, number=1) is Sent.PART


def test_dropped_connection_loses_nothing(begin: Begin, content: bytes, local_store: LocalStore) -> None:
    transfer = begin(len(content))
    slice_put(transfer, 1, content[: 8 * MIB])
    local_store.faults.add(operation="UploadPart", kind="drop_before", count=50)

    with pytest.raises(Unavailable):
        part_send(transfer_id=transfer.pk, number=1)

    local_store.faults.clear()
    send_all(transfer, content)
    assert transfer_is_whole(transfer)


def test_refused_part_parks_the_upload_and_keeps_the_slice(
    begin: Begin, content: bytes, store: ObjectStore, bucket: str
) -> None:
    transfer = begin(len(content))
    slice_put(transfer, 1, content[: 8 * MIB])
    store.abort_multipart_upload(bucket=bucket, region=REGION, key=transfer.key, upload_id=transfer.upload_id)

    tasks.send_part.apply(kwargs={"transfer_id": transfer.pk, "number": 1})

    transfer.job.refresh_from_db()
    assert transfer.job.state == Job.State.PARKED
    assert transfer.job.error_request_id
    assert spool.slice_find(transfer.pk, 1) is not None


def test_row_that_is_gone_is_no_error(begin: Begin) -> None:
    transfer = begin(100)
    transfer.job.delete()

    assert part_send(transfer_id=transfer.pk or 1, number=1) is Sent.NOTHING
    for task in (tasks.send_part, tasks.copy_parts, tasks.complete_transfer, tasks.abort_transfer):
        task.apply(kwargs={"transfer_id": 999999, "number": 1}, throw=True)


def test_upload_id_taken_away_is_told_apart(begin: Begin, store: ObjectStore, bucket: str) -> None:
    transfer = begin(20 * MIB)
    store.abort_multipart_upload(bucket=bucket, region=REGION, key=transfer.key, upload_id=transfer.upload_id)
    slice_put(transfer, 1, bytes(8 * MIB))

    with pytest.raises(UploadNotFound):
        part_send(transfer_id=transfer.pk, number=1)


def test_corruption_on_the_way_is_noticed(
    begin: Begin, content: bytes, connection: Connection, local_store: LocalStore
) -> None:
    transfer = begin(len(content))
    slice_put(transfer, 1, content[: 8 * MIB])
    with flipping_proxy(local_store.port) as port:
        Connection.objects.update(connect_to=f"127.0.0.1:{port}")

        with pytest.raises(Corrupted):
            part_send(transfer_id=transfer.pk, number=1)

    assert transfer.parts.count() == 0
    assert spool.slice_find(transfer.pk, 1) is not None


@contextmanager
def flipping_proxy(port: int) -> Iterator[int]:
    """Pass bytes on to a server, one bit of each megabyte of a body turned over."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket, *, flips: bool) -> None:
        with suppress(OSError):
            while data := bytearray(source.recv(1 << 20)):
                if flips and len(data) > 4096:
                    data[-1] ^= 1
                target.sendall(data)
        target.close()

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _address = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                for source, target, flips in ((client, server, True), (server, client, False)):
                    Thread(target=pump, args=(source, target), kwargs={"flips": flips}, daemon=True).start()

    Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
