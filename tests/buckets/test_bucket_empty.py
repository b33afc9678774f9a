from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from apps.accounts.models import Person
from apps.batches.models import Action, Batch
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectHeaders
from apps.transfers.models import Transfer
from tests.conftest import REGION


def url_of(connection: Connection, bucket: str) -> str:
    return f"/b/{connection.slug}/{bucket}/empty/"


def test_consequences_are_told_before_anything_is_planned(
    owner: Person, owner_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("<b>last</b>/one")
    job = Job.objects.create(kind=Job.Kind.UPLOAD, feature="transfers", owner=owner, title="t", place="p")
    Transfer.objects.create(
        job=job, connection=connection, bucket=bucket, region=REGION, key="k", size=1, part_size=1
    )

    page = owner_client.get(url_of(connection, bucket)).content.decode()

    assert "&lt;b&gt;last&lt;/b&gt;/one" in page
    assert "1 job of this console still writes into the bucket." in page
    assert not Batch.objects.exists()


def test_plan_is_made_and_nothing_is_deleted_yet(
    owner_client: Client,
    connection: Connection,
    store: ObjectStore,
    bucket: str,
    put: Callable[..., str],
    redis: str,
) -> None:
    put("kept/so/far")

    response = owner_client.post(url_of(connection, bucket))

    batch = Batch.objects.get()
    assert response["Location"] == f"/jobs/{batch.job_id}/plan/"
    assert batch.action == Action.EMPTY
    assert batch.job.state == Job.State.PLANNING
    assert store.head_object(bucket=bucket, region=REGION, key="kept/so/far")


def test_empty_bucket_has_nothing_to_empty(
    owner_client: Client, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    empty = owner_client.get(url_of(connection, bucket)).content.decode()
    store.create_multipart_upload(bucket=bucket, region=REGION, key="half", headers=ObjectHeaders())
    begun = owner_client.get(url_of(connection, bucket)).content.decode()

    assert "The bucket is empty." in empty
    assert "The bucket is empty." not in begun
    assert "half" in begun
    assert "List everything and make the plan" in begun
    assert f"/b/{connection.slug}/{bucket}/unfinished/" in begun


def test_writer_gets_403(writer_client: Client, connection: Connection, bucket: str) -> None:
    assert writer_client.get(url_of(connection, bucket)).status_code == 403
    assert writer_client.post(url_of(connection, bucket)).status_code == 403
    assert not Batch.objects.exists()


def test_stranger_gets_404(stranger_client: Client, connection: Connection, bucket: str) -> None:
    assert stranger_client.post(url_of(connection, bucket)).status_code == 404
    assert not Batch.objects.exists()
