"""Many small files in one request."""

from __future__ import annotations

import json
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
from apps.transfers.models import Transfer, UploadBatch
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
