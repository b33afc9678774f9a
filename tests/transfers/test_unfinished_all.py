"""Unfinished uploads of a whole connection, found by age and initiator, counted and priced."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person
from apps.connections.models import Connection, ConnectionMember, Role
from apps.connections.services import ConnectionInUse, connection_delete
from apps.jobs.models import Job
from apps.jobs.services import job_move
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
from apps.storage.types import FileSlice, ObjectHeaders
from apps.transfers.models import PartsPrice, UploadWalk
from apps.transfers.rules.costs import Price
from apps.transfers.services import unfinished
from apps.transfers.services.unfinished import Which
from apps.transfers.services.upload_walks import abort_start, count_start, walk_batch, walk_resume
from tests.conftest import REGION
from tests.pages import hrefs_of, link_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

MIB = 1 << 20
FRAGMENT = {"HX-Request": "true"}


def begin(store: ObjectStore, bucket: str, key: str, *parts: int) -> str:
    upload = store.create_multipart_upload(bucket=bucket, region=REGION, key=key, headers=ObjectHeaders())
    for number, size in enumerate(parts, 1):
        body = FileSlice(BytesIO(bytes(size)), 0, size)
        store.upload_part(bucket=bucket, region=REGION, key=key, upload_id=upload, number=number, body=body)
    return upload


@pytest.fixture
def second(store: ObjectStore, bucket: str) -> str:
    name = bucket.replace("t-", "u-", 1)
    store.create_bucket(bucket=name, region=REGION)
    return name


def all_url(connection: Connection, page: str = "", query: str = "") -> str:
    return f"/connections/{connection.slug}/unfinished/{page}{query}"


def test_uploads_of_all_buckets_are_listed_with_their_bucket(
    member_client: Client, connection: Connection, store: ObjectStore, bucket: str, second: str
) -> None:
    begin(store, bucket, "one")
    begin(store, second, "two")

    page = member_client.get(all_url(connection)).content.decode()

    assert bucket in page
    assert second in page
    assert {f"/b/{connection.slug}/{name}/unfinished/upload/" for name in (bucket, second)} <= {
        href.partition("?")[0] for href in hrefs_of(page)
    }


def test_bucket_that_cannot_be_listed_is_said(
    owner_client: Client,
    connection: Connection,
    store: ObjectStore,
    bucket: str,
    second: str,
    local_store: LocalStore,
) -> None:
    begin(store, bucket, "seen")
    begin(store, second, "seen")
    local_store.faults.add(
        "error", operation="ListMultipartUploads", status=403, code="AccessDenied", count=1
    )

    page = owner_client.get(all_url(connection)).content.decode()

    assert page.count("could not be listed") == 1
    assert "AccessDenied" in page
    assert ">seen<" in page


def test_pages_go_on_in_the_next_bucket(
    owner_client: Client,
    connection: Connection,
    store: ObjectStore,
    bucket: str,
    second: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unfinished, "PAGE_SIZE", 2)
    keys = {f"k{number}" for number in range(5)}
    for number, key in enumerate(sorted(keys)):
        begin(store, bucket if number < 3 else second, key)

    url, seen = all_url(connection), []
    for _page in range(50):
        page = owner_client.get(url).content.decode()
        ours = [href for href in hrefs_of(page) if "/upload/" in href and (bucket in href or second in href)]
        seen += dict.fromkeys(ours)
        if 'rel="next"' not in page:
            break
        url = link_of(page, "next")

    assert len(seen) == len(set(seen)) == 5


def test_uploads_are_found_by_who_began_them_and_by_age(
    owner_client: Client, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    begin(store, bucket, "mine")
    url = f"/b/{connection.slug}/{bucket}/unfinished/"

    assert "mine" in owner_client.get(f"{url}?by=100000000001&sort=age").content.decode()
    assert "No unfinished upload fits." in owner_client.get(f"{url}?by=nobody").content.decode()
    assert "No unfinished upload fits." in owner_client.get(f"{url}?age=1").content.decode()


def test_many_of_one_key_are_folded(
    owner_client: Client, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    for _number in range(7):
        begin(store, bucket, "again")
    url = f"/b/{connection.slug}/{bucket}/unfinished/"

    folded = owner_client.get(url).content.decode()
    unfolded = owner_client.get(f"{url}?prefix=again").content.decode()

    assert "4 more of this key on this page" in folded
    assert folded.count('name="chosen"') == 3
    assert unfolded.count('name="chosen"') == 7


def test_parts_are_counted_and_priced(
    member: Person,
    member_client: Client,
    connection: Connection,
    store: ObjectStore,
    bucket: str,
    second: str,
) -> None:
    begin(store, bucket, "one", MIB, MIB)
    begin(store, second, "two", MIB)
    url = all_url(connection, "count/")
    member_client.post("/transfers/price/", {"amount": "1000", "currency": "元"})

    member_client.post(url, headers=FRAGMENT)
    member_client.post(url, headers=FRAGMENT)
    walk = UploadWalk.objects.get()
    assert walk_batch(walk_id=walk.pk) is True
    assert walk_batch(walk_id=walk.pk) is None
    counted = member_client.get(url, headers=FRAGMENT).content.decode()

    walk.refresh_from_db()
    assert walk.parts >= 3
    assert walk.size >= 3 * MIB
    assert "元 a month" in counted
    assert PartsPrice.objects.get(person=member).currency == "元"


def test_price_that_is_none_is_said(member_client: Client, connection: Connection, bucket: str) -> None:
    here = f"/b/{connection.slug}/{bucket}/unfinished/"

    page = member_client.post(
        "/transfers/price/", {"amount": "cheap", "next": here}, follow=True
    ).content.decode()

    assert "The price was not kept." in page
    assert not PartsPrice.objects.exists()


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 ¥"), (1, "< 0.01 ¥"), (1 << 30, "0.12 ¥"), (10_000 << 30, "1,180.00 ¥")]
)
def test_cost_is_of_a_month(size: int, text: str) -> None:
    assert Price(Decimal("0.118"), "¥").text(size) == text


def test_uploads_of_all_buckets_are_aborted_as_a_job(
    owner_client: Client, connection: Connection, store: ObjectStore, bucket: str, second: str
) -> None:
    begin(store, bucket, "mark/one", MIB)
    begin(store, second, "mark/two")
    url = all_url(connection, "abort-all/", "?age=0&prefix=mark/")

    page = owner_client.get(url).content.decode()
    seen = page.split('name="seen" value="')[1].split('"')[0]
    owner_client.post(url, {"count": "2", "seen": seen})
    walk = UploadWalk.objects.get()
    walk_batch(walk_id=walk.pk)

    assert "They keep 1.00 MiB." in page
    assert store.list_multipart_uploads(bucket=bucket, region=REGION).uploads == ()
    assert store.list_multipart_uploads(bucket=second, region=REGION).uploads == ()
    assert Job.objects.get(pk=walk.job_id).objects_done == 2


def test_job_that_aborts_is_paused_resumed_and_canceled(
    owner_client: Client,
    stranger_client: Client,
    connection: Connection,
    store: ObjectStore,
    bucket: str,
    second: str,
) -> None:
    begin(store, bucket, "stay/one")
    url = all_url(connection, "abort-all/", "?age=0&prefix=stay/")
    seen = owner_client.get(url).content.decode().split('name="seen" value="')[1].split('"')[0]
    owner_client.post(url, {"count": "1", "seen": seen})
    walk = UploadWalk.objects.get()

    def ask(client: Client, action: str) -> Any:
        return client.post(f"/unfinished/{walk.job_id}/{action}/")

    assert ask(stranger_client, "cancel").status_code == 404
    ask(owner_client, "pause")
    assert walk_batch(walk_id=walk.pk) is None
    ask(owner_client, "resume")
    ask(owner_client, "cancel")
    assert walk_batch(walk_id=walk.pk) is None

    assert Job.objects.get(pk=walk.job_id).state == Job.State.CANCELED
    assert len(store.list_multipart_uploads(bucket=bucket, region=REGION).uploads) == 1


@pytest.fixture
def walk(writer: Person, connection: Connection, bucket: str) -> UploadWalk:
    """An abort that a writer started, of all that is in the bucket."""
    return abort_start(
        connection,
        person=writer,
        bucket=bucket,
        which=Which(),
        before=timezone.now() + timedelta(days=1),
        expected=2,
    )


def test_job_that_is_paused_at_its_last_page_ends_when_it_goes_on(walk: UploadWalk) -> None:
    walk.places = []
    walk.save()
    job_move(walk.job_id, to=Job.State.PAUSED, frm=[Job.State.QUEUED])

    assert walk_batch(walk_id=walk.pk) is None
    assert UploadWalk.objects.get().finished_at is None
    walk_resume(walk)
    assert walk_batch(walk_id=walk.pk) is True

    assert Job.objects.get(pk=walk.job_id).state == Job.State.DONE


def test_who_may_write_no_more_lets_no_abort_go_on(
    writer: Person, writer_client: Client, walk: UploadWalk
) -> None:
    job_move(walk.job_id, to=Job.State.PAUSED, frm=[Job.State.QUEUED])
    ConnectionMember.objects.filter(person=writer).update(role=Role.READER)

    assert writer_client.post(f"/unfinished/{walk.job_id}/resume/").status_code == 403
    assert writer_client.post(f"/unfinished/{walk.job_id}/retry/").status_code == 403

    assert Job.objects.get(pk=walk.job_id).state == Job.State.PAUSED


def test_job_that_had_to_leave_something_out_says_so_and_tries_again(
    store: ObjectStore, bucket: str, walk: UploadWalk, local_store: LocalStore
) -> None:
    begin(store, bucket, "one")
    begin(store, bucket, "two")
    refusal = {"operation": "AbortMultipartUpload", "status": 403, "code": "AccessDenied", "count": 1}
    local_store.faults.add("error", **refusal)

    assert walk_batch(walk_id=walk.pk) is None
    job = Job.objects.get(pk=walk.job_id)
    assert (job.state, job.error_code, job.objects_failed) == (Job.State.PARKED, "AccessDenied", 1)
    assert job.error_message.startswith(f"{bucket}: ")
    walk_resume(UploadWalk.objects.get())
    assert walk_batch(walk_id=walk.pk) is True

    job.refresh_from_db()
    assert (job.state, job.objects_done, job.objects_failed) == (Job.State.DONE, 2, 0)


def test_count_goes_on_behind_a_bucket_whose_parts_it_may_not_read(
    owner: Person, connection: Connection, store: ObjectStore, bucket: str, local_store: LocalStore
) -> None:
    begin(store, bucket, "one", MIB)
    count = count_start(connection, person=owner, bucket="")
    count.places = [[bucket, REGION], [bucket, REGION]]
    count.save()
    local_store.faults.add("error", operation="ListParts", status=403, code="AccessDenied", count=1)

    assert walk_batch(walk_id=count.pk) is True

    count.refresh_from_db()
    assert (count.uploads, count.size) == (1, MIB)
    assert [problem["code"] for problem in count.problems] == ["AccessDenied"]


def test_connection_of_a_running_abort_is_not_deleted(connection: Connection, walk: UploadWalk) -> None:
    with pytest.raises(ConnectionInUse):
        connection_delete(connection)

    assert UploadWalk.objects.filter(pk=walk.pk).exists()


def test_stranger_sees_no_connection(stranger_client: Client, connection: Connection) -> None:
    for page in ("", "abort-all/", "count/", "rule/"):
        assert stranger_client.get(all_url(connection, page)).status_code == 404
