"""The files of a batch, on the page of their batch and nowhere else."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.jobs.views import PER_PAGE
from apps.transfers.services.batches import uploads_open

pytestmark = pytest.mark.usefixtures("redis")
State = Job.State


@pytest.fixture
def batch(owner: Person, connection: Connection) -> Job:
    opened = uploads_open(
        owner=owner, connection=connection, bucket="media-1250000000", prefix="a b/中文/", files=9, size=9
    )
    return opened.job


def add(batch: Job, title: str, state: str = State.DONE) -> Job:
    return Job.objects.create(
        owner=batch.owner,
        title=title,
        parent=batch,
        state=state,
        kind="upload",
        feature="transfers",
        place="m",
    )


def test_lists_and_tray_show_the_batch_only(owner_client: Client, batch: Job) -> None:
    add(batch, "child.bin", State.RUNNING)

    for url in ("/jobs/", "/jobs/tray/"):
        text = owner_client.get(url).text
        assert str(batch.pk) in text
        assert "child.bin" not in text
    assert 'data-active="1"' in owner_client.get("/jobs/tray/").text


def test_page_of_the_batch_filters_its_files(owner_client: Client, batch: Job) -> None:
    add(batch, "stored.bin")
    add(batch, "stopped.bin", State.PARKED)
    waiting = add(batch, "moving.bin", State.RUNNING)

    everything = owner_client.get(f"/jobs/{batch.pk}/").text
    failed = owner_client.get(f"/jobs/{batch.pk}/", {"show": "failed"}).text

    assert all(name in everything for name in ("stored.bin", "stopped.bin", "moving.bin"))
    assert f'data-state-url="/transfers/{waiting.pk}/"' in everything
    assert "stopped.bin" in failed
    assert "stored.bin" not in failed


def test_files_are_paged_with_their_filter(owner_client: Client, batch: Job) -> None:
    for number in range(PER_PAGE + 1):
        add(batch, f"{number}.bin")

    text = owner_client.get(f"/jobs/{batch.pk}/", {"show": "done"}).text

    assert f"1–{PER_PAGE} of {PER_PAGE + 1} files" in text
    assert "?show=done&amp;page=2" in text


def test_fragment_keeps_the_filter(owner_client: Client, batch: Job) -> None:
    response = owner_client.get(f"/jobs/{batch.pk}/files/?show=done", headers={"HX-Request": "true"})

    assert response.text.strip().startswith('<section id="job-files"')
    assert f"/jobs/{batch.pk}/files/?show=done" in response.text


def test_place_leads_to_the_folder(owner_client: Client, connection: Connection, batch: Job) -> None:
    response = owner_client.get(f"/transfers/{batch.pk}/place/")

    assert response.status_code == 302
    path = f"/b/{connection.slug}/media-1250000000/objects/"
    assert response["Location"] == f"{path}?prefix=a%20b/%E4%B8%AD%E6%96%87/"


def test_nobody_sees_the_files_of_another(member_client: Client, batch: Job) -> None:
    assert member_client.get(f"/jobs/{batch.pk}/files/").status_code == 404
    assert member_client.get(f"/transfers/{batch.pk}/place/").status_code == 404
