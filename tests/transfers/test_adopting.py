"""Somebody's unfinished upload that another person goes on with, or completes as it is."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django.utils.http import urlencode

from apps.accounts.models import Person
from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.storage.digest import crc64_update
from apps.storage.errors import UploadNotFound
from apps.storage.store import ObjectStore
from apps.storage.types import FileSlice, ObjectHeaders, StoredPart
from apps.transfers import spool
from apps.transfers.finishing import transfer_abort, transfer_complete, transfer_finish_claim
from apps.transfers.models import Transfer, TransferPart
from apps.transfers.rules.parts import Stock, Unfit, ranges_text, stock_plan
from apps.transfers.sending import part_send
from apps.transfers.services.states import transfer_cancel
from tests.conftest import REGION
from tests.transfers.conftest import MIB, slice_put

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

KEY = "films/<b>& 中文.bin"
Part = Callable[[int, bytes], StoredPart]
Ask = Callable[..., Any]


@pytest.fixture
def upload_id(store: ObjectStore, bucket: str) -> str:
    """An upload that some program began."""
    return store.create_multipart_upload(bucket=bucket, region=REGION, key=KEY, headers=ObjectHeaders())


@pytest.fixture
def part(store: ObjectStore, bucket: str, upload_id: str) -> Part:
    def send(number: int, body: bytes) -> StoredPart:
        return store.upload_part(
            bucket=bucket,
            region=REGION,
            key=KEY,
            upload_id=upload_id,
            number=number,
            body=FileSlice(BytesIO(body), 0, len(body)),
        )

    return send


@pytest.fixture
def url(connection: Connection, bucket: str, upload_id: str) -> Callable[..., str]:
    def of(page: str, **query: Any) -> str:
        asked = urlencode({"key": KEY, "upload": upload_id, **query})
        return f"/b/{connection.slug}/{bucket}/unfinished/{page}/?{asked}"

    return of


@pytest.fixture
def ask(url: Callable[..., str]) -> Ask:
    """A function that asks to go on with a file, as the page's script does."""

    def send(client: Client, size: int, **compared: str) -> Any:
        seen = compared.pop("seen", "")
        of_parts = {number[1:]: crc for number, crc in compared.items()}
        body = {"size": size, "last_modified": 5, "compared": of_parts, "seen": seen}
        return client.post(url("continue"), json.dumps(body), content_type="application/json")

    return send


def crc(data: bytes) -> str:
    return str(crc64_update(data))


def finish(transfer: Transfer) -> None:
    assert transfer_finish_claim(transfer)
    transfer_complete(transfer_id=transfer.pk)


def read(store: ObjectStore, bucket: str) -> bytes:
    return b"".join(store.get_object(bucket=bucket, region=REGION, key=KEY))


def stock(*sizes: tuple[int, int]) -> Stock:
    return Stock(tuple(StoredPart(number, size, "e") for number, size in sizes))


@pytest.mark.parametrize(
    ("parts", "size", "part_size"),
    [
        ([], 20 * MIB, 8 * MIB),
        ([(1, 4 * MIB), (3, 4 * MIB)], 20 * MIB, 4 * MIB),
        ([(1, 4 * MIB), (2, MIB)], 5 * MIB, 4 * MIB),
        ([(1, 4 * MIB)], 4 * MIB, 4 * MIB),
        ([(1, 4 * MIB)], 4 * MIB + 1, 4 * MIB),
        ([(3, 7)], 8 * MIB + 7, 4 * MIB),
        ([(10_000, MIB)], 10_000 * MIB, MIB),
        ([(1, 3)], 3, 3),
    ],
)
def test_part_size_is_that_of_the_parts(parts: list[tuple[int, int]], size: int, part_size: int) -> None:
    assert stock_plan(stock(*parts), size=size).part_size == part_size


@pytest.mark.parametrize(
    ("parts", "size", "words"),
    [
        ([(1, 4 * MIB), (2, 3 * MIB), (3, 4 * MIB)], 20 * MIB, "different sizes"),
        ([(1, 4 * MIB), (2, 5 * MIB)], 20 * MIB, "larger than the others"),
        ([(1, 1000), (2, 1000)], 2500, "smaller than 1 MiB"),
        ([(1, 2000 * MIB), (2, 2000 * MIB)], 5000 * MIB, "1 GiB"),
        ([(1, 4 * MIB), (2, MIB)], 6 * MIB, "does not fit"),
        ([(4, 4 * MIB)], 9 * MIB, "does not fit"),
        ([(1, MIB), (2, MIB)], 10_001 * MIB, "does not fit"),
        ([(1, 4 * MIB)], 0, "empty"),
    ],
)
def test_parts_that_fit_no_such_file_are_named(parts: list[tuple[int, int]], size: int, words: str) -> None:
    with pytest.raises(Unfit, match=words):
        stock_plan(stock(*parts), size=size)


def test_holes_are_ranges() -> None:
    assert ranges_text(stock((2, 1), (3, 1), (7, 1), (9, 1)).holes) == "1, 4–6, 8"
    assert ranges_text([(n, n) for n in range(20)]) == "0, 1, 2, 3, 4, 5, …"


def test_upload_of_a_program_goes_on_with_the_file(
    store: ObjectStore, bucket: str, upload_id: str, part: Part, url: Any, ask: Ask, writer_client: Client
) -> None:
    content = os.urandom(5 * MIB + 7)
    part(1, content[: 2 * MIB])
    part(3, content[4 * MIB :])

    told = writer_client.get(url("digests", size=len(content))).json()
    answer = ask(writer_client, len(content), n1=crc(content[: 2 * MIB])).json()

    assert [(one["number"], one["first_byte"], one["crc64"]) for one in told["parts"]] == [
        (1, 0, ""),
        (3, 4 * MIB, ""),
    ]
    assert told["parts"][0]["md5"] == hashlib.md5(content[: 2 * MIB]).hexdigest()
    transfer = Transfer.objects.get(job=answer["job"])
    assert (transfer.upload_id, transfer.part_size, transfer.is_adopted) == (upload_id, 2 * MIB, True)
    assert (answer["received"], answer["parts"]) == ([1], 3)
    for number in (2, 3):
        slice_put(transfer, number, content[(number - 1) * 2 * MIB : number * 2 * MIB])
        part_send(transfer_id=transfer.pk, number=number)
    finish(transfer)
    assert read(store, bucket) == content
    assert Job.objects.get(pk=transfer.job_id).state == Job.State.DONE
    assert Entry.objects.get(verb="upload.adopt").key == KEY


def test_part_that_was_not_compared_is_sent_again(
    store: ObjectStore, bucket: str, part: Part, ask: Ask, writer_client: Client
) -> None:
    content = os.urandom(2 * MIB)
    part(1, bytes(MIB))

    answer = ask(writer_client, len(content)).json()
    transfer = Transfer.objects.get(job=answer["job"])
    for number in (1, 2):
        slice_put(transfer, number, content[(number - 1) * MIB : number * MIB])
        part_send(transfer_id=transfer.pk, number=number)
    finish(transfer)

    assert answer["received"] == []
    assert read(store, bucket) == content


def test_file_of_another_size_is_refused_and_nothing_changes(
    part: Part, ask: Ask, url: Any, writer_client: Client
) -> None:
    part(1, bytes(2 * MIB))
    part(2, bytes(MIB))

    assert "does not fit" in writer_client.get(url("digests", size=9 * MIB)).json()["error"]
    assert ask(writer_client, 9 * MIB).status_code == 409
    assert not Transfer.objects.exists()


def test_part_that_was_replaced_while_the_file_was_compared_is_told(
    part: Part, ask: Ask, url: Any, writer_client: Client
) -> None:
    content = os.urandom(2 * MIB)
    part(1, content)
    seen = writer_client.get(url("digests", size=4 * MIB)).json()["seen"]
    part(1, bytes(2 * MIB))

    refused = ask(writer_client, 4 * MIB, n1=crc(content), seen=seen)

    assert refused.status_code == 409
    assert "replaced a part" in refused.json()["error"]
    assert not Transfer.objects.exists()


def test_file_cannot_go_on_behind_an_empty_part(
    part: Part, ask: Ask, url: Any, writer_client: Client
) -> None:
    part(1, b"")

    assert writer_client.get(url("digests", size=5)).status_code == 409
    assert ask(writer_client, 5, n1="0").status_code == 409
    assert "is empty" in writer_client.get(url("upload")).content.decode()


def test_body_that_is_nested_without_end_is_refused(url: Any, writer_client: Client) -> None:
    body = "[" * 200_000

    assert writer_client.post(url("continue"), body, content_type="application/json").status_code == 400


TOO_LONG = "9" * 5000


@pytest.mark.parametrize(
    "compared",
    [
        {"nx": "1"},
        {"n1": "one"},
        {"n1": str(2**64)},
        {"n0": "1"},
        {"n1": TOO_LONG},
        {f"n{TOO_LONG}": "1"},
    ],
)
def test_digests_that_are_none_are_refused(ask: Ask, writer_client: Client, compared: dict[str, str]) -> None:
    assert ask(writer_client, MIB, **compared).status_code == 400


@pytest.fixture
def halted(begin: Callable[..., Transfer], content: bytes) -> Transfer:
    """An upload of the owner with one part, whose browser has been away for an hour."""
    transfer = begin(len(content))
    slice_put(transfer, 1, content[: 8 * MIB])
    part_send(transfer_id=transfer.pk, number=1)
    age(transfer)
    return transfer


def age(transfer: Transfer) -> None:
    before = timezone.now() - timedelta(hours=1)
    TransferPart.objects.filter(transfer=transfer).update(stored_at=before)
    Job.objects.filter(pk=transfer.job_id).update(created_at=before)


def halted_url(transfer: Transfer, page: str, **query: Any) -> str:
    asked = urlencode({"key": transfer.key, "upload": transfer.upload_id, **query})
    return f"/b/{transfer.connection.slug}/{transfer.bucket}/unfinished/{page}/?{asked}"


def go_on(client: Client, transfer: Transfer, **compared: str) -> Any:
    body = {"size": transfer.size, "compared": compared}
    return client.post(halted_url(transfer, "continue"), json.dumps(body), content_type="application/json")


def test_halted_upload_of_somebody_else_becomes_a_job_of_the_writer(
    halted: Transfer, content: bytes, writer: Person, writer_client: Client
) -> None:
    (told,) = writer_client.get(halted_url(halted, "digests", size=halted.size)).json()["parts"]

    answer = go_on(writer_client, halted, **{"1": told["crc64"]}).json()

    assert told["crc64"] == crc(content[: 8 * MIB])
    taken = Transfer.objects.select_related("job").get(job=answer["job"])
    assert (taken.job.owner, taken.upload_id) == (writer, halted.upload_id)
    assert taken.new_object.headers.content_type == "video/quicktime"
    former = Transfer.objects.select_related("job").get(pk=halted.pk)
    assert (former.job.state, former.job.error_code, former.upload_id) == ("canceled", "TakenOver", "")
    with pytest.raises(spool.SpoolClosed):
        spool.backlog(halted.pk)
    for number, first in ((2, 8), (3, 16)):
        slice_put(taken, number, content[first * MIB : (first + 8) * MIB])
        part_send(transfer_id=taken.pk, number=number)
    finish(taken)
    taken.refresh_from_db()
    assert taken.crc64 == crc(content)


def test_upload_that_somebody_sends_now_is_left_alone(
    begin: Callable[..., Transfer], writer_client: Client
) -> None:
    transfer = begin(20 * MIB)

    refused = go_on(writer_client, transfer)

    assert refused.status_code == 409
    assert "owner is sending this upload just now" in refused.json()["error"]
    assert Job.objects.get(pk=transfer.job_id).state == Job.State.QUEUED


def test_upload_whose_slice_arrives_slowly_is_left_alone(halted: Transfer, writer_client: Client) -> None:
    slow = Path(settings.SPOOL_DIR) / str(halted.pk) / f"2{spool.PARTIAL}"
    slow.write_bytes(b"so far")

    assert "is sending this upload" in go_on(writer_client, halted).json()["error"]


def test_direct_upload_is_taken_for_still_only_after_minutes(halted: Transfer, writer_client: Client) -> None:
    before = timezone.now() - timedelta(minutes=3)
    TransferPart.objects.update(stored_at=before)

    Transfer.objects.update(path=Transfer.Path.DIRECT)
    assert go_on(writer_client, halted).status_code == 409
    Transfer.objects.update(path=Transfer.Path.CONSOLE)
    assert go_on(writer_client, halted).status_code == 201


def test_own_upload_goes_on_where_its_job_is(halted: Transfer, owner_client: Client) -> None:
    assert "upload of your own" in go_on(owner_client, halted).json()["error"]


def test_second_person_does_not_meet_the_first_in_one_upload(
    part: Part, ask: Ask, writer_client: Client, owner_client: Client
) -> None:
    part(1, bytes(MIB))

    first, second = ask(writer_client, 3 * MIB), ask(owner_client, 3 * MIB)

    assert (first.status_code, second.status_code) == (201, 409)
    assert "writer is sending" in second.json()["error"]


def test_reader_and_stranger_go_on_with_nothing(
    ask: Ask, url: Any, member_client: Client, stranger_client: Client
) -> None:
    assert ask(member_client, MIB).status_code == 403
    assert ask(stranger_client, MIB).status_code == 404
    assert member_client.get(url("digests", size=1)).status_code == 403
    assert stranger_client.get(url("upload")).status_code == 404


def test_canceled_adoption_of_a_single_part_aborts_the_upload(
    store: ObjectStore, bucket: str, upload_id: str, part: Part, ask: Ask, writer_client: Client
) -> None:
    content = bytes(MIB)
    part(1, content)
    transfer = Transfer.objects.get(job=ask(writer_client, MIB, n1=crc(content)).json()["job"])

    transfer_cancel(transfer)
    transfer_abort(transfer_id=transfer.pk)

    assert Job.objects.get(pk=transfer.job_id).state == Job.State.CANCELED
    with pytest.raises(UploadNotFound):
        list(store.list_parts(bucket=bucket, region=REGION, key=KEY, upload_id=upload_id))


def typed(client: Client, url: str, **fields: str) -> dict[str, str]:
    seen = re.search(r'name="seen" value="([^"]+)"', client.get(url).content.decode())
    return {"seen": seen[1] if seen else "", **fields}


def test_parts_that_follow_each_other_become_an_object(
    store: ObjectStore, bucket: str, part: Part, url: Any, writer_client: Client
) -> None:
    content = os.urandom(4 * MIB)
    part(1, content[: 3 * MIB])
    part(2, content[3 * MIB :])
    complete = url("complete")

    shown = writer_client.get(complete).content.decode()
    response = writer_client.post(complete, typed(writer_client, complete))

    assert "4,194,304 bytes" in shown
    transfer = Transfer.objects.select_related("job").get()
    assert response.url == f"/jobs/{transfer.job_id}/"
    assert transfer.job.state == Job.State.FINISHING
    transfer_complete(transfer_id=transfer.pk)
    transfer_complete(transfer_id=transfer.pk)
    assert read(store, bucket) == content
    assert Job.objects.get(pk=transfer.job_id).state == Job.State.DONE


def test_hole_is_named_and_nothing_is_completed(part: Part, url: Any, writer_client: Client) -> None:
    part(1, bytes(MIB))
    part(3, bytes(MIB))

    page = writer_client.post(url("complete"), {"seen": "x"}).content.decode()

    assert "Parts are missing: 2." in page
    assert not Transfer.objects.exists()


def test_key_that_is_taken_asks_for_the_size(
    store: ObjectStore, bucket: str, put: Callable[..., str], part: Part, url: Any, writer_client: Client
) -> None:
    put(KEY, b"what was there")
    part(1, bytes(MIB))
    complete = url("complete")

    refused = writer_client.post(complete, typed(writer_client, complete)).content.decode()
    assert "Type 1048576 to confirm." in refused
    assert not Transfer.objects.exists()
    writer_client.post(complete, typed(writer_client, complete, size="1048576"))
    transfer_complete(transfer_id=Transfer.objects.get().pk)

    assert read(store, bucket) == bytes(MIB)


def test_part_that_came_since_the_look_is_told(part: Part, url: Any, writer_client: Client) -> None:
    part(1, bytes(MIB))
    complete = url("complete")
    sent = typed(writer_client, complete)
    part(2, bytes(MIB))

    assert "Look once more" in writer_client.post(complete, sent).content.decode()
    assert not Transfer.objects.exists()


def test_page_of_an_upload_says_what_is_there(part: Part, url: Any, member_client: Client) -> None:
    part(1, bytes(MIB))
    part(4, bytes(MIB))

    page = member_client.get(url("upload")).content.decode()
    row = member_client.get(url("parts"), headers={"HX-Request": "true"}).content.decode()

    assert "Missing: 2–3" in page
    assert "Missing: 2–3" in row
    assert "2 parts" in row
    assert "films/&lt;b&gt;" in page


def test_row_of_an_upload_that_ended_says_so(
    store: ObjectStore, bucket: str, upload_id: str, url: Any, member_client: Client
) -> None:
    store.abort_multipart_upload(bucket=bucket, region=REGION, key=KEY, upload_id=upload_id)

    row = member_client.get(url("parts"), headers={"HX-Request": "true"})

    assert row.status_code == 200
    assert "Ended in the meantime." in row.content.decode()
