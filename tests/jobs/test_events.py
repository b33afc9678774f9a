"""Live figures: who is told what, and that a stream ends without leaving anything behind."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Person
from apps.jobs.events import Hub, Listener, hub
from apps.jobs.models import Job
from apps.jobs.services import job_announce, job_create

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


@pytest.fixture
def job(owner: Person) -> Job:
    return job_create(
        kind=Job.Kind.UPLOAD, feature="transfers", owner=owner, title="a.bin", place="b", bytes_total=1000
    )


def open_stream(client: Client) -> Any:
    response = client.get(reverse("jobs:events"))
    assert response.status_code == 200
    assert response["Content-Type"] == "text/event-stream"
    return response


def jobs_in(chunk: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in chunk.decode().splitlines() if line.startswith("data: ")]


def read_until_job(stream: Iterator[bytes]) -> dict[str, Any]:
    for chunk in stream:
        if found := jobs_in(chunk):
            return found[0]
    raise AssertionError("The stream ended.")


def test_new_page_is_told_what_runs_already(owner_client: Client, job: Job) -> None:
    response = open_stream(owner_client)

    message = read_until_job(iter(response.streaming_content))

    assert (message["id"], message["state"]) == (str(job.pk), "queued")
    assert "owner" not in message
    response.close()
    assert hub.listeners == set()


def test_change_reaches_an_open_page(owner_client: Client, job: Job) -> None:
    response = open_stream(owner_client)
    stream = iter(response.streaming_content)
    read_until_job(stream)
    time.sleep(0.3)  # The hub's first subscription is made by its own thread.

    Job.objects.update(state=Job.State.DONE)
    job_announce(job.pk)

    assert read_until_job(stream)["state"] == "done"
    response.close()


def test_stranger_is_told_nothing(stranger: Person, owner: Person) -> None:
    message = {"id": "1", "owner": owner.pk}

    assert not Listener(stranger).may_see(message)
    assert Listener(owner).may_see(message)
    stranger.is_superuser = True
    assert Listener(stranger).may_see(message)


def test_slow_page_holds_the_newest_figures_only(owner: Person) -> None:
    listener = Listener(owner)
    for done in range(1000):
        listener.offer({"id": "1", "owner": owner.pk, "done": done})

    assert listener.take(0.0) == [{"id": "1", "owner": owner.pk, "done": 999}]
    assert listener.take(0.0) == []


def test_too_many_open_pages_are_told_to_poll(owner: Person, owner_client: Client, settings: Any) -> None:
    settings.LIVE_STREAMS = 0

    assert owner_client.get(reverse("jobs:events")).status_code == 204
    assert not Hub().join(Listener(owner))
