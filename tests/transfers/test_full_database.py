"""A database that takes nothing, as on a full disk: nothing is lost, and it goes on when there is room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from apps.jobs.models import Job
from apps.transfers import spool, tasks
from apps.transfers.models import Transfer
from tests.transfers.conftest import MIB, slice_put

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


@contextmanager
def database_full() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = 1")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = 0")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="The pragma is SQLite's.")
def test_slice_waits_until_the_database_has_room(
    begin: Callable[..., Transfer], monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = begin(20 * MIB)
    slice_put(transfer, 1, bytes(8 * MIB))
    Job.objects.update(state=Job.State.RUNNING)
    monkeypatch.setattr(tasks, "ATTEMPTS", 0)

    with database_full():
        tasks.send_part.apply(kwargs={"transfer_id": transfer.pk, "number": 1}, throw=True)
    waits = Job.objects.get(pk=transfer.job_id)

    assert waits.state == Job.State.RUNNING
    assert spool.slice_find(transfer.pk, 1) is not None
    tasks.send_part.apply(kwargs={"transfer_id": transfer.pk, "number": 1}, throw=True)
    assert transfer.parts.count() == 1
