"""What somebody chooses for the objects of an upload arrives on them, in one request and in parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.storage.grants import Permission
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag
from apps.transfers.finishing import transfer_complete, transfer_finish_claim
from apps.transfers.models import Transfer
from apps.transfers.sending import part_send
from tests.conftest import REGION
from tests.transfers.conftest import MIB, slice_put

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

CHOSEN = {
    "content_type": "text/html; charset=utf-8",
    "cache_control": "max-age=60",
    "content_disposition": 'attachment; filename="a.html"',
    "content_encoding": "identity",
    "content_language": "zh-CN",
    "expires": "2027-01-31",
    "metadata": "team: blue\nx-cos-meta-owner: ana",
    "tags": "colour=blue\nstage: test",
    "storage_class": "STANDARD_IA",
    "acl": "public-read",
    "public": "public",
    "grant_read": "100000000002, 100000000003/100000000004",
    "grant_read_acp": "100000000002",
    "grant_write_acp": "100000000005",
    "grant_full_control": "100000000006",
}


@pytest.fixture
def sheet_url(connection: Connection, bucket: str) -> str:
    return reverse("transfers:upload-sheet", args=[connection.slug, bucket])


@pytest.fixture
def start_url(connection: Connection, bucket: str) -> str:
    return reverse("transfers:upload-start", args=[connection.slug, bucket])


def start(client: Client, url: str, **body: Any) -> Any:
    return client.post(url, json.dumps(body), content_type="application/json")


def send(transfer: Transfer, content: bytes) -> None:
    for number in range(1, transfer.plan.count + 1):
        offset, length = transfer.plan.range_of(number)
        slice_put(transfer, number, content[offset : offset + length])
        part_send(transfer_id=transfer.pk, number=number)
    assert transfer_finish_claim(transfer)
    transfer_complete(transfer_id=transfer.pk)


@pytest.mark.parametrize("size", [5, 9 * MIB], ids=["one request", "parts"])
def test_everything_chosen_arrives_on_the_object(
    owner_client: Client, sheet_url: str, start_url: str, store: ObjectStore, bucket: str, size: int
) -> None:
    checked = owner_client.post(sheet_url, CHOSEN).json()
    answer = start(
        owner_client, start_url, key="a.html", size=size, type=checked["type"], options=checked["options"]
    )

    transfer = Transfer.objects.get(job=answer.json()["job"])
    send(transfer, bytes(size))

    place = {"bucket": bucket, "region": REGION, "key": "a.html"}
    info = store.head_object(**place)
    headers = {name.lower(): value for name, value in info.headers.items()}
    assert info.content_type == "text/html; charset=utf-8"
    assert headers["cache-control"] == "max-age=60"
    assert headers["content-disposition"] == 'attachment; filename="a.html"'
    assert headers["content-encoding"] == "identity"
    assert headers["content-language"] == "zh-CN"
    assert headers["expires"] == "Sun, 31 Jan 2027 00:00:00 GMT"
    assert (info.storage_class, info.metadata) == ("STANDARD_IA", {"team": "blue", "owner": "ana"})
    granted = {(grant.grantee.text, grant.permission) for grant in store.get_object_acl(**place).explicit}
    assert granted == {
        ("everyone", Permission.READ),
        ("account 100000000002", Permission.READ),
        ("sub-account 100000000003/100000000004", Permission.READ),
        ("account 100000000002", Permission.READ_ACP),
        ("account 100000000005", Permission.WRITE_ACP),
        ("account 100000000006", Permission.FULL_CONTROL),
    }
    said = Entry.objects.get(verb="object.upload").after
    assert "public-read" in said
    assert "account 100000000006: FULL_CONTROL" in said
    # Sent with the object; no operation of the console reads them back.
    assert transfer.new_object.tags == (Tag("colour", "blue"), Tag("stage", "test"))


def test_nothing_chosen_leaves_it_to_the_store(
    owner_client: Client, sheet_url: str, start_url: str, store: ObjectStore, bucket: str
) -> None:
    checked = owner_client.post(sheet_url, {}).json()
    answer = start(owner_client, start_url, key="a", size=1, type="image/png", options=checked["options"])

    send(Transfer.objects.get(job=answer.json()["job"]), b"1")

    info = store.head_object(bucket=bucket, region=REGION, key="a")
    assert (checked["type"], info.content_type, info.storage_class) == ("", "image/png", "STANDARD")
    assert store.get_object_acl(bucket=bucket, region=REGION, key="a").is_inherited


@pytest.mark.parametrize(
    "name", ["private", "authenticated-read", "bucket-owner-read", "bucket-owner-full-control"]
)
def test_every_canned_access_is_taken(
    owner_client: Client, sheet_url: str, start_url: str, store: ObjectStore, bucket: str, name: str
) -> None:
    checked = owner_client.post(sheet_url, {"acl": name, "public": "public"}).json()
    answer = start(owner_client, start_url, key="a", size=1, options=checked["options"])

    send(Transfer.objects.get(job=answer.json()["job"]), b"1")

    assert not store.get_object_acl(bucket=bucket, region=REGION, key="a").is_inherited


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("content_type", "html", "text/plain"),
        ("cache_control", "héllo", "ASCII"),
        ("content_disposition", "x" * 2000, "at most"),
        ("expires", "some day", "no date"),
        ("metadata", "Team blue: 1", "small letters"),
        ("metadata", "a: 1\na: 2", "twice"),
        ("metadata", "a: " + "x" * 1000 + "\nb: " + "y" * 1000 + "\nc: " + "z" * 100, "at most 2048"),
        ("tags", "qcs:a=1", "keeps such keys"),
        ("tags", "a;=1", "not allowed"),
        ("tags", "\n".join(f"k{number}=1" for number in range(11)), "at most 10"),
        ("storage_class", "FLOPPY", "FLOPPY"),
        ("acl", "public-read-write", "public-read-write"),
        ("grant_read", "ana", "uin"),
        ("grant_full_control", "1000000000012/", "uin"),
    ],
)
def test_mistake_is_a_sentence_beside_its_field(
    owner_client: Client, sheet_url: str, field: str, value: str, words: str
) -> None:
    response = owner_client.post(sheet_url, {**CHOSEN, field: value})

    assert response.status_code == 422
    assert set(response.json()["errors"]) == {field}
    assert words in " ".join(response.json()["errors"][field])


@pytest.mark.parametrize("acl", ["public-read", "authenticated-read"])
@pytest.mark.parametrize("word", ["", "yes"])
def test_strangers_are_let_in_only_by_a_typed_word(
    owner_client: Client, sheet_url: str, acl: str, word: str
) -> None:
    response = owner_client.post(sheet_url, {"acl": acl, "public": word})

    assert response.status_code == 422
    assert set(response.json()["errors"]) == {"public"}


def test_what_was_checked_counts_for_that_person_and_bucket_only(
    owner_client: Client, writer_client: Client, sheet_url: str, start_url: str, connection: Connection
) -> None:
    token = owner_client.post(sheet_url, CHOSEN).json()["options"]
    elsewhere = reverse("transfers:upload-start", args=[connection.slug, "other-1250000000"])

    for client, url, options in (
        (writer_client, start_url, token),
        (owner_client, elsewhere, token),
        (owner_client, start_url, token[:-1]),
        (owner_client, start_url, '{"acl": "public-read"}'),
    ):
        response = start(client, url, key="a", size=1, options=options)

        assert response.status_code == 400
        assert "Choose the file again" in response.json()["error"]
    assert Job.objects.count() == 0


def test_sheet_offers_everything_a_new_object_can_get(owner_client: Client, sheet_url: str) -> None:
    page = owner_client.get(sheet_url).content.decode()

    assert all(f'name="{name}"' in page for name in CHOSEN)
    assert escape('{"cache_control": "no-cache"}') in page
    assert "<html" not in page


def test_reader_is_refused_and_stranger_sees_nothing(
    member_client: Client, writer_client: Client, stranger_client: Client, sheet_url: str
) -> None:
    statuses: list[Callable[[Client], int]] = [
        lambda client: client.get(sheet_url).status_code,
        lambda client: client.post(sheet_url, CHOSEN).status_code,
    ]

    assert [ask(writer_client) for ask in statuses] == [200, 200]
    assert [ask(member_client) for ask in statuses] == [403, 403]
    assert [ask(stranger_client) for ask in statuses] == [404, 404]
