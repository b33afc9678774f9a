"""The CORS lab: live answers beside the rules, tests pinned from them, and rolling back when one fails."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from apps.access.models import CorsVersion, PinnedTest
from apps.access.services.preflights import PINS_MAX
from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.cors import Cors
from apps.storage.store import ObjectStore
from tests.access.test_cors_edit import APP, SITE, now_in, reviewed
from tests.conftest import REGION

GRID = {
    "origins": "https://app.example.com\nhttps://evil.example",
    "headers": "-\ncontent-md5\nx-cos-meta-a",
    "methods": ["PUT", "GET"],
    "key": "any/../key?",
}
PIN = {
    "origin": "https://app.example.com",
    "method": "PUT",
    "headers": "content-md5",
    "key": "k",
    "expected": "allowed",
}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def url(connection: Connection, bucket: str) -> str:
    return f"/b/{connection.slug}/{bucket}/cors/"


@pytest.fixture
def saved(store: ObjectStore, bucket: str) -> Cors:
    cors = Cors(rules=(APP, SITE))
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=cors)
    return store.get_bucket_cors(bucket=bucket, region=REGION)


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.access.services.preflights.SETTLES_S", 0.0)


def cells_of(response: object) -> dict[tuple[str, str, str], object]:
    rows = response.context["rows"]  # type: ignore[attr-defined]
    return {(row.origin, row.headers, cell.question.method): cell for row in rows for cell in row.cells}


def test_page_shows_rules_first_and_asks_for_the_answers(
    member_client: Client, url: str, saved: Cors
) -> None:
    response = member_client.get(f"{url}lab/")

    page = response.content.decode()
    assert 'hx-trigger="load"' in page
    assert "https://evil.example" in page
    assert all(cell.live is None for cell in cells_of(response).values())  # type: ignore[attr-defined]


@pytest.mark.parametrize("way", ["fragment", "live"])
def test_cells_hold_the_store_s_answer_and_agree_with_the_rules(
    member_client: Client, url: str, saved: Cors, way: str
) -> None:
    query = GRID | ({"live": "1"} if way == "live" else {})
    response = member_client.get(f"{url}lab/", query, headers=HTMX if way == "fragment" else {})

    page = response.content.decode()
    assert "it fits the origin and the method, but not x-cos-meta-a" in page
    assert ("<html" in page) == (way == "live")
    if way == "fragment":
        assert page.strip().startswith('<section id="lab-grid"')
        return
    cells = cells_of(response)
    assert len(cells) == 12
    assert all(cell.live and not cell.differences for cell in cells.values())  # type: ignore[attr-defined]
    allowed = {place for place, cell in cells.items() if cell.live.is_allowed}  # type: ignore[attr-defined]
    assert allowed == {("https://app.example.com", names, "PUT") for names in ("", "content-md5")}


def test_answer_that_differs_from_the_rules_is_marked(
    member_client: Client, url: str, saved: Cors, local_store: LocalStore
) -> None:
    fault = {"operation": "OptionsObject", "status": 403, "code": "AccessForbidden", "count": None}
    local_store.faults.add("error", **fault)

    response = member_client.get(f"{url}lab/", GRID | {"live": "1"})

    page = response.content.decode()
    assert page.count("The store and the rules differ.") == 2
    assert "The store refuses what the rules allow." in page


def test_failures_have_their_code_in_the_cell(
    member_client: Client, url: str, saved: Cors, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="OptionsObject", count=None, status=400, code="InvalidRequest")

    response = member_client.get(f"{url}lab/", GRID, headers=HTMX)

    assert response.status_code == 200
    page = response.content.decode()
    assert "InvalidRequest" in page
    assert "No answer" in page


def test_store_that_hides_its_rules_is_asked_all_the_same(
    member_client: Client, url: str, saved: Cors, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="GetBucketCors", count=None, status=403, code="AccessDenied")

    response = member_client.get(f"{url}lab/", GRID | {"live": "1"})

    assert response.status_code == 200
    page = response.content.decode()
    assert "The rules cannot be read." in page
    assert "Allowed" in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"origins": "\n".join(f"https://{n}.example" for n in range(11))}, "That makes 66 cells"),
        ({"origins": "https://*.example.com"}, "name one without *"),
        ({"origins": "https://例.example"}, "is nothing that a browser sends"),
        ({"headers": "content md5:"}, "cannot be the name of a header"),
    ],
)
def test_bad_grids_get_a_sentence(
    member_client: Client, url: str, change: dict[str, str], sentence: str
) -> None:
    response = member_client.get(f"{url}lab/", GRID | change)

    assert response.status_code == 422
    assert sentence in response.content.decode()


def test_cell_is_pinned_and_run(owner_client: Client, url: str, saved: Cors) -> None:
    page = owner_client.post(f"{url}lab/pin/", PIN, headers=HTMX).content.decode()

    pin = PinnedTest.objects.get()
    assert "https://app.example.com may PUT with content-md5" in page
    assert pin.state == PinnedTest.State.PASSED


def test_pinning_again_changes_what_is_expected(owner_client: Client, url: str, saved: Cors) -> None:
    for expected in ("allowed", "refused"):
        owner_client.post(f"{url}lab/pin/", PIN | {"expected": expected, "back": "key=k&x=%0d%0aY: z"})

    assert PinnedTest.objects.get().state == PinnedTest.State.FAILED


def test_pins_are_limited(
    owner_client: Client, url: str, saved: Cors, connection: Connection, bucket: str, owner: Person
) -> None:
    PinnedTest.objects.bulk_create(
        PinnedTest(
            connection=connection,
            bucket=bucket,
            key="k",
            origin=f"https://{number}.example",
            method="GET",
            is_allowed=True,
            pinned_at="2026-01-01T00:00:00Z",
        )
        for number in range(PINS_MAX)
    )

    page = owner_client.post(f"{url}lab/pin/", PIN, headers=HTMX).content.decode()

    assert f"at most {PINS_MAX} pinned tests" in page


def test_failing_test_offers_to_roll_back(
    owner_client: Client, url: str, saved: Cors, store: ObjectStore, bucket: str
) -> None:
    owner_client.post(f"{url}lab/pin/", PIN)
    review = owner_client.post(url, {"rules": "0", "seen": saved.digest, "do": "review"}).content.decode()
    payload = reviewed(owner_client, url, SITE, seen=saved.digest)
    page = owner_client.post(url, {**payload, "do": "save"}, follow=True).content.decode()
    version = CorsVersion.objects.get()
    back = owner_client.post(f"{url}versions/{version.pk}/restore/", follow=True).content.decode()

    assert "Will fail:" in review
    assert "1 pinned test fails with the rules as they are now." in page
    assert "Roll back" in page
    assert "Rolled back" in back
    assert now_in(store, bucket).digest == saved.digest
    assert PinnedTest.objects.get().state == PinnedTest.State.PASSED


def test_roll_back_is_not_rolled_back_at_once(
    owner_client: Client, url: str, saved: Cors, store: ObjectStore, bucket: str
) -> None:
    owner_client.post(f"{url}lab/pin/", PIN | {"expected": "refused"})
    payload = reviewed(owner_client, url, SITE, APP, seen=saved.digest)
    owner_client.post(url, {**payload, "do": "save"})

    page = owner_client.post(f"{url}versions/{CorsVersion.objects.get().pk}/restore/", follow=True)

    assert "1 pinned test fails" in page.text
    assert "/restore/" not in page.text


def test_rules_that_changed_elsewhere_since_are_told(
    owner_client: Client, url: str, saved: Cors, store: ObjectStore, bucket: str
) -> None:
    payload = reviewed(owner_client, url, SITE, seen=saved.digest)
    after = owner_client.post(url, {**payload, "do": "save"}, follow=True).text
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=Cors(rules=(APP,)))

    sentence = "are not those that were saved here last"
    assert sentence not in after
    assert sentence in owner_client.get(url).text


def test_roll_back_overwrites_nobody(
    owner_client: Client, url: str, saved: Cors, store: ObjectStore, bucket: str
) -> None:
    payload = reviewed(owner_client, url, SITE, seen=saved.digest)
    owner_client.post(url, {**payload, "do": "save"})
    theirs = Cors(rules=(replace(SITE, id="theirs"),))
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=theirs)

    response = owner_client.post(f"{url}versions/{CorsVersion.objects.get().pk}/restore/")

    assert response.status_code == 409
    assert "“theirs”" in response.content.decode()
    assert now_in(store, bucket).digest == theirs.digest


def test_roll_back_to_rules_for_everybody_is_reviewed_first(
    owner_client: Client, url: str, store: ObjectStore, bucket: str
) -> None:
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=Cors(rules=(replace(APP, origins=("*",)),)))
    payload = reviewed(owner_client, url, SITE, seen=now_in(store, bucket).digest)
    owner_client.post(url, {**payload, "do": "save"})

    response = owner_client.post(f"{url}versions/{CorsVersion.objects.get().pk}/restore/")

    assert "Type the word public to confirm" in response.content.decode()
    assert now_in(store, bucket).rules == (SITE,)


def test_no_answer_is_no_failure(
    owner_client: Client, url: str, saved: Cors, local_store: LocalStore
) -> None:
    owner_client.post(f"{url}lab/pin/", PIN)
    local_store.faults.add("error", operation="OptionsObject", count=None, status=400, code="InvalidRequest")

    page = owner_client.post(f"{url}lab/run/", headers=HTMX).content.decode()

    assert PinnedTest.objects.get().state == PinnedTest.State.UNANSWERED
    assert "InvalidRequest" in page


def test_readers_run_and_only_admins_pin(
    member_client: Client, owner_client: Client, stranger_client: Client, url: str, saved: Cors
) -> None:
    owner_client.post(f"{url}lab/pin/", PIN)
    unpin = f"{url}lab/{PinnedTest.objects.get().pk}/unpin/"

    assert member_client.post(f"{url}lab/run/").status_code == 302
    assert member_client.post(f"{url}lab/pin/", PIN).status_code == 403
    assert member_client.post(unpin).status_code == 403
    assert stranger_client.get(f"{url}lab/").status_code == 404
    assert owner_client.post(unpin, headers=HTMX).status_code == 200
    assert not PinnedTest.objects.exists()


def test_tests_of_another_bucket_are_out_of_reach(
    owner_client: Client, url: str, saved: Cors, connection: Connection
) -> None:
    owner_client.post(f"{url}lab/pin/", PIN)
    pin = PinnedTest.objects.get()
    PinnedTest.objects.update(bucket="another-1250000000")

    assert owner_client.post(f"{url}lab/{pin.pk}/unpin/").status_code == 404
