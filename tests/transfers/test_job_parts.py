"""What the page of a job tells of a copy: from where, to where, which way, and that it is the same."""

from __future__ import annotations

import html
import os
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Person
from apps.connections.models import Connection, ConnectionMember, Role
from apps.connections.services import store_for
from apps.jobs.models import Job
from apps.storage.types import ObjectRef
from apps.transfers.copying import copy_batch
from apps.transfers.finishing import transfer_complete, transfer_finish_claim
from apps.transfers.models import Transfer
from apps.transfers.services import copies
from tests.conftest import OTHER_ACCOUNT, REGION
from tests.transfers.conftest import MIB

pytestmark = pytest.mark.usefixtures("redis")

BODY = os.urandom(2 * MIB + 1)


@pytest.fixture
def start(
    writer: Person, connection: Connection, bucket: str, put: Callable[..., str]
) -> Callable[..., Transfer]:
    def begin(target: Connection, name: str, **wanted: Any) -> Transfer:
        put("from", BODY)
        return copies.copy_start(
            owner=writer,
            connection=target,
            source_connection=connection,
            source=ObjectRef(bucket, REGION, "from"),
            bucket=name,
            region=REGION,
            key="to",
            replace=False,
            wanted=copies.CopyWanted(parts_from=MIB, part_size=MIB, **wanted),
        )

    return begin


def run(transfer: Transfer) -> None:
    assert copy_batch(transfer_id=transfer.pk) is True
    assert transfer_finish_claim(transfer)
    transfer_complete(transfer_id=transfer.pk)


def page_of(client: Client, transfer: Transfer) -> str:
    return html.unescape(client.get(f"/jobs/{transfer.job_id}/transfer/").content.decode())


def test_copy_in_the_store_says_so_and_is_verified(
    writer_client: Client, start: Callable[..., Transfer], connection: Connection, bucket: str
) -> None:
    transfer = start(connection, bucket)
    begun = page_of(writer_client, transfer)

    run(transfer)

    ended = page_of(writer_client, transfer)
    transfer.refresh_from_db()
    assert "0 of 3" in begun
    assert "Verified" not in begun
    assert "3 of 3" in ended
    assert "Inside the store" in ended
    assert transfer.crc64 in ended
    assert "The copy has the CRC-64 of its source" in ended
    assert "Tags of the source" in ended
    assert f"/b/{connection.slug}/{bucket}/object/?key=to" in ended


def test_move_elsewhere_names_the_way_and_the_end_of_the_source(
    writer: Person,
    writer_client: Client,
    start: Callable[..., Transfer],
    other_connection: Connection,
    bucket: str,
) -> None:
    name = f"{bucket.rpartition('-')[0]}-{OTHER_ACCOUNT.appid}"
    store_for(other_connection).create_bucket(bucket=name, region=REGION)
    member = ConnectionMember.objects.create(person=writer, connection=other_connection, role=Role.WRITER)
    transfer = start(other_connection, name, is_move=True)

    run(transfer)
    page = page_of(writer_client, transfer)
    member.delete()
    page_of_somebody_shown_out = page_of(writer_client, transfer)

    assert "Through a worker" in page
    assert "deleted after the copy was verified" in page
    assert "Whoever owns the bucket of the copy" in page
    assert f"/b/{other_connection.slug}/{name}/object/" in page
    assert "/object/" not in page_of_somebody_shown_out


def test_job_of_many_files_adds_nothing(writer: Person, writer_client: Client) -> None:
    job = Job.objects.create(
        kind=Job.Kind.UPLOAD_MANY, feature="transfers", owner=writer, title="t", place="p"
    )

    response = writer_client.get(f"/jobs/{job.pk}/transfer/")

    assert (response.status_code, response.content) == (200, b"")


def test_job_of_somebody_else_does_not_exist(
    member_client: Client, start: Callable[..., Transfer], connection: Connection, bucket: str
) -> None:
    transfer = start(connection, bucket)

    assert member_client.get(f"/jobs/{transfer.job_id}/transfer/").status_code == 404


def test_connection_of_a_source_that_was_deleted_since_is_not_taken_for_the_copys_own(
    writer: Person,
    writer_client: Client,
    start: Callable[..., Transfer],
    connection: Connection,
    other_connection: Connection,
    bucket: str,
) -> None:
    ConnectionMember.objects.create(connection=other_connection, person=writer, role=Role.WRITER)
    name = f"{bucket.rpartition('-')[0]}-{OTHER_ACCOUNT.appid}"
    store_for(other_connection).create_bucket(bucket=name, region=REGION)
    transfer = start(other_connection, name)
    Transfer.objects.filter(pk=transfer.pk).update(source_connection=None)

    page = page_of(writer_client, transfer)

    assert f"{connection.slug} (deleted since): {bucket}" in page
    assert f"{other_connection.name}: {bucket}" not in page
