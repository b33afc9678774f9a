from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.storage.errors import ObjectNotFound
from apps.storage.grants import EVERYONE, Grant, account_grantee
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag
from apps.transfers.copying import copy_batch
from apps.transfers.finishing import transfer_complete, transfer_finish_claim
from apps.transfers.models import Transfer
from tests.conftest import REGION

MIB = 1 << 20
pytestmark = pytest.mark.usefixtures("redis")
Put = Callable[..., str]


def url_of(connection: Connection, bucket: str, key: str) -> str:
    return f"/b/{connection.slug}/{bucket}/object/copy/?key={quote(key, safe='')}"


def copied(client: Client, connection: Connection, bucket: str, **options: Any) -> Any:
    return client.post(url_of(connection, bucket, "from"), {"bucket": bucket, "key": "to", **options})


def ended(response: Any) -> Transfer:
    """Do what the workers do for the copy that was begun."""
    transfer = Transfer.objects.get(job_id=response["Location"].strip("/").rpartition("/")[2])
    assert copy_batch(transfer_id=transfer.pk) is True
    assert transfer_finish_claim(transfer)
    transfer_complete(transfer_id=transfer.pk)
    return transfer


def head(store: ObjectStore, bucket: str) -> Any:
    return store.head_object(bucket=bucket, region=REGION, key="to")


def test_headers_class_and_access_of_the_copy_are_chosen(
    writer_client: Client, connection: Connection, bucket: str, put: Put, store: ObjectStore
) -> None:
    put("from", b"1", content_type="a/b", metadata={"old": "1"})

    response = copied(
        writer_client,
        connection,
        bucket,
        directive="replace",
        content_type="text/css",
        cache_control="no-cache",
        metadata="team: blue\nx-cos-meta-Owner: ana",
        storage_class="STANDARD_IA",
        acl="public-read",
        public="public",
        grant_read="100000000002",
    )

    ended(response)
    info = head(store, bucket)
    assert (info.content_type, info.storage_class) == ("text/css", "STANDARD_IA")
    assert info.metadata == {"team": "blue", "owner": "ana"}
    acl = store.get_object_acl(bucket=bucket, region=REGION, key="to")
    assert set(acl.explicit) == {Grant(EVERYONE, "READ"), Grant(account_grantee("100000000002"), "READ")}


def test_access_of_the_source_is_kept_when_wanted(
    writer_client: Client, connection: Connection, bucket: str, put: Put, store: ObjectStore
) -> None:
    put("from", b"1", content_type="a/b")
    store.put_object_acl(bucket=bucket, region=REGION, key="from", acl="public-read")

    ended(copied(writer_client, connection, bucket, acl="kept"))

    acl = store.get_object_acl(bucket=bucket, region=REGION, key="to")
    assert acl.explicit == (Grant(EVERYONE, "READ"),)
    assert head(store, bucket).content_type == "a/b"


@pytest.mark.parametrize(
    "condition",
    [
        {"if_match": "0" * 32},
        {"if_unmodified_since": "2020-01-01T00:00:00"},
        {"if_none_match": "ETAG"},
        {"version": "MTg0NDUx"},
    ],
    ids=range(4),
)
def test_source_that_is_not_as_wanted_is_not_copied(
    writer_client: Client,
    connection: Connection,
    bucket: str,
    put: Put,
    store: ObjectStore,
    condition: dict[str, str],
) -> None:
    etag = put("from", b"1")

    response = copied(
        writer_client,
        connection,
        bucket,
        **{name: value.replace("ETAG", etag) for name, value in condition.items()},
    )

    assert response.status_code in (200, 404)
    with pytest.raises(ObjectNotFound):
        head(store, bucket)
    if "version" not in condition:
        assert "The source is not what the conditions ask for." in response.content.decode()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"acl": "public-read"}, "Type the word public"),
        ({"content_type": "a/b"}, "Choose “Only those below”"),
        ({"directive": "replace", "metadata": "nonsense"}, "This name needs a value"),
        ({"directive": "replace", "metadata": "a: 1\na: 2"}, "a is there twice."),
        (
            {"directive": "replace", "metadata": f"a: {'x' * 1000}\nb: {'x' * 1020}\nc: {'x' * 900}"},
            "at most",
        ),
        ({"if_match": "a", "if_none_match": "b"}, "If-Match goes with"),
        ({"cache_control": "中", "directive": "replace"}, "Only ASCII is safe"),
        ({"acl": "kept", "grant_read": "100000000002"}, "Either keep the grants"),
        ({"grant_read": "ana"}, "is no account"),
        ({"part_size": "1 KiB"}, "A part has 1.00 MiB to"),
        ({"parts_from": "6 GiB"}, "one request can copy"),
        ({"part_size": "much"}, "Write a number and a unit"),
    ],
    ids=range(12),
)
def test_bad_option_gets_a_sentence_and_the_fold_is_open(
    writer_client: Client,
    connection: Connection,
    bucket: str,
    put: Put,
    options: dict[str, str],
    words: str,
) -> None:
    put("from", b"1")

    page = html.unescape(copied(writer_client, connection, bucket, **options).content.decode())

    assert words in page
    assert '<details class="fold copy-options" open>' in page


def test_taken_key_is_a_question_with_options_as_well(
    writer_client: Client, connection: Connection, bucket: str, put: Put, store: ObjectStore
) -> None:
    put("from", b"new")
    put("to", b"old")

    asked = copied(writer_client, connection, bucket, storage_class="STANDARD_IA")
    size_before = head(store, bucket).size
    replaced = copied(writer_client, connection, bucket, storage_class="STANDARD_IA", replace="on")

    assert "An object with this key exists already." in asked.content.decode()
    assert size_before == 3
    ended(replaced)
    assert head(store, bucket).storage_class == "STANDARD_IA"


def test_sizes_of_parts_are_those_that_were_typed(
    writer_client: Client, connection: Connection, bucket: str, put: Put, store: ObjectStore
) -> None:
    put("from", bytes(3 * MIB + 1))

    response = copied(writer_client, connection, bucket, parts_from="2 MiB", part_size="1 MiB", tags="a=b")

    transfer = ended(response)
    assert transfer.parts.count() == 4
    assert transfer.new_object.tags == (Tag("a", "b"),)
    assert head(store, bucket).size == 3 * MIB + 1
