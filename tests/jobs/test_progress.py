"""The gauge: what Redis adds to the rows, and that nothing is lost when it forgets."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import redis as redis_client

from apps.accounts.models import Person
from apps.jobs import progress
from apps.jobs.models import Job
from apps.jobs.services import (
    figures_for,
    job_announce,
    job_confirm_bytes,
    job_create,
    job_move,
    job_park,
    job_report,
)
from apps.storage.errors import Denied

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job(owner: Person) -> Job:
    job = job_create(
        kind=Job.Kind.UPLOAD, feature="transfers", owner=owner, title="a.bin", place="b", bytes_total=1000
    )
    job_move(job.pk, to=Job.State.RUNNING, frm=[Job.State.QUEUED])
    job.refresh_from_db()
    return job


def done(job: Job) -> int:
    job.refresh_from_db()
    return figures_for([job])[job.pk].done


@pytest.mark.usefixtures("redis")
def test_bytes_under_way_count_until_the_part_is_confirmed(job: Job) -> None:
    job_report(job.pk, part=1, sent=300, delta=300)
    job_report(job.pk, part=2, sent=100, delta=100)
    assert done(job) == 0

    job_report(job.pk, part=1, sent=0, base=400, delta=100)
    assert done(job) == 500

    job_report(job.pk, part=2, sent=0, delta=-100)
    assert done(job) == 400


@pytest.mark.usefixtures("redis")
def test_rate_and_time_left_are_unknown_until_something_moved(job: Job) -> None:
    figures = figures_for([job])[job.pk]
    assert (figures.rate, figures.eta_s) == (None, None)

    job_report(job.pk, part=1, sent=200, base=0, delta=200)

    figures = figures_for([job])[job.pk]
    assert figures.rate is not None
    assert 20 <= figures.rate <= 200
    assert figures.eta_s is not None
    assert 4 <= figures.eta_s <= 40


def test_flushed_redis_shows_what_the_rows_confirm(job: Job, redis: str) -> None:
    job_confirm_bytes(job.pk, bytes_done=600)
    job_report(job.pk, part=7, sent=50, base=600, delta=50)
    assert done(job) == 650

    redis_client.Redis.from_url(redis).flushall()
    assert done(job) == 600

    job_report(job.pk, part=8, sent=0, base=700, delta=100)
    assert done(job) == 700


@pytest.mark.usefixtures("redis")
def test_figures_never_pass_the_total(job: Job) -> None:
    job_report(job.pk, part=1, sent=900, base=900, delta=900)

    assert done(job) == 1000


def test_redis_that_does_not_answer_stops_nothing(
    job: Job, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    progress._client.cache_clear()
    try:
        job_report(job.pk, part=1, sent=10, base=0, delta=10)
        job_announce(job.pk)
        job_confirm_bytes(job.pk, bytes_done=10)

        assert done(job) == 10
        assert progress.once_in("anything", seconds=5)
        with pytest.raises(ConnectionError):
            next(progress.listen(on_subscribed=lambda: None))
    finally:
        progress._client.cache_clear()


@pytest.mark.usefixtures("redis")
def test_only_one_of_two_moves_wins(job: Job) -> None:
    assert job_move(job.pk, to=Job.State.FINISHING, frm=[Job.State.RUNNING])
    assert not job_move(job.pk, to=Job.State.FINISHING, frm=[Job.State.RUNNING])


@pytest.mark.usefixtures("redis")
def test_parked_job_keeps_the_stores_words_until_it_runs_again(job: Job) -> None:
    job_park(
        job.pk,
        Denied("Access Denied.", code="AccessDenied", request_id="NjE="),
        frm=[Job.State.RUNNING],
    )

    job.refresh_from_db()
    assert (job.error_code, job.error_message, job.error_request_id) == (
        "AccessDenied",
        "Access Denied.",
        "NjE=",
    )
    assert job_move(job.pk, to=Job.State.RUNNING, frm=[Job.State.PARKED])
    job.refresh_from_db()
    assert job.error_code == ""


@pytest.mark.usefixtures("redis")
def test_job_that_is_gone_is_not_announced() -> None:
    job_announce(uuid.uuid4())
    job_report(uuid.uuid4(), part=1, sent=1, base=0, delta=1)


@pytest.mark.usefixtures("redis")
def test_published_figures_reach_a_subscriber(job: Job) -> None:
    subscribed: list[bool] = []
    messages = progress.listen(on_subscribed=lambda: subscribed.append(True))
    assert next(messages) is None
    assert subscribed

    job_announce(job.pk)

    message = next(item for item in messages if item)
    assert (message["id"], message["state"], message["total"]) == (str(job.pk), "running", 1000)
