from __future__ import annotations

import uuid

import pytest
from django.test import Client

from apps.accounts.models import Person
from apps.jobs.models import Job


@pytest.fixture
def job(owner: Person, redis: str) -> Job:
    return Job.objects.create(
        kind="copy",
        feature="transfers",
        owner=owner,
        title="in/video.mov",
        place="media-1250000000 → archive-1250000000",
        state=Job.State.RUNNING,
        bytes_total=7 << 30,
    )


def test_owner_sees_the_job(owner_client: Client, job: Job) -> None:
    response = owner_client.get(f"/jobs/{job.pk}/")

    assert response.status_code == 200
    assert "in/video.mov" in response.text
    assert "media-1250000000 → archive-1250000000" in response.text
    assert "measuring…" in response.text


def test_member_gets_404(member_client: Client, job: Job) -> None:
    assert member_client.get(f"/jobs/{job.pk}/").status_code == 404


def test_stranger_gets_404(stranger_client: Client, job: Job) -> None:
    assert stranger_client.get(f"/jobs/{job.pk}/").status_code == 404


def test_unknown_job_gets_404(owner_client: Client, db: None) -> None:
    response = owner_client.get(f"/jobs/{uuid.uuid4()}/")

    assert response.status_code == 404
    assert "This page does not exist" in response.text


def test_fragment_holds_the_job_only(owner_client: Client, job: Job) -> None:
    response = owner_client.get(f"/jobs/{job.pk}/", headers={"HX-Request": "true"})

    assert response.text.strip().startswith('<div id="job-detail"')
