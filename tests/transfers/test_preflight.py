"""What the upload sheet is told about files before their first byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.digest import crc64_update
from apps.storage.store import ObjectStore
from apps.transfers.models import UploadPolicy
from apps.transfers.names import name_better, name_problem
from apps.transfers.services.preflight import FEW, State, Wanted, uploads_look
from tests.conftest import REGION

pytestmark = pytest.mark.django_db(transaction=True)

Put = Callable[..., str]


@pytest.fixture
def url(connection: Connection, bucket: str) -> str:
    return reverse("transfers:preflight", args=[connection.slug, bucket])


def ask(client: Client, url: str, *files: tuple[str, int], prefix: str = "") -> list[dict[str, Any]]:
    body = {"prefix": prefix, "files": [{"key": key, "size": size} for key, size in files]}
    response = client.post(url, json.dumps(body), content_type="application/json")
    assert response.status_code == 200, response.content
    answers: list[dict[str, Any]] = response.json()["files"]
    return answers


def test_each_file_is_told_how_it_stands(owner_client: Client, url: str, put: Put) -> None:
    put("in/same.txt", b"12345")
    put("in/other.txt", b"123")

    new, same, other = ask(owner_client, url, ("in/new.txt", 1), ("in/same.txt", 5), ("in/other.txt", 9))

    assert new == {"state": "new"}
    assert (same["state"], same["size"], same["crc64"]) == ("same-size", 5, str(crc64_update(b"12345")))
    assert (other["state"], other["size"]) == ("different", 3)
    assert other["modified"]
    assert other["etag"]
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("console", {"words": "Through the console", "why": "An administrator chose that"}),
        ("direct", {"problem": "Files may only be sent directly here."}),
    ],
)
def test_way_of_the_files_is_told_with_its_reason(
    owner_client: Client, url: str, connection: Connection, policy: str, said: dict[str, str]
) -> None:
    UploadPolicy.objects.create(connection=connection, policy=policy)

    path = owner_client.post(url, "[]", content_type="application/json").json()["path"]

    assert set(path) == set(said)
    assert all(path[name].startswith(words) for name, words in said.items())


def test_many_files_take_one_listing(
    owner_client: Client, url: str, put: Put, local_store: LocalStore
) -> None:
    put("in/a/f007.txt", b"123")
    put("in/b/f011.txt", b"12")
    files = [(f"in/{folder}/f{number:03}.txt", 2) for folder in "ab" for number in range(200)]
    # Asking for a key that the listing has told about already would end here.
    local_store.faults.add(kind="error", operation="HeadObject", count=None, status=403, key="in/a/.*")

    answers = dict(zip(files, ask(owner_client, url, *files), strict=True))

    assert answers["in/a/f007.txt", 2]["state"] == "different"
    assert answers["in/b/f011.txt", 2]["state"] == "same-size"
    assert sum(answer["state"] == "new" for answer in answers.values()) == 398


def test_crowded_folder_is_skipped_where_no_file_goes(
    store: ObjectStore, bucket: str, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of a listing end long before the last key: the rest is found all the same."""
    monkeypatch.setattr("apps.transfers.services.preflight.PAGES_MAX", 1)
    for number in range(FEW + 8):
        put(f"in/{number:02}", b"12")
    wanted = [Wanted(f"in/{number:02}", 1) for number in range(0, FEW + 20)]
    listed = type(store).list_objects

    def short(self: ObjectStore, **arguments: Any) -> Any:
        return listed(self, **{**arguments, "limit": 5})

    monkeypatch.setattr(type(store), "list_objects", short)
    looks = uploads_look(store, bucket=bucket, region=REGION, wanted=wanted)

    states = [look.state for look in looks.values()]
    assert states == [State.DIFFERENT] * (FEW + 8) + [State.NEW] * 12


@pytest.mark.parametrize(
    ("key", "words", "is_refused", "better"),
    [
        ("in/a\x1b.txt", "control characters", True, "in/a_.txt"),
        ("in/a\tb.txt", "nobody can see", False, "in/a_b.txt"),
        ("in/a\u202egpj.exe", "nobody can see", False, "in/a_gpj.exe"),
        ("in/report.pdf ", "space", False, "in/report.pdf"),
        ("in/ dir/a", "space", False, "in/dir/a"),
        ("/lead.txt", "must not start", True, "lead.txt"),
        ("in/../up.txt", "“..”", False, "in/up.txt"),
        ("in/a//b", "empty folder name", False, "in/a/b"),
        ("", "no name", True, ""),
        ("in/" + "x" * 900 + ".tar", "850", True, "in/" + "x" * 843 + ".tar"),
    ],
)
def test_bad_names_are_named(
    owner_client: Client, url: str, key: str, words: str, is_refused: bool, better: str
) -> None:
    [answer] = ask(owner_client, url, (key, 1), prefix="in/")

    assert answer["state"] == "problem"
    assert words in answer["problem"]
    assert (answer["refused"], answer["better"]) == (is_refused, better)
    assert answer.get("stands") == ("problem" if is_refused else "new")


def test_key_that_is_too_long_is_cut_before_its_ending() -> None:
    problem = name_problem("中" * 400 + ".tar")

    assert problem is not None
    assert problem.is_refused
    assert "850" in problem.sentence
    assert len(problem.better.encode()) <= 850
    assert problem.better.endswith("中.tar")


@pytest.mark.parametrize("key", ["a.txt", "a b/中文 (1).txt", "in /old.txt", "..a", "a..", "👩‍👩‍👧.png"])
def test_ordinary_names_are_fine(key: str) -> None:
    assert name_problem(key, prefix="in /") is None
    assert name_better(key, prefix="in /") == key


def test_name_of_a_folder_and_a_twin_in_case_are_told(owner_client: Client, url: str, put: Put) -> None:
    put("in/photos/1.jpg")
    put("in/Report.pdf")

    folder, twin = ask(owner_client, url, ("in/photos", 1), ("in/report.PDF", 1))

    assert (folder["state"], folder["stands"]) == ("problem", "new")
    assert "folder" in folder["problem"]
    assert "in/Report.pdf" in twin["problem"]


def test_half_of_a_pair_is_a_problem_and_no_failure(owner_client: Client, url: str) -> None:
    response = owner_client.post(
        url, '{"files": [{"key": "a\\ud800", "size": 1}]}', content_type="application/json"
    )

    [answer] = response.json()["files"]
    assert (answer["state"], answer["refused"], answer["better"]) == ("problem", True, "a_")


def test_size_that_no_store_takes_is_a_problem(owner_client: Client, url: str) -> None:
    [answer] = ask(owner_client, url, ("a", 60 * 1024**4))

    assert "too large" in answer["problem"]


def test_key_that_may_not_list_asks_for_each(
    owner_client: Client, url: str, put: Put, local_store: LocalStore
) -> None:
    put("a", b"1")
    local_store.faults.add(kind="error", operation="ListObjects", count=None, status=403, code="AccessDenied")

    one, other = ask(owner_client, url, ("a", 2), ("b", 2))

    assert (one["state"], other["state"]) == ("different", "new")


@pytest.mark.parametrize(
    ("status", "code", "words"), [(403, "AccessDenied", "may not"), (503, "SlowDown", "limiting")]
)
def test_refusal_is_said_and_stops_nothing(
    owner_client: Client, url: str, local_store: LocalStore, status: int, code: str, words: str
) -> None:
    local_store.faults.add(kind="error", operation="ListObjects", count=None, status=403, code="AccessDenied")
    local_store.faults.add(kind="error", operation="HeadObject", count=None, status=status, code=code)

    answers = ask(owner_client, url, ("a", 1), ("b\t", 1))

    assert answers[0]["state"] == "unknown"
    assert words in answers[0]["problem"]
    assert (answers[1]["state"], answers[1]["stands"]) == ("problem", "unknown")


def test_store_that_is_slow_is_not_waited_for(
    store: ObjectStore, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add(kind="delay", operation="*", seconds=1, count=None)

    looks = uploads_look(store, bucket=bucket, region=REGION, wanted=[Wanted("a", 1)], deadline_s=0.1)

    assert looks["a"].state is State.UNKNOWN
    assert looks["a"].error is None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[",
        "{}",
        '{"files": 1}',
        '[{"key": 1, "size": 1}]',
        '[{"key": "a", "size": -1}]',
        '[{"key": "a"}]',
    ],
)
def test_list_that_is_none_is_refused(owner_client: Client, url: str, body: str) -> None:
    response = owner_client.post(url, body, content_type="application/json")

    assert response.status_code == 400
    assert "Reload" in response.json()["error"]


def test_more_than_a_thousand_come_in_several_questions(owner_client: Client, url: str) -> None:
    body = json.dumps([{"key": f"k{number}", "size": 1} for number in range(1001)])

    response = owner_client.post(url, body, content_type="application/json")

    assert response.status_code == 400
    assert "1000" in response.json()["error"]


def test_only_who_may_write_is_told_anything(
    member_client: Client, writer_client: Client, stranger_client: Client, url: str
) -> None:
    def status(client: Client) -> int:
        return int(client.post(url, '[{"key": "a", "size": 1}]', content_type="application/json").status_code)

    assert (status(writer_client), status(member_client), status(stranger_client)) == (200, 403, 404)
