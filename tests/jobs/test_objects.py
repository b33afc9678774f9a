"""Jobs that count objects: what the rows say, what the pages show, and what a page is told live."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import Person
from apps.jobs import progress
from apps.jobs.models import Job
from apps.jobs.services import figures_for, job_count, job_create, job_move, message_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]
State = Job.State
# The words of the scripts, which every whole page holds, stay out of it.
FRAGMENT = {"HX-Request": "true"}


def started(owner: Person, *, total: int = 0, state: str = State.RUNNING) -> Job:
    return job_create(
        kind=Job.Kind.DELETE,
        feature="transfers",
        owner=owner,
        title="old/",
        place="b",
        unit=Job.Unit.OBJECTS,
        objects_total=total,
        state=state,
    )


def test_count_is_what_the_rows_say_however_often_it_is_told(owner: Person) -> None:
    job = started(owner, total=100)

    for _ in range(2):
        job_count(job.pk, done=40, failed=3, bytes_done=999)

    job.refresh_from_db()
    figures = figures_for([job])[job.pk]
    assert (figures.done, figures.total, figures.failed, job.bytes_done) == (40, 100, 3, 999)


def test_forgotten_gauge_changes_no_figure(owner: Person) -> None:
    job = started(owner, total=100)
    job_count(job.pk, done=40)

    progress._client().flushall()

    job.refresh_from_db()
    assert figures_for([job])[job.pk].done == 40


def test_total_that_is_unknown_promises_nothing(owner: Person, owner_client: Client) -> None:
    job = started(owner)
    job_count(job.pk, done=412_000)

    text = owner_client.get(f"/jobs/{job.pk}/", headers=FRAGMENT).text

    assert "412,000 objects so far" in text
    assert "measuring…" not in text
    assert "100 %" not in text


def test_page_shows_objects_and_what_failed(owner: Person, owner_client: Client) -> None:
    job = started(owner, total=1_204_118)
    job_count(job.pk, done=602_059, failed=3)

    text = owner_client.get("/jobs/", headers=FRAGMENT).text

    assert "602,059 of 1,204,118 objects" in text
    assert "50 %" in text
    assert "3 failed" in text


def test_end_with_failures_says_so_and_offers_another_try(owner: Person, owner_client: Client) -> None:
    job = started(owner, total=10)
    job_count(job.pk, done=10, failed=1)
    job_move(job.pk, to=State.DONE, frm=[State.RUNNING])

    text = owner_client.get(f"/jobs/{job.pk}/", headers=FRAGMENT).text

    assert "Done with errors" in text
    assert "Try again" in text


def test_plan_that_waits_can_be_canceled_and_not_resumed(owner: Person, owner_client: Client) -> None:
    job = started(owner, total=10, state=State.PLANNED)

    text = owner_client.get(f"/jobs/{job.pk}/", headers=FRAGMENT).text

    assert "Waiting for confirmation" in text
    assert "Cancel" in text
    assert "Pause" not in text


def test_live_pages_are_told_in_objects(owner: Person) -> None:
    job = started(owner, total=10)
    job_count(job.pk, done=4, failed=1)
    job.refresh_from_db()

    message = message_of(job, figures_for([job])[job.pk], read_at=0.0)

    assert (message["unit"], message["done"], message["total"], message["failed"]) == ("objects", 4, 10, 1)
