from __future__ import annotations

from html import unescape

from django.test import Client

from apps.buckets.models import BucketFacts
from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.cors import Cors, CorsRule
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag
from apps.storage.types import ObjectHeaders
from tests.conftest import ACCOUNT, REGION


def shown(client: Client, connection: Connection, bucket: str) -> str:
    response = client.get(f"/b/{connection.slug}/{bucket}/")
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_bucket_is_told_at_a_glance(
    member_client: Client, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    store.put_bucket_tags(bucket=bucket, region=REGION, tags=[Tag("team", "design")])
    rule = CorsRule(origins=("https://example.com",), methods=("GET",))
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=Cors((rule,)))
    store.create_multipart_upload(bucket=bucket, region=REGION, key="half", headers=ObjectHeaders())

    page = shown(member_client, connection, bucket)

    assert "Private: only the owner's account gets in." in page
    assert ACCOUNT.root_uin in page
    assert "agrees" in page
    assert f"{bucket}.cos.{REGION}.myqcloud.com" in page
    assert "1 rule" in page
    assert "?tag=team=design" in page
    assert "1 upload was begun and not finished." in page
    assert "exists, and the key may read it" in page
    assert BucketFacts.objects.get(bucket=bucket).access == "private"


def test_one_refusal_leaves_the_rest_and_shows_its_code(
    owner_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="GetBucketAcl", count=None, status=403, code="AccessDenied")

    page = shown(owner_client, connection, bucket)

    assert "AccessDenied" in page
    assert "Request id" in page
    assert "Private: only" not in page
    assert "agrees" in page
    assert BucketFacts.objects.get(bucket=bucket).access == "unknown"


def test_failing_store_is_explained_everywhere_it_fails(
    owner_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    owner_client.get("/buckets/")
    for operation in ("GetBucketLocation", "GetBucketCors", "GetBucketTagging", "ListMultipartUploads"):
        local_store.faults.add("error", operation=operation, count=None, status=403, code="AccessDenied")

    page = shown(owner_client, connection, bucket)

    assert page.count("The connection's key may not do this.") == 4
    assert "agrees" not in page
    assert "No tags." not in page


def test_refusal_without_words_is_explained_by_the_other_answers(
    owner_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    owner_client.get("/buckets/")
    local_store.faults.add("clock_skew", seconds=-7200, count=None)

    page = shown(owner_client, connection, bucket)

    assert "The clock of this server is wrong by more than 15 minutes." in page
    assert "The connection's key may not do this." not in page


def test_reader_sees_danger_disabled_with_its_reason(
    member_client: Client, connection: Connection, bucket: str
) -> None:
    assert "Empty or delete: this needs the role “Administrator”" in shown(member_client, connection, bucket)


def test_stranger_gets_404(stranger_client: Client, connection: Connection, bucket: str) -> None:
    assert stranger_client.get(f"/b/{connection.slug}/{bucket}/").status_code == 404


def test_bucket_that_is_gone_is_said(owner_client: Client, connection: Connection) -> None:
    response = owner_client.get(f"/b/{connection.slug}/gone-{ACCOUNT.appid}/")

    assert response.status_code == 404
    assert "This bucket does not exist" in response.content.decode()
