"""The way from a selection to a job: every page, every role, and the words that have to be typed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from apps.batches.models import Batch
from apps.batches.planning import plan_batch
from apps.batches.running import run_batch
from apps.connections.models import Connection, ConnectionMember
from apps.jobs.models import Job
from tests.batches.conftest import fresh, planned

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Put = Callable[..., str]


def create(client: Client, connection: Connection, bucket: str, **fields: object) -> object:
    return client.post(reverse("batches:create", args=[connection.slug, bucket]), fields)


@pytest.fixture
def batch(owner_client: Client, connection: Connection, bucket: str, put: Put) -> Batch:
    """The plan of deleting a folder of two, as a person gets to it."""
    put("a b/1")
    put("a b/=2")
    create(owner_client, connection, bucket, action="delete", scope="keys", folder="a%20b/")
    return planned(Batch.objects.get())


def test_selection_leads_to_a_plan_with_its_figures(owner_client: Client, batch: Batch) -> None:
    page = owner_client.get(reverse("batches:plan", args=[batch.job_id])).content.decode()

    assert "Type the number of objects: 2" in page
    assert "a b/" in page


def test_plan_that_is_being_listed_says_so(
    owner_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("a/1")
    create(owner_client, connection, bucket, action="delete", scope="keys", key="a/1")
    job = Batch.objects.get().job_id

    page = owner_client.get(reverse("batches:plan", args=[job])).content.decode()
    fragment = owner_client.get(reverse("batches:plan", args=[job]), headers={"HX-Request": "true"})

    assert "The objects are being listed." in page
    assert fragment.content.decode().strip().startswith('<div id="batch-plan" hx-get')


@pytest.mark.parametrize("typed", ["", "3", "two", "22"])
def test_wrong_number_is_refused(owner_client: Client, batch: Batch, typed: str) -> None:
    response = owner_client.post(reverse("batches:plan", args=[batch.job_id]), {"typed": typed})

    assert "field-error" in response.content.decode()
    assert fresh(batch).job.state == Job.State.PLANNED


def test_number_starts_it_once(owner_client: Client, batch: Batch) -> None:
    url = reverse("batches:plan", args=[batch.job_id])

    first = owner_client.post(url, {"typed": "2"})
    second = owner_client.post(url, {"typed": "2"})

    assert first.status_code == second.status_code == 302
    assert fresh(batch).job.state == Job.State.QUEUED
    assert run_batch(batch_id=batch.pk) is True


def test_receipts_hold_every_object_and_no_formula(owner_client: Client, batch: Batch) -> None:
    owner_client.post(reverse("batches:plan", args=[batch.job_id]), {"typed": "2"})
    run_batch(batch_id=batch.pk)

    sheet = owner_client.get(reverse("batches:receipt", args=[batch.job_id, "csv"])).getvalue().decode()
    document = json.loads(
        owner_client.get(reverse("batches:receipt", args=[batch.job_id, "json"])).getvalue()
    )

    rows = list(csv.reader(io.StringIO(sheet.removeprefix("\ufeff"))))
    assert [row[:2] for row in rows[-2:]] == [["a b/1", "done"], ["a b/=2", "done"]]
    assert document["person"] == "owner"
    assert [line["key"] for line in document["objects"]] == ["a b/1", "a b/=2"]


def test_cell_that_begins_like_a_formula_is_disarmed(
    owner_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    keys = ["=1+1", "+a", "-b", "@c"]
    for key in keys:
        put(key)
    create(owner_client, connection, bucket, action="delete", scope="keys", key=keys)
    batch = planned(Batch.objects.get())

    sheet = owner_client.get(reverse("batches:receipt", args=[batch.job_id, "csv"])).getvalue().decode()

    assert [row[0] for row in list(csv.reader(io.StringIO(sheet)))[-4:]] == [f"'{key}" for key in keys]


def test_ledger_is_filtered_and_paged(owner_client: Client, batch: Batch) -> None:
    url = reverse("batches:ledger", args=[batch.job_id])

    assert "a b/" in owner_client.get(url).content.decode()
    assert "No object is here" in owner_client.get(url, {"state": "failed"}).content.decode()


def test_job_page_calls_many_objects_a_selection(owner_client: Client, batch: Batch) -> None:
    page = owner_client.get(reverse("jobs:detail", args=[batch.job_id])).content.decode()

    assert "<dt>Selection</dt>" in page
    assert "<dt>Key</dt>" not in page


def test_job_page_loads_what_became_of_the_objects(owner_client: Client, batch: Batch) -> None:
    parts = reverse("batches:job-parts", args=[batch.job_id])

    assert parts in owner_client.get(reverse("jobs:detail", args=[batch.job_id])).content.decode()
    assert "Look at the plan" in owner_client.get(parts).content.decode()


@pytest.mark.parametrize(
    ("action", "scope", "fields", "sentence"),
    [
        ("delete", "keys", {}, "Nothing is selected"),
        ("delete", "match", {}, "every object of the bucket"),
        ("rename", "keys", {"key": ["a", "b"]}, "One at a time"),
        ("delete", "match", {"prefix": "a/", "min_size": "lots"}, "Write a number and a unit"),
    ],
)
def test_selection_that_cannot_be_is_told_on_the_list(
    owner_client: Client,
    connection: Connection,
    bucket: str,
    action: str,
    scope: str,
    fields: dict[str, object],
    sentence: str,
) -> None:
    url = reverse("batches:create", args=[connection.slug, bucket])

    page = owner_client.post(url, {"action": action, "scope": scope, **fields}, follow=True)

    assert sentence in page.content.decode()
    assert Batch.objects.count() == 0


def test_more_than_can_be_marked_is_told_in_words(
    owner_client: Client, connection: Connection, bucket: str
) -> None:
    url = reverse("batches:create", args=[connection.slug, bucket])
    data = {"action": "delete", "scope": "keys", "key": [f"k{at}" for at in range(12_000)]}

    page = owner_client.post(url, data, follow=True)

    assert "Choose all that match instead." in page.content.decode()


def test_reader_may_not_begin_nor_confirm(
    member_client: Client, connection: Connection, bucket: str, batch: Batch
) -> None:
    begun = create(member_client, connection, bucket, action="delete", scope="keys", key="a")

    assert begun.status_code == 403  # type: ignore[attr-defined]
    assert member_client.get(reverse("batches:plan", args=[batch.job_id])).status_code == 404


def test_writer_who_became_a_reader_may_not_confirm(
    writer_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("a/1")
    create(writer_client, connection, bucket, action="delete", scope="keys", key="a/1")
    batch = planned(Batch.objects.get())
    ConnectionMember.objects.update(role=1)
    url = reverse("batches:plan", args=[batch.job_id])

    assert writer_client.post(url, {"typed": "1"}).status_code == 403
    ConnectionMember.objects.all().delete()
    assert writer_client.get(url).status_code == 404


def test_plan_can_be_made_anew_and_thrown_away(owner_client: Client, batch: Batch, put: Put) -> None:
    put("a b/3")

    owner_client.post(reverse("batches:replan", args=[batch.job_id]))

    again = Batch.objects.exclude(pk=batch.pk).get()
    assert plan_batch(batch_id=again.pk) is True
    assert fresh(again).figures["objects"] == 3
    assert fresh(batch).job.state == Job.State.CANCELED
    owner_client.post(reverse("batches:cancel", args=[again.job_id]))
    assert fresh(again).job.state == Job.State.CANCELING
