"""Live figures: who is told what, and that a stream ends without leaving anything behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Person
from apps.jobs import events
from apps.jobs.hub import Hub, Listener, event_of
from apps.jobs.models import Job
from apps.jobs.services import job_announce, job_create

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub of the test's own: the thread of another's lives on for a moment and reads rows when it must."""
    fresh = Hub()
    monkeypatch.setattr(events, "hub", fresh)
    return fresh


@pytest.fixture
def job(owner: Person) -> Job:
    return job_create(
        kind=Job.Kind.UPLOAD, feature="transfers", owner=owner, title="a.bin", place="b", bytes_total=1000
    )


def open_stream(client: Client) -> Any:
    response = client.get(reverse("jobs:events"))
    assert response.status_code == 200
    assert response["Content-Type"] == "text/event-stream"
    # Its thread reads rows first, and the database of the tests knows no waiting for each other.
    assert events.hub.is_fed.wait(20)
    return response


def cookie_of(client: Client) -> str:
    return client.cookies.output(header="", sep=";")


def jobs_in(chunk: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in chunk.decode().splitlines() if line.startswith("data: ")]


def read_until_job(stream: Iterator[bytes]) -> dict[str, Any]:
    for chunk in stream:
        if found := jobs_in(chunk):
            return found[0]
    raise AssertionError("The stream ended.")


def test_new_page_is_told_what_runs_already(owner_client: Client, job: Job, hub: Hub) -> None:
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


def test_what_happened_before_the_subscription_is_told(owner: Person, job: Job) -> None:
    fresh, listener = Hub(), Listener(owner)
    fresh.listeners.add(listener)

    # The first thing that it hears ends the listener, and the last listener ends the feed.
    listener.outbox.wake = partial(fresh.leave, listener)
    fresh.feed()

    assert jobs_in(listener.outbox.take())[0]["id"] == str(job.pk)


def test_stream_ends_with_the_session(owner_client: Client, job: Job, hub: Hub) -> None:
    response = open_stream(owner_client)
    elsewhere = open_stream(Client(headers={"Cookie": cookie_of(owner_client)}))

    owner_client.logout()
    hub.look_at_people()

    assert jobs_in(b"".join(response.streaming_content))[0]["id"] == str(job.pk)
    assert jobs_in(b"".join(elsewhere.streaming_content))
    response.close()
    elsewhere.close()
    assert hub.listeners == set()


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "another"}])
def test_stream_ends_when_the_person_is_shut_out(
    owner_client: Client, owner: Person, hub: Hub, change: dict[str, Any]
) -> None:
    response = open_stream(owner_client)

    Person.objects.filter(pk=owner.pk).update(**change)
    hub.look_at_people()

    assert list(response.streaming_content)
    response.close()


def test_person_who_is_no_administrator_any_more_sees_less(owner: Person, stranger: Person) -> None:
    Person.objects.filter(pk=stranger.pk).update(is_superuser=True)
    stranger.refresh_from_db()
    listener = Listener(stranger)
    assert listener.may_see({"owner": owner.pk})

    Person.objects.filter(pk=stranger.pk).update(is_superuser=False)
    listener.look_at(Person.objects.get(pk=stranger.pk), is_signed_in=True)

    assert not listener.may_see({"owner": owner.pk})
    assert not listener.outbox.is_ended


def test_slow_page_holds_the_newest_figures_only(owner: Person) -> None:
    listener = Listener(owner)
    for done in range(1000):
        listener.outbox.put("1", event_of({"id": "1", "owner": owner.pk, "done": done}))

    assert jobs_in(listener.outbox.take()) == [{"id": "1", "done": 999}]
    assert listener.outbox.take() == b""


def test_new_page_is_told_of_a_batch_and_not_of_its_files(
    owner_client: Client, owner: Person, job: Job
) -> None:
    job_create(kind=Job.Kind.UPLOAD, feature="transfers", owner=owner, title="b", place="b", parent=job)

    response = open_stream(owner_client)

    told = jobs_in(next(iter(response.streaming_content)))
    assert [message["id"] for message in told] == [str(job.pk)]
    response.close()


def test_what_was_known_before_never_replaces_news(owner: Person) -> None:
    listener = Listener(owner)
    listener.outbox.put("1", b"new")
    listener.outbox.put_older("1", b"old")
    listener.outbox.put_older("2", b"also")

    assert listener.outbox.take() == b"newalso"


def test_too_many_open_pages_are_told_to_poll(owner: Person, owner_client: Client, settings: Any) -> None:
    settings.LIVE_STREAMS = 0

    assert owner_client.get(reverse("jobs:events")).status_code == 204
    assert not Hub().join(Listener(owner), at_most=0)


def test_pages_that_hold_threads_get_half_of_them(owner_client: Client, settings: Any) -> None:
    settings.WEB_THREADS = 2

    response = open_stream(owner_client)

    assert owner_client.get(reverse("jobs:events")).status_code == 204
    response.close()
