from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from apps.accounts.models import Person
from apps.jobs.models import Job
from apps.jobs.views import PER_PAGE

URL = "/jobs/"
State = Job.State


@pytest.fixture
def job_of(redis: str) -> Callable[..., Job]:
    def create(owner: Person, **fields: object) -> Job:
        detail = {"kind": "upload", "feature": "transfers", "place": "media-1250000000", **fields}
        return Job.objects.create(owner=owner, **detail)

    return create


def test_stranger_to_the_console_is_asked_to_sign_in(client: Client, db: None) -> None:
    assert client.get(URL).status_code == 302


def test_owner_sees_own_jobs(owner_client: Client, owner: Person, job_of: Callable[..., Job]) -> None:
    job_of(owner, title="report.pdf", state=State.RUNNING, bytes_done=512 << 20, bytes_total=1 << 30)

    text = owner_client.get(URL).text

    assert "report.pdf" in text
    assert "Running" in text
    assert "512 MiB" in text
    assert 'title="1,073,741,824 bytes"' in text
    assert "50 %" in text


def test_nobody_sees_the_jobs_of_others(
    member_client: Client, owner: Person, job_of: Callable[..., Job]
) -> None:
    job_of(owner, title="report.pdf")

    assert "report.pdf" not in member_client.get(URL).text


def test_administrator_sees_all_and_whose_they_are(
    stranger_client: Client, stranger: Person, owner: Person, job_of: Callable[..., Job]
) -> None:
    stranger.is_superuser = True
    stranger.save()
    job_of(owner, title="report.pdf")

    text = stranger_client.get(URL).text

    assert "report.pdf" in text
    assert "· owner" in text


def test_filter_keeps_one_state(owner_client: Client, owner: Person, job_of: Callable[..., Job]) -> None:
    job_of(owner, title="done.bin", state=State.DONE)
    job_of(owner, title="parked.bin", state=State.PARKED)

    parked = owner_client.get(URL, {"state": "parked"}).text
    active = owner_client.get(URL, {"state": "active"}).text

    assert "parked.bin" in parked
    assert "done.bin" not in parked
    assert "parked.bin" in active
    assert "done.bin" not in active


def test_nonsense_filter_shows_all(owner_client: Client, owner: Person, job_of: Callable[..., Job]) -> None:
    job_of(owner, title="done.bin", state=State.DONE)

    assert "done.bin" in owner_client.get(URL, {"state": "'; --", "page": "x"}).text


@pytest.mark.parametrize(
    ("state", "actions"),
    [
        (State.QUEUED, {"pause", "cancel"}),
        (State.RUNNING, {"pause", "cancel"}),
        (State.PAUSED, {"resume", "cancel"}),
        (State.PARKED, {"retry", "cancel"}),
        (State.FINISHING, set()),
        (State.DONE, set()),
        (State.CANCELING, set()),
        (State.CANCELED, set()),
    ],
)
def test_each_state_offers_what_can_be_done(
    owner_client: Client, owner: Person, job_of: Callable[..., Job], state: str, actions: set[str]
) -> None:
    job = job_of(owner, title="a.bin", state=state)

    text = owner_client.get(URL).text

    offered = {name for name in ("pause", "resume", "retry", "cancel") if f"/{job.pk}/{name}/" in text}
    assert offered == actions


def test_error_is_shown_with_code_and_request_id(
    owner_client: Client, owner: Person, job_of: Callable[..., Job]
) -> None:
    job_of(
        owner,
        title="a.bin",
        state=State.PARKED,
        error_message="The key may not write here.",
        error_code="AccessDenied",
        error_request_id="NjA1M2Fk",
    )

    text = owner_client.get(URL).text

    assert "The key may not write here." in text
    assert "AccessDenied" in text
    assert "NjA1M2Fk" in text


def test_hidden_characters_of_a_key_are_drawn(
    owner_client: Client, owner: Person, job_of: Callable[..., Job]
) -> None:
    job_of(owner, title="<b>\u202egnp.exe ")

    text = owner_client.get(URL).text

    assert "&lt;b&gt;" in text
    assert "U+202E" in text
    assert "␠" in text
    assert "\u202e" not in text


def test_fragment_holds_the_list_only(
    owner_client: Client, owner: Person, job_of: Callable[..., Job]
) -> None:
    job_of(owner, title="a.bin")

    response = owner_client.get(URL, headers={"HX-Request": "true"})

    assert response.text.strip().startswith('<div class="card" id="job-list"')
    assert "<html" not in response.text
    assert "HX-Request" in response["Vary"]


def test_pages_keep_the_filter(owner_client: Client, owner: Person, job_of: Callable[..., Job]) -> None:
    for number in range(PER_PAGE + 1):
        job_of(owner, title=f"{number}.bin", state=State.DONE)

    text = owner_client.get(URL, {"state": "done"}).text

    assert f"1–{PER_PAGE} of {PER_PAGE + 1} jobs" in text
    assert "?state=done&amp;page=2" in text


def test_queries_do_not_grow_with_jobs(
    owner_client: Client,
    owner: Person,
    job_of: Callable[..., Job],
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    for number in range(20):
        job_of(owner, title=f"{number}.bin", state=State.RUNNING)

    with django_assert_max_num_queries(6):  # type: ignore[attr-defined]
        owner_client.get(URL)


def test_empty_list_says_what_will_be_here(owner_client: Client, redis: str) -> None:
    assert "Nothing has run yet" in owner_client.get(URL).text


def test_post_is_refused(owner_client: Client) -> None:
    assert owner_client.post(URL).status_code == 405
