"""A job's failure is told in the person's language, with the store's own words beside it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Person
from apps.jobs.models import Job
from apps.jobs.services import job_create

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


@pytest.fixture
def parked(owner: Person) -> Job:
    job = job_create(
        kind=Job.Kind.COPY, feature="transfers", owner=owner, title="a", place="b", bytes_total=1
    )
    Job.objects.update(
        state=Job.State.PARKED, error_code="NoSuchKey", error_message="The specified key does not exist."
    )
    job.refresh_from_db()
    return job


def test_chinese_page_says_it_in_chinese(owner_client: Client, parked: Job) -> None:
    owner_client.cookies["console_language"] = "zh-hans"

    page = owner_client.get(reverse("jobs:detail", args=[parked.pk])).content.decode()

    assert "源对象已不存在。" in page
    assert "The specified key does not exist." in page


def test_unknown_code_keeps_the_stores_words(parked: Job) -> None:
    parked.error_code = "SomethingNew"

    assert parked.error_text == "The specified key does not exist."
    assert parked.error_said == ""
