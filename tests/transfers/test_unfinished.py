from __future__ import annotations

from html import unescape
from urllib.parse import quote

import pytest
from django.test import Client

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectHeaders
from apps.transfers.models import Transfer
from apps.transfers.services import unfinished
from tests.conftest import REGION
from tests.pages import hrefs_of

HOSTILE = "a/<b>\n\u202e&?#.txt"


@pytest.fixture
def upload_id(store: ObjectStore, bucket: str) -> str:
    return store.create_multipart_upload(bucket=bucket, region=REGION, key=HOSTILE, headers=ObjectHeaders())


def url_of(connection: Connection, bucket: str, key: str = "", upload_id: str = "") -> str:
    path = f"/b/{connection.slug}/{bucket}/unfinished/"
    return f"{path}abort/?key={quote(key)}&upload={upload_id}" if key else path


def left(store: ObjectStore, bucket: str) -> int:
    return len(store.list_multipart_uploads(bucket=bucket, region=REGION).uploads)


def test_upload_is_listed_and_aborted_after_a_question(
    writer_client: Client, connection: Connection, store: ObjectStore, bucket: str, upload_id: str
) -> None:
    page = writer_client.get(url_of(connection, bucket)).content.decode()
    (abort,) = [href for href in hrefs_of(page) if "/abort/" in href]

    question = writer_client.get(abort).content.decode()
    assert left(store, bucket) == 1
    response = writer_client.post(abort)

    assert upload_id in page
    assert "Abort this upload?" in question
    assert response.status_code == 302
    assert left(store, bucket) == 0


def test_second_abort_is_told_and_harms_nothing(
    owner_client: Client, connection: Connection, bucket: str, upload_id: str
) -> None:
    url = url_of(connection, bucket, HOSTILE, upload_id)
    owner_client.post(url)

    page = owner_client.post(url, follow=True).content.decode()

    assert "completed or aborted in the meantime" in page


def test_upload_of_a_running_job_is_left_to_its_job(
    owner: Person,
    owner_client: Client,
    connection: Connection,
    store: ObjectStore,
    bucket: str,
    upload_id: str,
) -> None:
    job = Job.objects.create(kind=Job.Kind.UPLOAD, feature="transfers", owner=owner, title="t", place="p")
    Transfer.objects.create(
        job=job,
        connection=connection,
        bucket=bucket,
        region=REGION,
        key=HOSTILE,
        size=1,
        part_size=1,
        upload_id=upload_id,
    )

    listed = owner_client.get(url_of(connection, bucket)).content.decode()
    page = owner_client.post(url_of(connection, bucket, HOSTILE, upload_id)).content.decode()

    assert "A job of this console" in listed
    assert "Cancel that job instead" in page
    assert left(store, bucket) == 1


def test_many_uploads_come_in_pages(
    owner_client: Client,
    connection: Connection,
    store: ObjectStore,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unfinished, "PAGE_SIZE", 2)
    for number in range(3):
        store.create_multipart_upload(bucket=bucket, region=REGION, key=f"k{number}", headers=ObjectHeaders())

    first = unescape(owner_client.get(url_of(connection, bucket)).content.decode())
    (follow,) = [href for href in hrefs_of(first) if "marker=" in href and "/unfinished/" in href]
    second = owner_client.get(follow).content.decode()

    assert "More follow." in first
    assert ">k2<" in second
    assert ">k0<" not in second


def test_reader_may_look_and_not_abort(
    member_client: Client, connection: Connection, store: ObjectStore, bucket: str, upload_id: str
) -> None:
    assert member_client.get(url_of(connection, bucket)).status_code == 200
    assert member_client.post(url_of(connection, bucket, HOSTILE, upload_id)).status_code == 403
    assert left(store, bucket) == 1


def test_stranger_gets_404(
    stranger_client: Client, connection: Connection, bucket: str, upload_id: str
) -> None:
    assert stranger_client.get(url_of(connection, bucket)).status_code == 404
    assert stranger_client.post(url_of(connection, bucket, HOSTILE, upload_id)).status_code == 404
