"""Many files that are sent together: one job above theirs, which always says what their rows say."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.jobs.rules import NEVER_BEGUN
from apps.transfers import spool, tasks
from apps.transfers.models import Transfer, UploadBatch
from apps.transfers.services import uploads
from apps.transfers.services.batch_states import files_in
from apps.transfers.services.batches import SILENT, uploads_open, uploads_recount
from apps.transfers.targets import TARGET_TAKEN
from tests.transfers.conftest import MIB, slice_put

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]
State = Job.State


@pytest.fixture
def start_url(connection: Connection, bucket: str) -> str:
    return reverse("transfers:uploads-start", args=[connection.slug, bucket])


@pytest.fixture
def file_url(connection: Connection, bucket: str) -> str:
    return reverse("transfers:upload-start", args=[connection.slug, bucket])


@pytest.fixture
def batch(owner: Person, connection: Connection, bucket: str) -> UploadBatch:
    """Three files of ten bytes each are announced."""
    return uploads_open(owner=owner, connection=connection, bucket=bucket, prefix="photos/", files=3, size=30)


@pytest.fixture
def begin_file(
    owner: Person, connection: Connection, bucket: str, batch: UploadBatch
) -> Callable[..., Transfer]:
    def begin(name: str, *, size: int = 10, state: str = State.QUEUED, **fields: Any) -> Transfer:
        transfer = uploads.upload_start(
            owner=owner,
            connection=connection,
            bucket=bucket,
            wanted=uploads.UploadWanted(key=f"photos/{name}", size=size),
            replace=False,
            parent=batch.job,
        )
        Job.objects.filter(pk=transfer.job_id).update(state=state, **fields)
        return transfer

    return begin


def post(client: Client, url: str, **body: Any) -> Any:
    return client.post(url, json.dumps(body), content_type="application/json")


def act(client: Client, batch: UploadBatch, action: str) -> int:
    url = reverse(f"transfers:{action}", args=[batch.job_id])
    return client.post(url, headers={"HX-Request": "true"}).status_code


def counted(batch: UploadBatch) -> Job:
    uploads_recount(job_id=batch.job_id)
    batch.job.refresh_from_db()
    return batch.job


def states_of(batch: UploadBatch) -> list[str]:
    return list(batch.job.children.order_by("title").values_list("state", flat=True))


def test_start_answers_with_the_parent(owner_client: Client, start_url: str, owner: Person) -> None:
    response = post(owner_client, start_url, prefix="a b/中文/", files=2000, bytes=1 << 40)

    job = Job.objects.get(pk=response.json()["parent"])
    assert response.status_code == 201
    assert (job.kind, job.state, job.title, job.unit) == (
        "upload-many",
        State.RUNNING,
        "a b/中文/",
        "objects",
    )
    assert (job.objects_total, job.bytes_total, job.owner) == (2000, 1 << 40, owner)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"files": 0, "bytes": 1},
        {"files": 1, "bytes": -1},
        {"files": "many", "bytes": 1},
        {"files": [1], "bytes": 1},
    ],
)
def test_nonsense_is_refused_in_words(owner_client: Client, start_url: str, body: dict[str, Any]) -> None:
    response = post(owner_client, start_url, **body)

    assert response.status_code == 400
    assert response.json()["error"]


def test_file_belongs_to_the_batch_it_names(owner_client: Client, file_url: str, batch: UploadBatch) -> None:
    response = post(owner_client, file_url, key="photos/a", size=10, type="", parent=str(batch.job_id))

    assert response.status_code == 201
    assert Job.objects.get(pk=response.json()["job"]).parent == batch.job


def test_nobody_adds_a_file_to_the_batch_of_another(
    writer_client: Client, file_url: str, batch: UploadBatch
) -> None:
    response = post(writer_client, file_url, key="photos/a", size=10, type="", parent=str(batch.job_id))

    assert response.status_code == 404
    assert not batch.job.children.exists()


def test_file_of_a_single_upload_is_no_batch(
    owner_client: Client, file_url: str, begin_file: Callable[..., Transfer]
) -> None:
    other = begin_file("a")

    response = post(owner_client, file_url, key="photos/b", size=10, type="", parent=str(other.job_id))

    assert response.status_code == 404


def test_counts_follow_the_files(batch: UploadBatch, begin_file: Callable[..., Transfer]) -> None:
    begin_file("a", state=State.DONE, bytes_done=10)
    begin_file("b", state=State.PARKED, error_code="AccessDenied", error_message="No.", bytes_done=4)

    job = counted(batch)

    assert (job.state, job.objects_total, job.objects_done, job.objects_failed) == (State.RUNNING, 3, 2, 1)
    assert (job.bytes_total, job.bytes_done) == (30, 14)
    again = counted(batch)
    assert (again.objects_done, again.bytes_done) == (2, 14)


def test_done_when_all_files_are(batch: UploadBatch, begin_file: Callable[..., Transfer]) -> None:
    for name in "abc":
        begin_file(name, state=State.DONE, bytes_done=10)

    job = counted(batch)

    assert (job.state, job.objects_done, job.bytes_done, job.error_code) == (State.DONE, 3, 30, "")
    assert job.finished_at is not None


def test_parked_when_what_is_left_is_parked(batch: UploadBatch, begin_file: Callable[..., Transfer]) -> None:
    begin_file("a", state=State.DONE, bytes_done=10)
    begin_file("b", state=State.PARKED, error_code="AccessDenied", error_message="No.")
    begin_file("c", state=State.PARKED, error_code="AccessDenied", error_message="No.")

    job = counted(batch)

    assert (job.state, job.error_code, job.error_message) == (State.PARKED, "AccessDenied", "No.")


def test_files_taken_out_are_not_waited_for(
    owner_client: Client, batch: UploadBatch, begin_file: Callable[..., Transfer]
) -> None:
    begin_file("a", state=State.DONE, bytes_done=10)
    begin_file("b", state=State.CANCELED)
    url = reverse("transfers:uploads-state", args=[batch.job_id])

    response = post(owner_client, url, skipped=1, skipped_bytes=10)

    batch.job.refresh_from_db()
    assert response.status_code == 204
    assert (batch.job.state, batch.job.objects_total, batch.job.bytes_total) == (State.DONE, 1, 10)


def test_closed_page_leaves_it_incomplete(
    owner_client: Client, batch: UploadBatch, begin_file: Callable[..., Transfer]
) -> None:
    begin_file("a", state=State.DONE, bytes_done=10)

    post(owner_client, reverse("transfers:uploads-state", args=[batch.job_id]), is_closed=True)

    job = counted(batch)
    assert (job.state, job.error_code, job.objects_done, job.objects_total) == (State.DONE, NEVER_BEGUN, 1, 3)
    assert "2 of 3 files were never begun" in owner_client.get(f"/jobs/{job.pk}/").text


def test_silent_page_is_given_up_but_not_at_once(
    batch: UploadBatch, begin_file: Callable[..., Transfer]
) -> None:
    begin_file("a", state=State.DONE, bytes_done=10)
    now = timezone.now()

    uploads_recount(job_id=batch.job_id, now=now + SILENT / 2)
    batch.job.refresh_from_db()
    assert batch.job.state == State.RUNNING
    uploads_recount(job_id=batch.job_id, now=now + SILENT + timedelta(seconds=1))

    batch.job.refresh_from_db()
    assert (batch.job.state, batch.job.is_incomplete) == (State.DONE, True)


def test_batch_with_a_moving_file_is_not_given_up(
    batch: UploadBatch, begin_file: Callable[..., Transfer]
) -> None:
    begin_file("a", state=State.RUNNING)

    uploads_recount(job_id=batch.job_id, now=timezone.now() + 10 * SILENT)

    batch.job.refresh_from_db()
    assert batch.job.state == State.RUNNING


def test_file_that_begins_after_all_opens_the_batch_again(
    owner_client: Client, file_url: str, batch: UploadBatch, begin_file: Callable[..., Transfer]
) -> None:
    begin_file("a", state=State.DONE, bytes_done=10)
    uploads_recount(job_id=batch.job_id, now=timezone.now() + 2 * SILENT)

    post(owner_client, file_url, key="photos/b", size=10, type="", parent=str(batch.job_id))

    job = counted(batch)
    assert (job.state, job.finished_at, job.objects_total) == (State.RUNNING, None, 3)


def test_pause_and_resume_reach_every_file(
    owner_client: Client, batch: UploadBatch, begin_file: Callable[..., Transfer]
) -> None:
    begin_file("a", state=State.RUNNING)
    begin_file("b")
    begin_file("c", state=State.DONE, bytes_done=10)

    assert act(owner_client, batch, "pause") == 204
    assert states_of(batch) == [State.PAUSED, State.PAUSED, State.DONE]
    assert counted(batch).state == State.PAUSED
    assert act(owner_client, batch, "pause") == 409

    assert act(owner_client, batch, "resume") == 204
    assert states_of(batch) == [State.RUNNING, State.RUNNING, State.DONE]
    assert counted(batch).state == State.RUNNING


def test_paused_batch_begins_no_further_file(owner_client: Client, file_url: str, batch: UploadBatch) -> None:
    act(owner_client, batch, "pause")

    response = post(owner_client, file_url, key="photos/a", size=10, type="", parent=str(batch.job_id))

    assert (response.status_code, response.json()["error"]) == (503, "These files are paused.")


def test_retry_tries_what_failed_and_nothing_else(
    owner_client: Client, batch: UploadBatch, begin_file: Callable[..., Transfer]
) -> None:
    begin_file("a", state=State.PARKED, error_code="SlowDown", error_message="Slow.")
    begin_file("b", state=State.PARKED, error_code=TARGET_TAKEN, error_message="Taken.")
    begin_file("c", state=State.DONE, bytes_done=10)
    counted(batch)

    assert act(owner_client, batch, "retry") == 204

    assert states_of(batch) == [State.RUNNING, State.PARKED, State.DONE]
    assert counted(batch).state == State.RUNNING
    assert not batch.job.children.get(title="photos/a").error_message


def test_cancel_ends_every_file_and_frees_the_spool(
    owner_client: Client, batch: UploadBatch, begin_file: Callable[..., Transfer]
) -> None:
    large = begin_file("a", size=9 * MIB, state=State.RUNNING)
    begin_file("b", state=State.DONE, bytes_done=10)
    slice_put(large, 1, os.urandom(8 * MIB))

    assert act(owner_client, batch, "cancel") == 204
    for _twice in range(2):
        tasks.abort_uploads(job_id=str(batch.job_id))
        tasks.abort_transfer(transfer_id=large.pk)
        tasks.recount_uploads(job_id=str(batch.job_id))

    assert states_of(batch) == [State.CANCELED, State.DONE]
    assert counted(batch).state == State.CANCELED
    assert large.pk not in spool.spool_ids() | spool.closed_ids()


def test_no_file_begins_below_a_canceled_batch(
    owner_client: Client, file_url: str, batch: UploadBatch
) -> None:
    act(owner_client, batch, "cancel")

    response = post(owner_client, file_url, key="photos/a", size=10, type="", parent=str(batch.job_id))

    assert response.status_code == 410
    assert not batch.job.children.exists()


def test_files_are_found_some_at_a_time(batch: UploadBatch, begin_file: Callable[..., Transfer]) -> None:
    ids = [begin_file(name, state=State.RUNNING).pk for name in "abc"]
    begin_file("d", state=State.DONE)

    first = files_in(batch.job_id, states=[State.RUNNING], after=0, at_most=2)
    rest = files_in(batch.job_id, states=[State.RUNNING], after=first[-1], at_most=2)

    assert (first, rest) == (ids[:2], ids[2:])


def test_everything_sent_again_ends_the_batch(
    owner_client: Client, batch: UploadBatch, begin_file: Callable[..., Transfer]
) -> None:
    files = [begin_file(name, state=State.PARKED, error_code="SlowDown") for name in "abc"]
    for file in files:
        slice_put(file, 1, os.urandom(10))
    counted(batch)
    act(owner_client, batch, "retry")

    for _twice in range(2):
        tasks.resume_uploads(job_id=str(batch.job_id))
        for file in files:
            tasks.send_part.apply(kwargs={"transfer_id": file.pk, "number": 1})
            tasks.complete_transfer.apply(kwargs={"transfer_id": file.pk})

    assert states_of(batch) == [State.DONE] * 3
    assert counted(batch).state == State.DONE


def test_stranger_and_reader_may_not(
    stranger_client: Client, member_client: Client, start_url: str, batch: UploadBatch
) -> None:
    assert post(stranger_client, start_url, prefix="", files=1, bytes=1).status_code == 404
    assert post(member_client, start_url, prefix="", files=1, bytes=1).status_code == 403
    assert act(member_client, batch, "cancel") == 404
