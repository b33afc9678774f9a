"""The addresses that the upload script and the jobs page speak to."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.transfers.models import Transfer
from apps.transfers.sending import part_send
from tests.transfers.conftest import MIB, slice_put

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


@pytest.fixture
def start_url(connection: Connection, bucket: str) -> str:
    return reverse("transfers:upload-start", args=[connection.slug, bucket])


def post(client: Client, url: str, **body: Any) -> Any:
    return client.post(url, json.dumps(body), content_type="application/json")


def test_start_answers_with_the_plan_and_where_slices_go(owner_client: Client, start_url: str) -> None:
    response = post(
        owner_client, start_url, key="a b/中文.bin", size=20 * MIB, type="", last_modified=1700000000000
    )

    answer = response.json()
    assert response.status_code == 201
    assert (answer["part_size"], answer["parts"]) == (8 * MIB, 3)
    assert answer["slice_url"].startswith("/slices/")
    transfer = Transfer.objects.get(job=answer["job"])
    assert (transfer.key, transfer.file_modified_ms) == ("a b/中文.bin", 1700000000000)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"key": "", "size": 1}, "required"),
        ({"key": "x" * 851, "size": 1}, "850"),
        ({"key": "a", "size": -1}, "greater than"),
        ({"key": "a", "size": "much"}, "whole number"),
        ({"key": "a", "size": 60 * 1024**4}, "too large"),
        ({"key": "a", "size": 1, "type": "text/plain\r\nX: y"}, "ASCII"),
        ({"key": "/lead", "size": 20 * MIB, "replace": True}, "/"),
    ],
)
def test_bad_start_is_refused_with_a_sentence(
    owner_client: Client, start_url: str, body: dict[str, Any], words: str
) -> None:
    response = post(owner_client, start_url, **body)

    assert response.status_code == 400
    assert words in response.json()["error"]
    assert Job.objects.count() == 0


@pytest.mark.parametrize("body", ["", "[]", "nonsense", "{"])
def test_start_without_json_is_refused(owner_client: Client, start_url: str, body: str) -> None:
    assert owner_client.post(start_url, body, content_type="application/json").status_code == 400


def test_taken_key_is_a_question(owner_client: Client, start_url: str, put: Callable[..., str]) -> None:
    put("a.txt", b"12345")

    response = post(owner_client, start_url, key="a.txt", size=3)

    assert response.status_code == 409
    assert response.json()["exists"]["size"] == 5
    assert post(owner_client, start_url, key="a.txt", size=3, replace=True).status_code == 201


def test_replaced_object_that_changed_meanwhile_is_a_question_again(
    owner_client: Client, start_url: str, put: Callable[..., str]
) -> None:
    put("a.txt", b"12345")
    seen = post(owner_client, start_url, key="a.txt", size=3).json()["exists"]["etag"]
    put("a.txt", b"somebody else's")

    response = post(owner_client, start_url, key="a.txt", size=3, replace=True, seen=seen)

    assert response.status_code == 409
    assert Job.objects.count() == 0
    seen = response.json()["exists"]["etag"]
    assert post(owner_client, start_url, key="a.txt", size=3, replace=True, seen=seen).status_code == 201


def test_replaced_object_that_is_gone_is_no_question(owner_client: Client, start_url: str) -> None:
    assert post(owner_client, start_url, key="a.txt", size=3, replace=True, seen="1").status_code == 201


@pytest.mark.parametrize("size", [3, 20 * MIB])
def test_start_whose_answer_was_lost_begins_once(owner_client: Client, start_url: str, size: int) -> None:
    chosen = uuid.uuid4()

    first = post(owner_client, start_url, key="a.bin", size=size, job=str(chosen))
    second = post(owner_client, start_url, key="a.bin", size=size, job=str(chosen))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["job"] == second.json()["job"] == str(chosen)
    assert Job.objects.count() == 1
    # Another file, or one that was canceled, is another upload.
    assert post(owner_client, start_url, key="b.bin", size=size, job=str(chosen)).json()["job"] != str(chosen)
    Job.objects.filter(pk=chosen).update(state=Job.State.CANCELED)
    assert post(owner_client, start_url, key="a.bin", size=size, job=str(chosen)).json()["job"] != str(chosen)


def test_store_error_shows_code_and_request_id(
    owner_client: Client, start_url: str, local_store: LocalStore
) -> None:
    local_store.faults.add(
        kind="error", operation="InitiateMultipartUpload", count=9, status=403, code="AccessDenied"
    )

    response = post(owner_client, start_url, key="a", size=20 * MIB)

    assert response.status_code == 403
    assert response.json()["code"] == "AccessDenied"
    assert response.json()["request_id"]
    assert Job.objects.count() == 0


def test_reader_may_not_start_and_stranger_sees_nothing(
    member_client: Client, stranger_client: Client, client: Client, start_url: str
) -> None:
    assert post(member_client, start_url, key="a", size=1).status_code == 403
    assert post(stranger_client, start_url, key="a", size=1).status_code == 404
    assert post(client, start_url, key="a", size=1).status_code in {302, 401}
    assert Job.objects.count() == 0


def test_state_lists_what_was_received(owner_client: Client, begin: Callable[..., Transfer]) -> None:
    transfer = begin(20 * MIB)
    slice_put(transfer, 3, bytes(4 * MIB))
    part_send(transfer_id=transfer.pk, number=3)
    slice_put(transfer, 1, bytes(8 * MIB))

    answer = owner_client.get(reverse("transfers:state", args=[transfer.job_id])).json()

    assert answer["received"] == [1, 3]
    assert answer["done"] == 4 * MIB
    assert answer["state"] == "running"


@pytest.mark.parametrize("name", ["state", "pause", "resume", "retry", "cancel"])
def test_job_of_somebody_else_does_not_exist(
    stranger_client: Client, begin: Callable[..., Transfer], name: str
) -> None:
    transfer = begin(20 * MIB)
    url = reverse(f"transfers:{name}", args=[transfer.job_id])

    response = stranger_client.get(url) if name == "state" else stranger_client.post(url)

    assert response.status_code == 404
    transfer.job.refresh_from_db()
    assert transfer.job.state == Job.State.QUEUED


def test_pause_resume_and_cancel_without_script(owner_client: Client, begin: Callable[..., Transfer]) -> None:
    transfer = begin(20 * MIB)
    for name, state in (("pause", "paused"), ("resume", "running"), ("cancel", "canceling")):
        response = owner_client.post(reverse(f"transfers:{name}", args=[transfer.job_id]))

        transfer.job.refresh_from_db()
        assert response.status_code == 302
        assert transfer.job.state == state


def test_pause_by_script_tells_the_page(owner_client: Client, begin: Callable[..., Transfer]) -> None:
    transfer = begin(20 * MIB)

    response = owner_client.post(
        reverse("transfers:pause", args=[transfer.job_id]), headers={"HX-Request": "true"}
    )

    assert response.status_code == 204
    assert "job:changed" in response["HX-Trigger"]


def test_cancel_that_comes_too_late_says_so(owner_client: Client, begin: Callable[..., Transfer]) -> None:
    transfer = begin(20 * MIB)
    Job.objects.update(state=Job.State.DONE)

    response = owner_client.post(
        reverse("transfers:cancel", args=[transfer.job_id]), headers={"Accept": "application/json"}
    )

    assert response.status_code == 409
    assert "done" in response.json()["error"]
