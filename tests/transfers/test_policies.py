"""The page that says which way files take into a bucket, and lets an administrator choose."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from apps.access.forms.cors import document_rules
from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.cors import Cors, CorsRule
from apps.storage.store import ObjectStore
from apps.transfers import paths
from apps.transfers.models import UploadPolicy
from apps.transfers.paths import Policy, policy_of, rule_for
from tests.conftest import REGION

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

LOCAL = {"headers": {"host": "127.0.0.1"}}
ORIGIN = "http://127.0.0.1"


@pytest.fixture
def url(connection: Connection, bucket: str, local_store: LocalStore) -> str:
    paths._remembered.clear()
    connection.suffix = f"localhost:{local_store.port}"
    connection.save()
    return f"/b/{connection.slug}/{bucket}/uploads/path/"


@pytest.fixture(autouse=True)
def _hosts(settings: object) -> None:
    settings.ALLOWED_HOSTS = ["*"]  # type: ignore[attr-defined]


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return unescape(found[1])


def test_missing_rule_is_offered_behind_those_that_are_there(
    owner_client: Client, url: str, store: ObjectStore, bucket: str
) -> None:
    other = CorsRule(origins=("https://app.example.com",), methods=("GET",))
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=Cors(rules=(other,)))

    page = owner_client.get(url, **LOCAL).content.decode()

    assert "a CORS rule is missing" in page
    rules = document_rules(hidden(page, "document"))
    assert rules == (other, rule_for(ORIGIN))
    assert hidden(page, "seen") == store.get_bucket_cors(bucket=bucket, region=REGION).digest


def test_offered_rule_is_reviewed_and_then_leads_directly(
    owner_client: Client, url: str, store: ObjectStore, bucket: str, connection: Connection
) -> None:
    page = owner_client.get(url, **LOCAL).content.decode()
    posted = {name: hidden(page, name) for name in ("document", "seen")}
    cors = f"/b/{connection.slug}/{bucket}/cors/"

    review = owner_client.post(cors, posted | {"do": "review"}, **LOCAL)
    assert "is new" in review.content.decode()
    assert store.get_bucket_cors(bucket=bucket, region=REGION).rules == ()
    assert owner_client.post(cors, posted | {"do": "save"}, **LOCAL).status_code == 302

    assert store.get_bucket_cors(bucket=bucket, region=REGION).rules == (rule_for(ORIGIN),)
    assert "Files go directly" in owner_client.get(url, **LOCAL).content.decode()


def test_rule_that_hides_the_sums_is_told(
    owner_client: Client, url: str, store: ObjectStore, bucket: str
) -> None:
    rule = CorsRule(origins=(ORIGIN,), methods=("PUT",))
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=Cors(rules=(rule,)))

    page = owner_client.get(url, **LOCAL).content.decode()

    assert "does not let pages read ETag, x-cos-hash-crc64ecma" in page


def test_member_sees_why_and_changes_nothing(
    member_client: Client, writer_client: Client, stranger_client: Client, url: str
) -> None:
    page = member_client.get(url, **LOCAL).content.decode()

    assert "a CORS rule is missing" in page
    assert "This needs the role “Administrator”." in page
    chosen = {"policy": "direct", "scope": "bucket"}
    for client, status in ((member_client, 403), (writer_client, 403), (stranger_client, 404)):
        assert client.post(url, chosen, **LOCAL).status_code == status
    assert stranger_client.get(url, **LOCAL).status_code == 404
    assert not UploadPolicy.objects.exists()


def test_choice_for_the_bucket_and_for_all(
    owner_client: Client, url: str, connection: Connection, bucket: str
) -> None:
    owner_client.post(url, {"policy": "console", "scope": "bucket"}, **LOCAL)
    assert policy_of(connection, bucket) == Policy.CONSOLE
    assert policy_of(connection, "other-1250000000") == Policy.AUTO

    answer = owner_client.post(url, {"policy": "direct", "scope": "connection"}, **LOCAL)

    assert answer.status_code == 302
    assert policy_of(connection, bucket) == policy_of(connection, "other-1250000000") == Policy.DIRECT
    assert UploadPolicy.objects.count() == 1
    assert "No file can be sent now" in owner_client.get(url, **LOCAL).content.decode()
    assert Entry.objects.filter(verb="bucket.upload-policy").count() == 2


def test_choice_that_is_none_is_refused(owner_client: Client, url: str) -> None:
    answer = owner_client.post(url, {"policy": "teleport"}, **LOCAL)

    assert answer.status_code == 422
    assert "Choose one of these." in answer.content.decode()
    assert "Choose one." in answer.content.decode()


def test_rule_is_for_the_origin_that_browsers_see(owner_client: Client, url: str, settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://other.example.com", "https://console.localhost:8443"]

    page = owner_client.get(url, headers={"host": "console.localhost:8443"}).content.decode()

    # The proxy that ends TLS did not say so.
    assert "https://console.localhost:8443" in page
    assert "http://console.localhost:8443" not in page
