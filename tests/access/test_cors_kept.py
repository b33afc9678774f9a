"""What a store keeps beside the rules that the console knows: it is written back, or nothing is written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.connections.services import connection_create
from tests.conftest import ACCOUNT, REGION
from tests.storage.recorder import Recorder, reply

BUCKET = "kept-1250000000"
PLAIN = "<AllowedOrigin>https://a.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
REVIEW = {"do": "review", "rules": "1", "r0-origins": "https://a.example", "r0-methods": ["GET", "PUT"]}


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        yield server


@pytest.fixture
def url(owner: Person, recorder: Recorder) -> str:
    """The CORS page of a bucket whose store says whatever the recorder is told."""
    connection: Connection = connection_create(
        owner=owner,
        name="Recorded",
        scheme="http",
        connect_to=f"127.0.0.1:{recorder.port}",
        appid=ACCOUNT.appid,
        secret_id=ACCOUNT.secret_id,
        secret_key=ACCOUNT.secret_key,
    )
    connection.known_buckets.create(name=BUCKET, region=REGION, seen_at=timezone.now())
    return f"/b/{connection.slug}/{BUCKET}/cors/"


def holds(recorder: Recorder, rule: str, rest: str = "") -> None:
    body = f"<CORSConfiguration><CORSRule>{rule}</CORSRule>{rest}</CORSConfiguration>"
    recorder.default = reply(body=body.encode())


def test_what_cannot_be_kept_stops_the_saving(owner_client: Client, url: str, recorder: Recorder) -> None:
    holds(recorder, f"{PLAIN}<Limits><Rate>1</Rate></Limits>")

    page = owner_client.get(url)
    payload = owner_client.post(url, REVIEW | {"seen": page.context["seen"]}).context["payload"]
    saved = owner_client.post(url, {**payload, "do": "save"})

    assert "It would be lost: CORSRule/Limits." in page.content.decode()
    assert "It would be lost: CORSRule/Limits." in saved.content.decode()
    assert {seen.method for seen in recorder.seen} == {"GET"}


def test_further_elements_are_written_back(owner_client: Client, url: str, recorder: Recorder) -> None:
    holds(recorder, f"{PLAIN}<Comment>a &amp; b</Comment>", "<ResponseVary>true</ResponseVary>")

    page = owner_client.get(url)
    extras = page.context["rows"][0].form["extras"].value()
    data = REVIEW | {"seen": page.context["seen"], "r0-extras": extras}
    payload = owner_client.post(url, data).context["payload"]
    owner_client.post(url, {**payload, "do": "save"})

    sent = next(seen.body.decode() for seen in recorder.seen if seen.method == "PUT")
    assert "<Comment>a &amp; b</Comment></CORSRule>" in sent
    assert "<ResponseVary>true</ResponseVary></CORSConfiguration>" in sent


def test_age_that_is_typed_replaces_one_that_was_no_number(
    owner_client: Client, url: str, recorder: Recorder
) -> None:
    holds(recorder, f"{PLAIN}<MaxAgeSeconds>a while</MaxAgeSeconds>")

    page = owner_client.get(url)
    extras = page.context["rows"][0].form["extras"].value()
    data = REVIEW | {"seen": page.context["seen"], "r0-extras": extras, "r0-max_age_s": "60"}
    payload = owner_client.post(url, data).context["payload"]
    owner_client.post(url, {**payload, "do": "save"})

    sent = next(seen.body.decode() for seen in recorder.seen if seen.method == "PUT")
    assert sent.count("MaxAgeSeconds") == 2
    assert "<MaxAgeSeconds>60</MaxAgeSeconds>" in sent
