"""What the console cannot read in a store's answer is shown, kept, and never lost by accident."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.connections.services import connection_create
from tests.access.editor import fields_of, left, opened, row
from tests.conftest import REGION
from tests.storage.recorder import Recorder, Seen, reply

BUCKET = "odd-1250000000"
OWNER = "<Owner><ID>qcs::cam::uin/100000000001:uin/100000000001</ID></Owner>"
ROBOT = "<Grant><Grantee><ID>qcs::cam::robot/7</ID></Grantee><Permission>READ</Permission></Grant>"
RESTORE = (
    "<Grant><Grantee><ID>qcs::cam::uin/100000000099:uin/100000000099</ID></Grantee>"
    "<Permission>RESTORE</Permission></Grant>"
)
UNTIL = "<Until>2030-01-01</Until>"


class OddStore:
    """A store that holds one ACL, of which the console understands a part. Everything else it refuses."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.grants, self.beyond, self.label = "", "", ""
        recorder.answer = self._answer

    def _answer(self, seen: Seen) -> bytes:
        if "acl" not in seen.query:
            return reply(403, b"<Error><Code>AccessDenied</Code><Message>No</Message></Error>")
        if seen.method == "PUT":
            return reply()
        body = f"<AccessControlPolicy>{OWNER}<AccessControlList>{self.grants}</AccessControlList>"
        document = f"{body}{self.beyond}</AccessControlPolicy>".encode()
        return reply(200, document, **({"x_cos_acl": self.label} if self.label else {}))

    @property
    def written(self) -> list[Seen]:
        return [seen for seen in self.recorder.seen if seen.method == "PUT"]


@pytest.fixture
def odd() -> Iterator[OddStore]:
    with Recorder() as recorder:
        yield OddStore(recorder)


@pytest.fixture
def url(owner: Person, odd: OddStore) -> str:
    connection: Connection = connection_create(
        owner=owner,
        name="Odd",
        scheme="http",
        connect_to=f"127.0.0.1:{odd.recorder.port}",
        secret_id="AKIDODD",
        secret_key="odd-secret",
    )
    connection.known_buckets.create(name=BUCKET, region=REGION, seen_at=timezone.now())
    return f"/b/{connection.slug}/{BUCKET}/access/"


def test_unknown_grantees_and_permissions_are_findings(owner_client: Client, odd: OddStore, url: str) -> None:
    odd.grants = ROBOT + RESTORE

    page = owner_client.get(url).text

    assert "A grant of READ names “qcs::cam::robot/7”, and the console does not know who that is." in page
    assert "Account 100000000099 holds “RESTORE”, and the console does not know what that allows." in page
    assert "reach-unknown" in page


def test_unknown_grants_are_written_back_as_they_were(owner_client: Client, odd: OddStore, url: str) -> None:
    odd.grants = ROBOT + RESTORE
    fields = opened(owner_client, url)
    rows = [{"kept": fields["grant-0-kept"]}, {"kept": fields["grant-1-kept"]}]

    owner_client.post(url, left(fields, *rows, row("account", "READ", "100000000088")) | {"step": "save"})

    (put,) = odd.written
    body = put.body.decode()
    assert "<ID>qcs::cam::robot/7</ID>" in body
    assert "<Permission>RESTORE</Permission>" in body
    assert "100000000088" in body


def test_unknown_grant_can_be_removed_and_the_review_says_so(
    owner_client: Client, odd: OddStore, url: str
) -> None:
    odd.grants = ROBOT + RESTORE
    fields = opened(owner_client, url)

    review = owner_client.post(url, left(fields, {"kept": "1"}))
    owner_client.post(url, fields_of(review.text) | {"step": "save"})

    assert "qcs::cam::robot/7" in review.text
    (put,) = odd.written
    assert b"robot" not in put.body
    assert b"RESTORE" in put.body


@pytest.mark.parametrize("choice", ["private", "named"])
def test_what_a_write_would_lose_needs_consent(
    owner_client: Client, odd: OddStore, url: str, choice: str
) -> None:
    odd.beyond = UNTIL
    fields = left(opened(owner_client, url), row("account", "READ", "100000000088"), choice=choice)

    refused = owner_client.post(url, fields | {"step": "save"})

    assert refused.status_code == 422
    assert "AccessControlPolicy/Until" in refused.text
    assert "Saving would lose it." in refused.text
    assert odd.written == []
    owner_client.post(url, fields | {"step": "save", "drop_unknown": "on"})
    assert len(odd.written) == 1


def test_label_that_the_grants_contradict_is_told(owner_client: Client, odd: OddStore, url: str) -> None:
    everyone = "http://cam.qcloud.com/groups/global/AllUsers"
    odd.grants = f"<Grant><Grantee><URI>{everyone}</URI></Grantee><Permission>WRITE</Permission></Grant>"
    odd.label = "private"

    page = owner_client.get(url).text

    assert "The store&#x27;s label says private; the grants say more: Everyone on the internet can" in page


def test_store_that_keeps_something_else_is_told(owner_client: Client, odd: OddStore, url: str) -> None:
    fields = left(opened(owner_client, url), row("account", "READ", "100000000088"))

    page = owner_client.post(url, fields | {"step": "save"}, follow=True).text

    assert "the store now holds something else than was entered" in page


@pytest.mark.parametrize("kept", ["7", "-1", "x", pytest.param("0" * 5000, id="long")])
def test_kept_rows_that_are_none_are_refused(
    owner_client: Client, odd: OddStore, url: str, kept: str
) -> None:
    odd.grants = ROBOT

    page = owner_client.post(url, left(opened(owner_client, url), {"kept": kept}) | {"step": "save"})

    assert page.status_code == 422
    assert odd.written == []
