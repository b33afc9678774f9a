from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person
from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectHeaders
from apps.transfers.models import Transfer, UploadWalk
from apps.transfers.services.upload_walks import walk_batch
from apps.transfers.views import aborting
from tests.conftest import REGION


def url_of(connection: Connection, bucket: str, age: str = "0", prefix: str = "") -> str:
    return f"/b/{connection.slug}/{bucket}/unfinished/abort-all/?age={age}&prefix={prefix}"


@pytest.fixture
def begun(store: ObjectStore, bucket: str) -> list[str]:
    """Three unfinished uploads, one of them below another prefix."""
    return [
        store.create_multipart_upload(bucket=bucket, region=REGION, key=key, headers=ObjectHeaders())
        for key in ("a/one", "a/two", "b/three")
    ]


def left(store: ObjectStore, bucket: str) -> list[str]:
    page = store.list_multipart_uploads(bucket=bucket, region=REGION)
    return [upload.key for upload in page.uploads]


def typed(client: Client, url: str, count: str) -> dict[str, str]:
    """What a person sends who has looked at the page and typed a number."""
    seen = re.search(r'name="seen" value="([^"]+)"', client.get(url).content.decode())
    return {"count": count, "seen": seen[1] if seen else ""}


@pytest.mark.usefixtures("begun")
def test_upload_that_nobody_looked_at_is_not_aborted(
    writer_client: Client, connection: Connection, store: ObjectStore, bucket: str, begun: list[str]
) -> None:
    url = url_of(connection, bucket)
    sent = typed(writer_client, url, "3")
    store.abort_multipart_upload(bucket=bucket, region=REGION, key="a/one", upload_id=begun[0])
    store.create_multipart_upload(bucket=bucket, region=REGION, key="c/four", headers=ObjectHeaders())

    page = writer_client.post(url, sent).content.decode()

    assert "These are not the uploads that you looked at" in page
    assert left(store, bucket) == ["a/two", "b/three", "c/four"]


@pytest.mark.usefixtures("begun")
def test_those_that_fit_are_aborted_when_their_number_is_typed(
    writer_client: Client, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    url = url_of(connection, bucket, prefix="a/")

    shown = writer_client.get(url).content.decode()
    wrong = writer_client.post(url, typed(writer_client, url, "3")).content.decode()
    assert left(store, bucket) == ["a/one", "a/two", "b/three"]
    done = writer_client.post(url, typed(writer_client, url, "2"), follow=True).content.decode()

    assert "2 unfinished uploads fit." in shown
    assert "Now it is 2." in wrong
    assert "Aborted 2 uploads." in done
    assert left(store, bucket) == ["b/three"]
    assert Entry.objects.get(verb="upload.abort").bucket == bucket


@pytest.mark.usefixtures("begun")
def test_young_uploads_are_spared_unless_asked_for(
    owner_client: Client, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    page = owner_client.get(url_of(connection, bucket, age="")).content.decode()
    owner_client.post(url_of(connection, bucket, age="1"), {"count": "0"})

    assert "No unfinished upload fits." in page
    assert len(left(store, bucket)) == 3


def test_uploads_of_running_jobs_are_left_alone(
    owner: Person,
    owner_client: Client,
    connection: Connection,
    store: ObjectStore,
    bucket: str,
    begun: list[str],
) -> None:
    job = Job.objects.create(kind=Job.Kind.UPLOAD, feature="transfers", owner=owner, title="t", place="p")
    Transfer.objects.create(
        job=job,
        connection=connection,
        bucket=bucket,
        region=REGION,
        key="a/one",
        size=1,
        part_size=1,
        upload_id=begun[0],
    )

    url = url_of(connection, bucket)
    owner_client.post(url, typed(owner_client, url, "2"))

    assert left(store, bucket) == ["a/one"]


@pytest.mark.usefixtures("begun")
def test_more_than_one_request_ends_become_a_job(
    writer: Person,
    writer_client: Client,
    connection: Connection,
    store: ObjectStore,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aborting, "ABORTED_AT_ONCE", 2)
    url = url_of(connection, bucket)

    writer_client.post(url, typed(writer_client, url, "3"))
    walk = UploadWalk.objects.select_related("job").get()
    store.create_multipart_upload(bucket=bucket, region=REGION, key="c/later", headers=ObjectHeaders())
    assert walk_batch(walk_id=walk.pk) is True
    assert walk_batch(walk_id=walk.pk) is None

    job = Job.objects.get(pk=walk.job_id)
    assert (job.owner, job.state, job.objects_done, job.objects_total) == (writer, "done", 3, 3)
    assert left(store, bucket) == ["c/later"]


@pytest.mark.usefixtures("begun")
def test_job_goes_by_the_clock_of_the_store(
    writer_client: Client, connection: Connection, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aborting, "ABORTED_AT_ONCE", 2)
    url = url_of(connection, bucket)
    real_now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real_now() + timedelta(minutes=10))

    writer_client.post(url, typed(writer_client, url, "3"))

    before = UploadWalk.objects.get().before
    assert before is not None
    assert before < real_now() + timedelta(minutes=5)


@pytest.mark.usefixtures("begun")
def test_ticked_ones_are_aborted_when_their_number_is_typed(
    writer_client: Client, connection: Connection, store: ObjectStore, bucket: str, begun: list[str]
) -> None:
    url = f"/b/{connection.slug}/{bucket}/unfinished/abort-some/"
    chosen = [f"{begun[0]} a/one", f"{begun[2]} b/three", "broken"]

    shown = writer_client.post(url, {"chosen": chosen}).content.decode()
    wrong = writer_client.post(url, {"chosen": chosen, "count": "3", "seen": "2"}).content.decode()
    assert len(left(store, bucket)) == 3
    writer_client.post(url, {"chosen": chosen, "count": "2", "seen": "2"})

    assert "2 uploads were chosen." in shown
    assert "Now it is 2." in wrong
    assert left(store, bucket) == ["a/two"]


@pytest.mark.usefixtures("begun")
def test_refused_aborts_are_told_with_their_code(
    owner_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add(
        "error", operation="AbortMultipartUpload", count=1, status=403, code="AccessDenied"
    )

    url = url_of(connection, bucket)
    answer = owner_client.post(url, typed(owner_client, url, "3"), follow=True)
    page = unescape(answer.content.decode())

    assert "Aborted 2 uploads." in page
    assert "1 could not be aborted" in page
    assert "AccessDenied" in page


@pytest.mark.usefixtures("begun")
def test_reader_gets_403_and_stranger_404(
    member_client: Client, stranger_client: Client, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    url = url_of(connection, bucket)

    assert member_client.post(url, {"count": "3"}).status_code == 403
    assert stranger_client.post(url, {"count": "3"}).status_code == 404
    assert len(left(store, bucket)) == 3
