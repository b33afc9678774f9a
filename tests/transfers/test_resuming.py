"""A file that is picked again: what it is compared with, and which uploads wait for one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Person
from apps.connections.models import Connection, ConnectionMember, Role
from apps.jobs.models import Job
from apps.storage.digest import crc64_update
from apps.transfers.models import Transfer, TransferPart
from apps.transfers.sending import part_send
from apps.transfers.services.resuming import transfer_digests, uploads_waiting
from tests.conftest import client_of
from tests.transfers.conftest import MIB, slice_put

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Transfer]


def digests_url(transfer: Transfer) -> str:
    return reverse("transfers:digests", args=[transfer.job_id])


def test_stored_parts_and_waiting_slices_are_compared(begin: Begin, content: bytes) -> None:
    transfer = begin(len(content))
    slice_put(transfer, 2, content[8 * MIB : 16 * MIB])
    part_send(transfer_id=transfer.pk, number=2)
    slice_put(transfer, 3, content[16 * MIB :])

    found = transfer_digests(transfer)

    assert [(part.number, part.first_byte, part.size) for part in found] == [
        (2, 8 * MIB, 8 * MIB),
        (3, 16 * MIB, len(content) - 16 * MIB),
    ]
    assert found[0].crc64 == str(crc64_update(content[8 * MIB : 16 * MIB]))
    assert found[1].crc64 == str(crc64_update(content[16 * MIB :]))


def test_part_of_which_no_digest_is_known_is_left_out(begin: Begin) -> None:
    transfer = begin(20 * MIB)
    TransferPart.objects.create(
        transfer=transfer, number=1, size=8 * MIB, etag="e", crc64="", stored_at=transfer.job.created_at
    )

    assert transfer_digests(transfer) == []


def test_digests_are_told_to_those_only_who_may_send(
    begin: Begin, owner: Person, owner_client: Client, writer_client: Client, stranger_client: Client
) -> None:
    url = digests_url(begin(20 * MIB))

    assert owner_client.get(url).json() == {"parts": []}
    assert writer_client.get(url).status_code == 404
    assert stranger_client.get(url).status_code == 404


def test_who_was_made_a_reader_since_is_refused(connection: Connection, writer: Person, begin: Begin) -> None:
    transfer = begin(20 * MIB)
    Job.objects.filter(pk=transfer.job_id).update(owner=writer)
    ConnectionMember.objects.filter(person=writer).update(role=Role.READER)

    assert client_of(writer).get(digests_url(transfer)).status_code == 403


def test_uploads_that_miss_slices_wait_for_their_file(
    begin: Begin, owner: Person, stranger: Person, content: bytes
) -> None:
    half, whole, ended = begin(20 * MIB, key="a/half"), begin(MIB, key="whole"), begin(MIB, key="ended")
    slice_put(half, 1, content[: 8 * MIB])
    slice_put(whole, 1, content[:MIB])
    Job.objects.filter(pk=ended.job_id).update(state=Job.State.CANCELED)

    found = uploads_waiting(owner)

    assert [(one.transfer.pk, one.received) for one in found] == [(half.pk, 1)]
    assert uploads_waiting(stranger) == []


def test_list_of_waiting_uploads_tells_what_a_file_is_recognized_by(
    begin: Begin, owner_client: Client, stranger_client: Client
) -> None:
    transfer = begin(20 * MIB, key="a/film 中文.mov")

    (found,) = owner_client.get(reverse("transfers:waiting")).json()["uploads"]

    assert (found["name"], found["size"]) == ("film 中文.mov", 20 * MIB)
    assert found["state_url"] == reverse("transfers:state", args=[transfer.job_id])
    assert stranger_client.get(reverse("transfers:waiting")).json() == {"uploads": []}
