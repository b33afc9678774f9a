from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Person
from apps.batches import services
from apps.batches.models import Batch, BatchObject
from apps.batches.planning import plan_batch
from apps.batches.running import run_batch
from apps.batches.selection import Selection
from apps.connections.models import Connection
from apps.connections.services import connection_create, store_for
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from tests.conftest import OTHER_ACCOUNT, REGION


@pytest.fixture
def begin(owner: Person, connection: Connection, bucket: str) -> Callable[..., Batch]:
    """A function that begins a batch and lists what it is about."""

    def start(action: str, selection: Selection, **options: Any) -> Batch:
        batch = services.batch_create(
            owner=owner,
            connection=connection,
            bucket=bucket,
            region=REGION,
            action=action,
            selection=selection,
        )
        if batch.needs_options:
            target = options.pop("target", None)
            services.batch_options(batch, options, place=bucket, now=timezone.now(), target=target)
        return planned(batch)

    return start


@pytest.fixture
def elsewhere(owner: Person, local_store: LocalStore) -> Connection:
    """A second connection of the owner, to another account, whose key reads nothing of the first one."""
    return connection_create(
        owner=owner,
        name="Archive",
        scheme="http",
        connect_to=f"127.0.0.1:{local_store.port}",
        appid=OTHER_ACCOUNT.appid,
        secret_id=OTHER_ACCOUNT.secret_id,
        secret_key=OTHER_ACCOUNT.secret_key,
    )


@pytest.fixture
def archive(elsewhere: Connection) -> str:
    """A fresh bucket of the other connection."""
    name = f"x-{secrets.token_hex(4)}-{OTHER_ACCOUNT.appid}"
    store_for(elsewhere).create_bucket(bucket=name, region=REGION)
    return name


def planned(batch: Batch) -> Batch:
    assert plan_batch(batch_id=batch.pk) is True
    return fresh(batch)


def confirmed(batch: Batch, **options: Any) -> Batch:
    services.batch_confirm(batch, options, person=batch.job.owner, now=timezone.now())
    return fresh(batch)


def ran(batch: Batch, **options: Any) -> Batch:
    """Confirm a plan and work on it until it is done."""
    confirmed(batch, **options)
    assert run_batch(batch_id=batch.pk) is True
    return fresh(batch)


def fresh(batch: Batch) -> Batch:
    return Batch.objects.select_related("job__owner", "connection", "target_connection").get(pk=batch.pk)


def state_of(batch: Batch) -> str:
    return Job.objects.get(pk=batch.job_id).state


def results(batch: Batch) -> dict[str, tuple[str, str]]:
    """Return the state and the reason of each line by its key."""
    lines = BatchObject.objects.filter(batch=batch)
    return {line.key: (line.state, line.error_code) for line in lines}
