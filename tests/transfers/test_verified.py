"""What an object was compared by, and that its page says so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.storage.digest import crc64_update
from apps.storage.errors import Corrupted
from apps.storage.store import ObjectStore
from apps.storage.types import StoredObject, StoredPart
from apps.transfers import sending, spool
from apps.transfers.finishing import transfer_complete, transfer_finish_claim
from apps.transfers.models import Transfer
from apps.transfers.sending import part_send
from apps.transfers.verifying import Verification, Verified, verification_for, verification_of
from tests.conftest import REGION
from tests.transfers.conftest import slice_put

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Transfer]
PART = StoredPart(number=1, size=3, etag="900150983cd24fb0d6963f7d28e17f72", crc64="7")
DONE = StoredObject(etag="x", crc64="7")


@pytest.fixture
def made(begin: Begin, content: bytes) -> Transfer:
    """An upload in three parts that went through the console."""
    transfer = begin(len(content))
    for number in range(1, transfer.plan.count + 1):
        offset, length = transfer.plan.range_of(number)
        slice_put(transfer, number, content[offset : offset + length])
        part_send(transfer_id=transfer.pk, number=number)
    assert transfer_finish_claim(transfer)
    transfer_complete(transfer_id=transfer.pk)
    transfer.refresh_from_db()
    return transfer


def page_of(client: Client, connection: Connection, bucket: str, key: str) -> str:
    return client.get(f"/b/{connection.slug}/{bucket}/object/?key={key}").content.decode()


def test_object_page_says_what_was_compared(
    owner_client: Client, member_client: Client, connection: Connection, bucket: str, made: Transfer
) -> None:
    assert made.verified == Verified.WHOLE

    page = page_of(owner_client, connection, bucket, made.key)

    assert "3 parts and the whole compared by CRC-64" in page
    assert f"/jobs/{made.job_id}/" in page
    # Everybody may know what was compared, but the job is somebody's own.
    page = page_of(member_client, connection, bucket, made.key)
    assert "3 parts and the whole compared by CRC-64" in page
    assert f"/jobs/{made.job_id}/" not in page


def test_object_that_replaced_it_is_not_called_verified(
    owner_client: Client,
    connection: Connection,
    bucket: str,
    store: ObjectStore,
    made: Transfer,
    put: Callable[..., str],
) -> None:
    put(made.key, b"somebody else's")

    info = store.head_object(bucket=bucket, region=REGION, key=made.key)

    assert verification_for(connection, bucket=bucket, info=info) is None
    assert "compared by CRC-64" not in page_of(owner_client, connection, bucket, made.key)


@pytest.mark.parametrize(
    ("part", "stored", "expected", "verified"),
    [
        (PART, DONE, "7", Verified.WHOLE),
        (PART, replace(DONE, crc64=None), "7", Verified.PARTS),
        (replace(PART, crc64=None), replace(DONE, crc64=None), "", Verified.MD5),
        (replace(PART, crc64=None, etag="opaque"), replace(DONE, crc64=None), "", Verified.NOTHING),
        (replace(PART, crc64=None), DONE, "", Verified.MD5),
    ],
)
def test_what_a_store_sends_decides(
    begin: Begin, part: StoredPart, stored: StoredObject, expected: str, verified: Verified
) -> None:
    transfer = begin(3)

    assert verification_of(transfer, [part], stored, expected=expected) == verified


@pytest.mark.parametrize("field", [{"is_adopted": True}, {"path": Transfer.Path.DIRECT}])
def test_parts_that_no_worker_saw_are_not_called_verified(begin: Begin, field: dict[str, object]) -> None:
    transfer = begin(3)
    Transfer.objects.filter(pk=transfer.pk).update(**field)
    transfer.refresh_from_db()

    found = verification_of(transfer, [PART], replace(DONE, crc64=None), expected="7")

    assert found == Verified.NOTHING
    assert not Verification(transfer=transfer, parts=1).is_certain


def test_part_is_compared_by_md5_where_the_store_sends_no_crc(begin: Begin) -> None:
    transfer = begin(3)
    slice_put(transfer, 1, b"abc")
    waiting = spool.slice_find(transfer.pk, 1)
    assert waiting is not None
    assert waiting.crc64 == crc64_update(b"abc")
    right = StoredPart(number=1, size=3, etag=hashlib.md5(b"abc").hexdigest())

    with spool.slice_hold(waiting) as file:
        assert file is not None
        sending._verify(right, waiting, file)
        sending._verify(replace(right, etag="opaque-1"), waiting, file)
        with pytest.raises(Corrupted, match="MD5"):
            sending._verify(replace(right, etag=hashlib.md5(b"abd").hexdigest()), waiting, file)
