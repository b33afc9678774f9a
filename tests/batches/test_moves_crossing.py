"""Moves of many that cross moves of one: of two objects that change places, at least one is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.batches.models import Batch, BatchObject
from apps.batches.running import run_batch
from apps.batches.selection import Selection
from apps.jobs.models import Job
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectRef
from apps.transfers.copying import copy_batch
from apps.transfers.finishing import transfer_finish_claim
from apps.transfers.models import Transfer
from apps.transfers.services.copies import CopyWanted, copy_start
from apps.transfers.tasks import complete_transfer
from tests.batches.conftest import confirmed, results
from tests.conftest import REGION

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

BODY = b"alike"
# The other one has stored its copy over the source, maybe in a later second than the list knows.
KEPT = (("failed", "TargetLeaves"), ("failed", "Changed"))


@pytest.fixture
def many(begin: Callable[..., Batch], put: Callable[..., str], bucket: str) -> Batch:
    """A confirmed move of one/a to two/a, that compared its copy when its worker was killed."""
    put("one/a", BODY)
    etag = put("two/a", BODY)
    batch = begin("rename", Selection(keys=("one/a",)), name="two/a", bucket=bucket, region=REGION)
    batch = confirmed(batch, collision="replace")
    BatchObject.objects.update(state="copied", after=f'{{"etag": "{etag}", "crc64": null}}')
    return batch


@pytest.fixture
def one(many: Batch, bucket: str) -> Transfer:
    """A move of two/a to one/a, of which only the end is left."""
    transfer = copy_start(
        owner=many.job.owner,
        connection=many.connection,
        source=ObjectRef(bucket, REGION, "two/a"),
        bucket=bucket,
        region=REGION,
        key="one/a",
        replace=True,
        wanted=CopyWanted(is_move=True),
    )
    assert copy_batch(transfer_id=transfer.pk) is True
    assert transfer_finish_claim(transfer)
    return transfer


def keys(store: ObjectStore, bucket: str) -> list[str]:
    return [found.key for found in store.list_objects(bucket=bucket, region=REGION).objects]


def test_move_of_many_that_meets_a_move_of_one_keeps_its_source(
    many: Batch, one: Transfer, store: ObjectStore, bucket: str
) -> None:
    run_batch(batch_id=many.pk)
    complete_transfer.apply(kwargs={"transfer_id": one.pk}, throw=True)

    one.job.refresh_from_db()
    assert results(many)["one/a"] in KEPT
    assert one.job.state == Job.State.DONE
    assert keys(store, bucket) == ["one/a"]


def test_move_of_one_that_meets_a_move_of_many_keeps_its_source(
    many: Batch, one: Transfer, store: ObjectStore, bucket: str
) -> None:
    complete_transfer.apply(kwargs={"transfer_id": one.pk}, throw=True)
    one.job.refresh_from_db()
    told = (one.job.state, one.job.error_code)
    run_batch(batch_id=many.pk)

    assert told == (Job.State.PARKED, "TargetLeaves")
    assert results(many)["one/a"] in KEPT
    assert keys(store, bucket) == ["one/a", "two/a"]


def test_source_that_was_stored_again_with_the_same_bytes_is_kept(
    many: Batch, store: ObjectStore, bucket: str
) -> None:
    # As if the object that is there now had been stored, with other headers, a minute after the list.
    BatchObject.objects.update(modified_at=timezone.now() - timedelta(minutes=1))

    run_batch(batch_id=many.pk)

    assert results(many) == {"one/a": ("failed", "Changed")}
    assert keys(store, bucket) == ["one/a", "two/a"]
