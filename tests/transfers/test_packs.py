"""Many small files in one request."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
from apps.transfers import spool, tasks
from apps.transfers.models import Transfer, UploadBatch, UploadPolicy
from apps.transfers.services import packs
from apps.transfers.services.batches import uploads_open
from tests.conftest import REGION

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]
State = Job.State
FILES = {"photos/a b.txt": b"first", "photos/中文.txt": b"", "photos/c": bytes(range(256)) * 20}


@pytest.fixture
def batch(owner: Person, connection: Connection, bucket: str) -> UploadBatch:
    return uploads_open(
        owner=owner, connection=connection, bucket=bucket, prefix="photos/", files=3, size=5125
    )


@pytest.fixture
def pack_url(connection: Connection, bucket: str, batch: UploadBatch) -> str:
    return reverse("transfers:upload-pack", args=[connection.slug, bucket, batch.job_id])


def pack(client: Client, url: str, files: dict[str, bytes], **more: Any) -> Any:
    listed = [{"key": key, "size": len(data), "type": "text/plain", **more} for key, data in files.items()]
    body = json.dumps({"files": listed}).encode() + b"\n" + b"".join(files.values())
    return client.post(url, body, content_type="application/octet-stream")


def send_all() -> None:
    ids = list(Transfer.objects.values_list("pk", flat=True))
    tasks.send_files.apply(kwargs={"transfer_ids": ids})


def test_files_arrive_whole(
    owner_client: Client, pack_url: str, store: ObjectStore, bucket: str, batch: UploadBatch
) -> None:
    response = pack(owner_client, pack_url, FILES)

    assert response.json() == {"taken": [True, True, True]}
    for _twice in range(2):
        send_all()
        tasks.recount_uploads(job_id=str(batch.job_id))
    batch.job.refresh_from_db()
    assert (batch.job.state, batch.job.objects_done, batch.job.bytes_done) == (State.DONE, 3, 5125)
    for key, data in FILES.items():
        info = store.head_object(bucket=bucket, region=REGION, key=key)
        assert (info.size, info.content_type) == (len(data), "text/plain")
    assert not spool.spool_ids()


def test_taken_key_is_left_to_be_asked_about(
    owner_client: Client, pack_url: str, put: Callable[..., Any], batch: UploadBatch
) -> None:
    put("photos/c", b"earlier")

    assert pack(owner_client, pack_url, FILES).json() == {"taken": [True, True, False]}
    assert batch.job.children.count() == 2
    assert pack(owner_client, pack_url, {"photos/c": b"new"}, replace=True).json() == {"taken": [True]}


def test_bad_name_is_left_to_be_told_about(owner_client: Client, pack_url: str, batch: UploadBatch) -> None:
    response = pack(owner_client, pack_url, {"/bad": b"x", "good": b"y"})

    assert response.json() == {"taken": [False, True]}


@pytest.mark.parametrize(
    "body",
    [b"", b"{}\n", b"[]\nabc", b'{"files": [{"key": "a", "size": 9}]}\nabc', b'{"files": 1}\n', b"\xff\n"],
)
def test_pack_that_does_not_fit_is_refused(
    owner_client: Client, pack_url: str, body: bytes, batch: UploadBatch
) -> None:
    response = owner_client.post(pack_url, body, content_type="application/octet-stream")

    assert response.status_code == 400
    assert not batch.job.children.exists()


def test_store_that_fails_for_a_moment_has_the_file_tried_again(
    owner_client: Client, pack_url: str, local_store: LocalStore, batch: UploadBatch
) -> None:
    pack(owner_client, pack_url, {"photos/a": b"first"}, replace=True)
    local_store.faults.add(operation="PutObject", kind="slow_down", count=3)

    send_all()
    send_all()

    assert batch.job.children.get().state == State.DONE


def test_browser_waits_while_the_store_is_behind(
    owner_client: Client, pack_url: str, monkeypatch: pytest.MonkeyPatch, batch: UploadBatch
) -> None:
    monkeypatch.setattr(packs, "UNDER_WAY_AT_MOST", 1)
    pack(owner_client, pack_url, {"photos/a": b"first"})

    response = pack(owner_client, pack_url, {"photos/b": b"second"})

    assert response.json() == {"taken": [], "waits": "Waiting for the store."}
    assert batch.job.children.count() == 1


def test_full_disk_is_a_pause(owner_client: Client, pack_url: str, settings: Any, batch: UploadBatch) -> None:
    settings.SPOOL_FREE_BYTES = 1 << 62

    response = pack(owner_client, pack_url, FILES)

    assert response.status_code == 503
    assert "disk is full" in response.json()["error"]
    assert not batch.job.children.exists()


def test_nobody_adds_to_the_batch_of_another(
    writer_client: Client, member_client: Client, stranger_client: Client, pack_url: str
) -> None:
    assert pack(writer_client, pack_url, FILES).status_code == 404
    assert pack(member_client, pack_url, FILES).status_code == 403
    assert pack(stranger_client, pack_url, FILES).status_code == 404


def ids_for(files: dict[str, bytes]) -> dict[str, str]:
    return {key: uuid.uuid4().hex for key in files}


def pack_again(client: Client, url: str, ids: dict[str, str]) -> list[bool]:
    listed = [{"key": key, "size": len(FILES[key]), "job": job} for key, job in ids.items()]
    body = json.dumps({"files": listed}).encode() + b"\n" + b"".join(FILES[key] for key in ids)
    taken: list[bool] = client.post(url, body, content_type="application/octet-stream").json()["taken"]
    return taken


def test_pack_whose_answer_was_lost_begins_nothing_twice(
    owner_client: Client, pack_url: str, batch: UploadBatch
) -> None:
    ids = ids_for(FILES)

    assert pack_again(owner_client, pack_url, ids) == [True, True, True]
    assert pack_again(owner_client, pack_url, ids) == [True, True, True]
    assert batch.job.children.count() == 3
    send_all()
    assert pack_again(owner_client, pack_url, ids) == [True, True, True]
    assert batch.job.children.count() == 3
    assert not spool.spool_ids()


def test_pack_whose_bytes_were_lost_gets_them_again(
    owner_client: Client, pack_url: str, store: ObjectStore, bucket: str, batch: UploadBatch
) -> None:
    ids = ids_for(FILES)
    pack_again(owner_client, pack_url, ids)
    for transfer_id in Transfer.objects.values_list("pk", flat=True):
        spool.spool_remove(transfer_id)

    assert pack_again(owner_client, pack_url, ids) == [True, True, True]
    send_all()
    for key, data in FILES.items():
        assert store.head_object(bucket=bucket, region=REGION, key=key).size == len(data)


def test_id_of_another_job_is_not_taken_over(owner_client: Client, pack_url: str, batch: UploadBatch) -> None:
    ids = dict.fromkeys(FILES, batch.job_id.hex)

    assert pack_again(owner_client, pack_url, ids) == [True, True, True]
    assert pack_again(owner_client, pack_url, dict.fromkeys(FILES, uuid.uuid4().hex)) == [True, True, True]
    assert batch.job.children.count() == 6


def test_object_that_changed_since_it_was_shown_is_left_to_be_asked_about(
    owner_client: Client, pack_url: str, put: Callable[..., Any], store: ObjectStore, bucket: str
) -> None:
    put("photos/c", b"seen")
    seen = store.head_object(bucket=bucket, region=REGION, key="photos/c").etag
    put("photos/c", b"somebody else's")

    answer = pack(owner_client, pack_url, {"photos/c": b"new"}, replace=True, seen=seen).json()

    assert answer == {"taken": [False]}


def test_no_byte_passes_the_console_where_only_the_store_may_get_them(
    owner_client: Client, pack_url: str, connection: Connection, bucket: str
) -> None:
    UploadPolicy.objects.create(connection=connection, policy=UploadPolicy.Policy.DIRECT)

    begun = owner_client.post(
        reverse("transfers:uploads-start", args=[connection.slug, bucket]),
        {"prefix": "", "files": 3, "bytes": 10},
        content_type="application/json",
    )

    assert begun.json()["pack_url"] == ""
    assert pack(owner_client, pack_url, FILES).status_code == 409
    assert not Transfer.objects.exists()
