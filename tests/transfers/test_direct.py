"""Parts that a browser sends to the store itself: what it is told, what it may say, and what is believed."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.cors import Cors
from apps.storage.digest import crc64_update
from apps.storage.store import ObjectStore
from apps.transfers import paths, tasks
from apps.transfers.models import Transfer, UploadPolicy
from apps.transfers.paths import Policy, Reason, path_for, rule_for
from apps.transfers.services import uploads
from apps.transfers.sweeping import transfer_owed
from tests.conftest import REGION
from tests.transfers.conftest import MIB

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

# The test client's requests have this host.
ORIGIN = "http://testserver"
Report = dict[str, Any]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    paths._remembered.clear()


@pytest.fixture
def direct(owner: Person, connection: Connection, bucket: str, content: bytes) -> Transfer:
    """An upload in three parts that goes directly."""
    return uploads.upload_start(
        owner=owner,
        connection=connection,
        bucket=bucket,
        wanted=uploads.UploadWanted(key="dir/video.mov", size=len(content)),
        replace=False,
        path=Transfer.Path.DIRECT,
    )


def say(client: Client, transfer: Transfer, what: str, **said: Any) -> HttpResponse:
    url = f"/transfers/{transfer.job_id}/{what}/"
    return client.post(url, said, content_type="application/json")  # type: ignore[return-value]


def reached(local_store: LocalStore, address: str, body: bytes) -> http.client.HTTPResponse:
    """PUT to a presigned address, as a browser whose name server knows the store would."""
    parts = urlsplit(address)
    line = http.client.HTTPConnection("127.0.0.1", local_store.port, timeout=10)
    line.request("PUT", f"{parts.path}?{parts.query}", body=body, headers={"Host": parts.netloc})
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer


@pytest.fixture
def send(owner_client: Client, local_store: LocalStore, content: bytes) -> Callable[..., Report]:
    """A function that sends one part of `content` as the page does and returns what it would report."""

    def send_part(transfer: Transfer, number: int, body: bytes | None = None) -> Report:
        offset, length = transfer.plan.range_of(number)
        data = content[offset : offset + length] if body is None else body
        said = say(owner_client, transfer, "addresses", numbers=[number]).json()
        answer = reached(local_store, said["addresses"][str(number)], data)
        assert answer.status == 200
        crc64 = str(crc64_update(data))
        assert answer.headers["x-cos-hash-crc64ecma"] == crc64
        return {"number": number, "size": len(data), "etag": answer.headers["ETag"], "crc64": crc64}

    return send_part


def stored(store: ObjectStore, bucket: str, key: str) -> bytes:
    body = store.get_object(bucket=bucket, region=REGION, key=key)
    try:
        return b"".join(body)
    finally:
        body.close()


def finished(transfer: Transfer) -> Job:
    tasks.complete_transfer.apply(kwargs={"transfer_id": transfer.pk})
    job: Job = Job.objects.get(pk=transfer.job_id)
    return job


def test_reported_parts_become_the_object(
    owner_client: Client,
    direct: Transfer,
    send: Callable[..., Report],
    store: ObjectStore,
    bucket: str,
    content: bytes,
) -> None:
    for number, is_whole in ((3, False), (1, False), (2, True)):
        said = say(owner_client, direct, "parts", parts=[send(direct, number)])
        assert said.json() == {"is_whole": is_whole}

    job = finished(direct)

    direct.refresh_from_db()
    assert (job.state, job.bytes_done) == (Job.State.DONE, len(content))
    assert direct.crc64 == str(crc64_update(content))
    assert stored(store, bucket, direct.key) == content
    assert not store.list_multipart_uploads(bucket=bucket, region=REGION).uploads


def test_small_file_is_an_upload_of_one_part(
    owner: Person, connection: Connection, bucket: str, store: ObjectStore, send: Callable[..., Report]
) -> None:
    wanted = uploads.UploadWanted(key="small", size=5)
    small = uploads.upload_start(
        owner=owner,
        connection=connection,
        bucket=bucket,
        wanted=wanted,
        replace=False,
        path=Transfer.Path.DIRECT,
    )

    send(small, 1, b"hello")

    assert small.upload_id
    assert [
        p.size for p in store.list_parts(bucket=bucket, region=REGION, key="small", upload_id=small.upload_id)
    ]


def test_empty_file_goes_through_the_console(owner: Person, connection: Connection, bucket: str) -> None:
    transfer = uploads.upload_start(
        owner=owner,
        connection=connection,
        bucket=bucket,
        wanted=uploads.UploadWanted(key="empty", size=0),
        replace=False,
        path=Transfer.Path.DIRECT,
    )

    assert (transfer.path, transfer.upload_id) == (Transfer.Path.CONSOLE, "")


def test_repeated_report_changes_nothing(
    owner_client: Client, direct: Transfer, send: Callable[..., Report]
) -> None:
    reports = [send(direct, number) for number in (1, 2, 3)]
    assert say(owner_client, direct, "parts", parts=reports[:1]).json() == {"is_whole": False}
    row = direct.parts.get()

    assert say(owner_client, direct, "parts", parts=reports[:1]).status_code == 200
    assert direct.parts.get().stored_at == row.stored_at

    assert say(owner_client, direct, "parts", parts=reports).json() == {"is_whole": True}
    assert finished(direct).state == Job.State.DONE
    # The answer was lost, and the page says it once more.
    assert say(owner_client, direct, "parts", parts=reports[2:]).status_code == 200


@pytest.mark.parametrize(
    "forged",
    [
        {"number": 4},
        {"number": 0},
        {"size": 1},
        {"crc64": "x"},
        {"crc64": str(1 << 64)},
        {"etag": "<b>"},
        {"etag": "a" * 101},
        {"number": None},
    ],
)
def test_report_that_makes_no_sense_is_refused(
    owner_client: Client, direct: Transfer, forged: dict[str, object]
) -> None:
    report = {"number": 1, "size": 8 * MIB, "etag": '"abc"', "crc64": "1"} | forged

    answer = say(owner_client, direct, "parts", parts=[report])

    assert answer.status_code == 400
    assert not direct.parts.exists()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[]",
        b"{}",
        b'{"parts": []}',
        b'{"parts": [1]}',
        b"\xff",
        pytest.param(b"[" * 100_000, id="nested"),
    ],
)
def test_body_that_makes_no_sense_is_refused(owner_client: Client, direct: Transfer, said: bytes) -> None:
    for what in ("parts", "addresses"):
        url = f"/transfers/{direct.job_id}/{what}/"
        assert owner_client.post(url, said, content_type="application/json").status_code == 400


@pytest.mark.parametrize("numbers", [[0], [4], [True], ["1"], list(range(1, 18))])
def test_addresses_are_for_a_few_parts_of_the_plan(
    owner_client: Client, direct: Transfer, numbers: list[object]
) -> None:
    assert say(owner_client, direct, "addresses", numbers=numbers).status_code == 400


def test_part_that_the_store_does_not_have_is_not_believed(
    owner_client: Client, direct: Transfer, send: Callable[..., Report], store: ObjectStore, bucket: str
) -> None:
    reports = [send(direct, 1), send(direct, 3)]
    forged = {"number": 2, "size": 8 * MIB, "etag": '"0123456789abcdef0123456789abcdef"', "crc64": "1"}

    say(owner_client, direct, "parts", parts=[*reports, forged])
    job = finished(direct)

    assert (job.state, job.error_code) == (Job.State.PARKED, "PartsDiffer")
    assert "part 2" in job.error_message
    assert [part.number for part in direct.parts.all()] == [1, 3]
    assert job.bytes_done == reports[0]["size"] + reports[1]["size"]


def test_part_with_another_etag_is_sent_again_and_then_stored(
    owner_client: Client,
    direct: Transfer,
    send: Callable[..., Report],
    store: ObjectStore,
    bucket: str,
    content: bytes,
) -> None:
    reports = [send(direct, number) for number in (1, 2, 3)]
    # Somebody else's bytes got into the part after it was reported.
    send(direct, 2, bytes(8 * MIB))
    say(owner_client, direct, "parts", parts=reports)
    assert finished(direct).error_code == "PartsDiffer"

    owner_client.post(f"/transfers/{direct.job_id}/retry/", headers={"Accept": "application/json"})
    said = say(owner_client, direct, "parts", parts=[send(direct, 2)])

    assert said.json() == {"is_whole": True}
    assert finished(direct).state == Job.State.DONE
    assert stored(store, bucket, direct.key) == content


def test_etag_that_the_browser_could_not_read_is_taken_from_the_store(
    owner_client: Client,
    direct: Transfer,
    send: Callable[..., Report],
    store: ObjectStore,
    bucket: str,
    content: bytes,
) -> None:
    reports = [send(direct, number) | {"etag": ""} for number in (1, 2, 3)]

    say(owner_client, direct, "parts", parts=reports)

    assert finished(direct).state == Job.State.DONE
    assert stored(store, bucket, direct.key) == content


def test_wrong_sum_of_a_part_is_noticed_in_the_whole(
    owner_client: Client, direct: Transfer, send: Callable[..., Report]
) -> None:
    reports = [send(direct, number) for number in (1, 2, 3)]
    reports[1]["crc64"] = "1"

    say(owner_client, direct, "parts", parts=reports)

    assert finished(direct).state == Job.State.PARKED


def test_canceled_in_between(
    owner_client: Client,
    direct: Transfer,
    send: Callable[..., Report],
    store: ObjectStore,
    bucket: str,
    local_store: LocalStore,
    content: bytes,
) -> None:
    report = send(direct, 1)
    address = say(owner_client, direct, "addresses", numbers=[2]).json()["addresses"]["2"]

    owner_client.post(f"/transfers/{direct.job_id}/cancel/", headers={"Accept": "application/json"})
    for _ in range(2):
        tasks.abort_transfer.apply(kwargs={"transfer_id": direct.pk})

    assert say(owner_client, direct, "parts", parts=[report]).status_code == 410
    assert say(owner_client, direct, "addresses", numbers=[2]).status_code == 410
    assert reached(local_store, address, content[: 8 * MIB]).status == 404
    assert Job.objects.get(pk=direct.job_id).state == Job.State.CANCELED
    assert not store.list_multipart_uploads(bucket=bucket, region=REGION).uploads


def test_paused_upload_takes_what_was_under_way(
    owner_client: Client, direct: Transfer, send: Callable[..., Report]
) -> None:
    report = send(direct, 1)
    owner_client.post(f"/transfers/{direct.job_id}/pause/", headers={"Accept": "application/json"})

    assert say(owner_client, direct, "parts", parts=[report]).status_code == 200

    assert Job.objects.get(pk=direct.job_id).state == Job.State.PAUSED


def test_report_whose_completion_got_lost_is_swept_up(
    owner_client: Client, direct: Transfer, send: Callable[..., Report]
) -> None:
    say(owner_client, direct, "parts", parts=[send(direct, number) for number in (1, 2, 3)])
    Job.objects.filter(pk=direct.job_id).update(state=Job.State.RUNNING)

    assert transfer_owed(transfer_id=direct.pk).whole == [direct.pk]


def test_only_who_may_write_gets_addresses(
    owner_client: Client,
    member_client: Client,
    writer_client: Client,
    stranger_client: Client,
    direct: Transfer,
    connection: Connection,
    writer: Person,
    bucket: str,
) -> None:
    for client in (member_client, writer_client, stranger_client):
        assert say(client, direct, "addresses", numbers=[1]).status_code == 404
        assert say(client, direct, "parts", parts=[]).status_code == 404
    assert Client().post(f"/transfers/{direct.job_id}/addresses/").status_code in {302, 401}

    # Shown out since: a job of one's own, but no right to write any more.
    Job.objects.filter(pk=direct.job_id).update(owner=writer)
    connection.members.update(role=1)
    assert say(writer_client, direct, "addresses", numbers=[1]).status_code == 403


def test_browser_has_no_word_in_what_the_console_sends(
    owner: Person, owner_client: Client, connection: Connection, bucket: str, content: bytes
) -> None:
    wanted = uploads.UploadWanted(key="k", size=len(content))
    transfer = uploads.upload_start(
        owner=owner, connection=connection, bucket=bucket, wanted=wanted, replace=False
    )
    claimed = {"number": 3, "size": transfer.plan.range_of(3)[1], "etag": "0" * 32, "crc64": "1"}

    assert say(owner_client, transfer, "addresses", numbers=[1]).status_code == 410
    assert say(owner_client, transfer, "parts", parts=[claimed]).status_code == 410

    assert not transfer.parts.exists()


def start(client: Client, connection: Connection, bucket: str, **more: Any) -> Any:
    said = {"key": "k", "size": 3, "type": "text/plain", "last_modified": 1} | more
    url = f"/b/{connection.slug}/{bucket}/uploads/"
    return client.post(url, json.dumps(said), content_type="application/json")


def reachable(connection: Connection, local_store: LocalStore) -> None:
    """Give the store an address that a browser on this machine reaches."""
    connection.suffix = f"localhost:{local_store.port}"
    connection.save()


LOCAL = "http://127.0.0.1:8000"


def test_without_a_rule_files_go_through_the_console(
    connection: Connection, local_store: LocalStore, bucket: str
) -> None:
    reachable(connection, local_store)

    path = path_for(connection, bucket, LOCAL)

    assert (path.way, path.reason) == (Transfer.Path.CONSOLE, Reason.NO_RULE)


def test_with_the_rule_they_go_directly(
    connection: Connection, local_store: LocalStore, store: ObjectStore, bucket: str
) -> None:
    reachable(connection, local_store)
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=Cors(rules=(rule_for(LOCAL),)))

    path = path_for(connection, bucket, LOCAL)

    assert (path.is_direct, path.reason, path.hidden) == (True, Reason.ALLOWED, ())
    assert path.host == f"http://{bucket}.cos.{REGION}.localhost:{local_store.port}"
    assert not path_for(connection, bucket, "https://elsewhere.example.com").is_direct


def test_answer_is_remembered_for_a_while(
    connection: Connection, local_store: LocalStore, store: ObjectStore, bucket: str
) -> None:
    reachable(connection, local_store)
    assert not path_for(connection, bucket, LOCAL).is_direct
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=Cors(rules=(rule_for(LOCAL),)))

    assert not path_for(connection, bucket, LOCAL).is_direct
    assert path_for(connection, bucket, LOCAL, is_fresh=True).is_direct
    assert path_for(connection, bucket, LOCAL).is_direct


def test_store_that_a_browser_cannot_reach(
    connection: Connection, store: ObjectStore, local_store: LocalStore, bucket: str
) -> None:
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=Cors(rules=(rule_for(LOCAL),)))
    assert path_for(connection, bucket, LOCAL).reason == Reason.ELSEWHERE

    reachable(connection, local_store)
    assert path_for(connection, bucket, "http://console.example.com").reason == Reason.ELSEWHERE

    connection.suffix = "example.com"
    assert path_for(connection, bucket, "https://console.example.com").reason == Reason.INSECURE


def test_store_that_does_not_answer(connection: Connection, local_store: LocalStore, bucket: str) -> None:
    reachable(connection, local_store)
    local_store.faults.add(kind="error", operation="OptionsObject", count=None)

    path = path_for(connection, bucket, LOCAL)

    assert (path.is_direct, path.reason) == (False, Reason.NO_ANSWER)


def test_policy_of_the_bucket_goes_before_that_of_the_connection(connection: Connection, bucket: str) -> None:
    UploadPolicy.objects.create(connection=connection, bucket="", policy=Policy.CONSOLE)
    assert path_for(connection, bucket, LOCAL).reason == Reason.POLICY

    UploadPolicy.objects.create(connection=connection, bucket=bucket, policy=Policy.AUTO)
    assert path_for(connection, bucket, LOCAL).reason == Reason.ELSEWHERE


def test_start_says_which_way(
    owner_client: Client, connection: Connection, local_store: LocalStore, store: ObjectStore, bucket: str
) -> None:
    assert start(owner_client, connection, bucket).json()["path"] == "console"

    UploadPolicy.objects.create(connection=connection, bucket=bucket, policy=Policy.DIRECT)
    refused = start(owner_client, connection, bucket, key="other")
    assert refused.status_code == 409
    assert "CORS" in refused.json()["error"]
    assert not Transfer.objects.filter(key="other").exists()

    store.put_bucket_cors(bucket=bucket, region=REGION, cors=Cors(rules=(rule_for(ORIGIN),)))
    paths._remembered.clear()
    begun = start(owner_client, connection, bucket, key="other").json()
    assert (begun["path"], begun["slice_url"]) == ("direct", None)
    assert Transfer.objects.get(key="other").upload_id


def test_worker_may_reach_this_bucket_and_nothing_else(
    owner_client: Client, member_client: Client, stranger_client: Client, connection: Connection, bucket: str
) -> None:
    url = f"/b/{connection.slug}/{bucket}/uploads/worker.js"

    answer = owner_client.get(url)

    host = f"http://{bucket}.cos.{REGION}.myqcloud.com"
    policy = f"default-src 'none'; script-src 'self'; connect-src {host}"
    assert answer.headers["Content-Security-Policy"] == policy
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert member_client.get(url).status_code == 403
    assert stranger_client.get(url).status_code == 404


@pytest.mark.parametrize("key", ["a/../b", "..", "a/./b"])
def test_key_that_a_browser_would_change_goes_through_the_console(
    owner_client: Client,
    connection: Connection,
    local_store: LocalStore,
    bucket: str,
    store: ObjectStore,
    settings: Any,
    key: str,
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    reachable(connection, local_store)
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=Cors(rules=(rule_for("http://127.0.0.1"),)))
    url = f"/b/{connection.slug}/{bucket}/uploads/"

    def begin(name: str) -> Any:
        said = {"key": name, "size": 3}
        return owner_client.post(url, said, content_type="application/json", headers={"host": "127.0.0.1"})

    assert begin(key).json()["path"] == "console"
    assert begin("...").json()["path"] == "direct"
    UploadPolicy.objects.create(connection=connection, policy=Policy.DIRECT)
    assert "“..”" in begin(f"{key}/x").json()["error"]
