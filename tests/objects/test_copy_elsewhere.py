"""The form of a copy that leaves its connection: who may, where to, and what becomes of the source."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Person
from apps.connections.models import Connection, ConnectionMember, Role
from apps.connections.services import buckets_refresh, store_for
from apps.localstore.server import LocalStore
from apps.transfers.models import Transfer
from tests.conftest import OTHER_ACCOUNT, REGION

pytestmark = pytest.mark.usefixtures("redis")

Put = Callable[..., str]


@pytest.fixture
def other_bucket(other_connection: Connection, bucket: str) -> str:
    name = f"{bucket.rpartition('-')[0]}-{OTHER_ACCOUNT.appid}"
    store_for(other_connection).create_bucket(bucket=name, region=REGION)
    return name


def let_in(person: Person, connection: Connection, role: Role) -> None:
    ConnectionMember.objects.create(person=person, connection=connection, role=role)


def url_of(connection: Connection, bucket: str) -> str:
    return f"/b/{connection.slug}/{bucket}/object/copy/?key=from"


def page_of(response: Any) -> str:
    return html.unescape(response.content.decode())


def test_reader_of_the_source_may_copy_to_where_they_may_write(
    member: Person,
    member_client: Client,
    connection: Connection,
    other_connection: Connection,
    bucket: str,
    other_bucket: str,
    put: Put,
) -> None:
    put("from", b"1")
    let_in(member, other_connection, Role.WRITER)

    page = page_of(member_client.get(url_of(connection, bucket)))
    response = member_client.post(
        url_of(connection, bucket), {"bucket": f"other/{other_bucket}", "key": "to"}
    )

    transfer = Transfer.objects.get()
    assert "needs the role “Writer” there" in page
    assert response["Location"] == f"/jobs/{transfer.job_id}/"
    assert (transfer.connection, transfer.source_connection) == (other_connection, connection)
    assert (transfer.bucket, transfer.region, transfer.is_relayed) == (other_bucket, REGION, True)


def test_reader_of_the_source_may_not_move(
    member: Person,
    member_client: Client,
    connection: Connection,
    other_connection: Connection,
    bucket: str,
    other_bucket: str,
    put: Put,
) -> None:
    put("from", b"1")
    let_in(member, other_connection, Role.WRITER)
    sent = {"bucket": f"other/{other_bucket}", "key": "to", "action": "move"}

    page = page_of(member_client.post(url_of(connection, bucket), sent))

    assert "To delete the source you need the role “Writer” there." in page
    assert not Transfer.objects.exists()


@pytest.mark.parametrize("role", [None, Role.READER])
def test_bucket_that_may_not_be_written_cannot_be_chosen(
    writer: Person,
    writer_client: Client,
    connection: Connection,
    other_connection: Connection,
    bucket: str,
    other_bucket: str,
    put: Put,
    role: Role | None,
) -> None:
    put("from", b"1")
    if role is not None:
        let_in(writer, other_connection, role)

    for value in (f"other/{other_bucket}", "other/"):
        page = page_of(writer_client.post(url_of(connection, bucket), {"bucket": value, "key": "to"}))
        assert "field-error" in page

    assert not Transfer.objects.exists()
    assert (other_connection.name in page) is (role is not None)


def test_move_is_told_to_the_job(
    writer_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("from", b"1")

    writer_client.post(url_of(connection, bucket), {"bucket": bucket, "key": "to", "action": "move"})

    assert Transfer.objects.get().is_move


def test_connection_that_does_not_answer_says_so_and_the_others_stay(
    writer: Person,
    writer_client: Client,
    connection: Connection,
    other_connection: Connection,
    bucket: str,
    put: Put,
    local_store: LocalStore,
) -> None:
    put("from", b"1")
    let_in(writer, other_connection, Role.WRITER)
    buckets_refresh(connection)
    local_store.faults.add("error", operation="GetService", status=403, code="AccessDenied", count=None)

    response = writer_client.get(url_of(connection, bucket))

    page = page_of(response)
    assert response.status_code == 200
    assert 'value="other/"' in page
    assert f'value="{bucket}"' in page


def test_bucket_without_a_name_in_the_list_is_refused(
    writer_client: Client, connection: Connection, bucket: str, put: Put
) -> None:
    put("from", b"1")

    page = page_of(writer_client.post(url_of(connection, bucket), {"bucket": "nobody/nothing", "key": "to"}))

    assert "Select a valid choice" in page
