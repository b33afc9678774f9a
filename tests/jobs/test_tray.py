from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person
from apps.jobs.models import Job
from apps.jobs.views import TRAY_ACTIVE_MAX

URL = "/jobs/tray/"


def create(owner: Person, title: str, **fields: object) -> Job:
    detail = {"kind": "upload", "feature": "transfers", "place": "media-1250000000", **fields}
    return Job.objects.create(owner=owner, title=title, **detail)


def test_counts_what_is_active(owner_client: Client, owner: Person, redis: str) -> None:
    create(owner, "running.bin", state=Job.State.RUNNING)
    create(owner, "parked.bin", state=Job.State.PARKED)
    create(owner, "done.bin", state=Job.State.DONE, finished_at=timezone.now())

    text = owner_client.get(URL).text

    assert 'data-active="2"' in text
    assert "done.bin" in text


def test_counts_more_than_it_shows(owner_client: Client, owner: Person, redis: str) -> None:
    for number in range(TRAY_ACTIVE_MAX + 1):
        create(owner, f"{number}.bin", state=Job.State.RUNNING)

    text = owner_client.get(URL).text

    assert f'data-active="{TRAY_ACTIVE_MAX + 1}"' in text
    assert text.count("<article") == TRAY_ACTIVE_MAX


def test_forgets_what_ended_long_ago(owner_client: Client, owner: Person, redis: str) -> None:
    create(owner, "done.bin", state=Job.State.DONE, finished_at=timezone.now() - timedelta(hours=2))

    assert "done.bin" not in owner_client.get(URL).text


def test_administrator_sees_own_jobs_only(
    stranger_client: Client, stranger: Person, owner: Person, redis: str
) -> None:
    stranger.is_superuser = True
    stranger.save()
    create(owner, "report.pdf", state=Job.State.RUNNING)

    assert "report.pdf" not in stranger_client.get(URL).text


def test_own_upload_says_where_its_slices_are_asked_for(
    owner_client: Client, owner: Person, redis: str
) -> None:
    job = create(owner, "video.mov", state=Job.State.RUNNING)

    assert f'data-state-url="/transfers/{job.pk}/"' in owner_client.get(URL).text
