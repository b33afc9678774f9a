from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.cors import Cors, CorsRule
from apps.storage.grants import EVERYONE, SIGNED_IN, Acl, Grant, Permission, account_grantee
from apps.storage.store import ObjectStore
from tests.conftest import REGION
from tests.hostile import HOSTILE_KEYS

URL = "/explain/"


def ask(client: Client, url: str, **fields: str) -> tuple[str, str]:
    """Post what was pasted, and return the address that it leads to and the page there."""
    response = client.post(URL, {"url": url, **fields})
    assert response.status_code == 302, response.text
    return response["Location"], client.get(response["Location"]).text


def about(client: Client, connection: Connection, bucket: str, key: str = "", **query: str) -> str:
    given = "".join(f"&{name}={quote(value, safe='')}" for name, value in query.items())
    return client.get(
        f"{URL}?connection={connection.slug}&bucket={bucket}&key={quote(key, safe='')}{given}"
    ).text


def test_public_object_is_proven_by_a_request_without_a_key(
    member_client: Client, store: ObjectStore, bucket: str, put: Callable[..., str]
) -> None:
    put("a b.txt")
    store.put_object_acl(bucket=bucket, region=REGION, key="a b.txt", acl="public-read")

    _place, page = ask(member_client, store.object_url(bucket=bucket, region=REGION, key="a b.txt"))

    assert "Everyone on the internet can open this." in page
    assert "Proof: the store answered a request without any key." in page
    assert "has grants of its own, and they go before the bucket" in page
    assert "cannot be read here, and may let more people in" in page


def test_private_object_is_closed_and_proven(
    member_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    put("k")

    page = about(member_client, connection, bucket, "k")

    assert "Only the owner can open this." in page
    assert "Proof: the store refused a request without any key." in page
    assert "the bucket&#x27;s decide" in page
    assert "is-closed" in page


def test_public_bucket_opens_what_inherits_and_lists_it(
    member_client: Client, connection: Connection, store: ObjectStore, bucket: str, put: Callable[..., str]
) -> None:
    put("k")
    store.put_bucket_acl(bucket=bucket, region=REGION, acl="public-read")

    assert "Everyone can also list the keys" in about(member_client, connection, bucket, "k")
    assert "Everyone on the internet can open this." in about(member_client, connection, bucket)


def test_signed_in_and_named_are_told_apart(
    member_client: Client, connection: Connection, store: ObjectStore, bucket: str, put: Callable[..., str]
) -> None:
    put("k")
    owner = store.get_bucket_acl(bucket=bucket, region=REGION).owner
    for who, said in (
        (SIGNED_IN, "Everyone with an account at this cloud can open this."),
        (account_grantee("100000000099"), "Only the owner and those who are named can open this."),
    ):
        acl = Acl(owner, (Grant(who, Permission.READ),))
        store.put_object_acl(bucket=bucket, region=REGION, key="k", acl=acl)
        assert said in about(member_client, connection, bucket, "k")


def test_refused_grants_are_unknown_and_not_nobody(
    member_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    local_store: LocalStore,
) -> None:
    put("k")
    for operation in ("GetObjectAcl", "GetBucketAcl"):
        local_store.faults.add("error", operation=operation, count=None, status=403, code="AccessDenied")

    page = about(member_client, connection, bucket, "k")

    assert "Who can open this is not clear." in page
    assert "whom they name is unknown, which is not “nobody”" in page
    assert "is-unclear" in page
    assert "AccessDenied" in page


def test_probe_without_an_answer_proves_nothing(
    member_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    local_store: LocalStore,
) -> None:
    put("k")
    local_store.faults.add("error", operation="HeadObject", count=None, status=400, code="InvalidArgument")

    page = about(member_client, connection, bucket, "k")

    assert "got no usable answer, so nothing is proven" in page
    assert "is-closed" not in page


def test_grants_that_say_public_over_a_refused_probe_are_not_believed(
    member_client: Client, connection: Connection, store: ObjectStore, bucket: str, put: Callable[..., str]
) -> None:
    put("k")
    owner = store.get_bucket_acl(bucket=bucket, region=REGION).owner
    acl = Acl(owner, (Grant(EVERYONE, Permission.READ_ACP),))
    store.put_object_acl(bucket=bucket, region=REGION, key="k", acl=acl)

    page = about(member_client, connection, bucket, "k")

    assert "Everyone on the internet can see who has access to the object." in page
    assert "Only the owner can open this." in page


@pytest.mark.parametrize(
    ("meant", "asked"),
    [
        ("Report.PDF", "report.pdf"),
        ("Docs/Report.pdf", "docs/report.pdf"),
        ("folder/", "folder"),
        ("file", "file/"),
        ("two words.txt", "two+words.txt"),
        ("a b", "a%20b"),
        ("x", " x "),
    ],
)
def test_missing_object_has_its_near_names(
    member_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    meant: str,
    asked: str,
) -> None:
    put(meant)

    page = about(member_client, connection, bucket, asked)

    assert "There is no object with this key." in page
    assert "Did you mean one of these?" in page
    assert f"key={quote(meant, safe='').replace('%20', '+')}" in page.replace("&amp;", "&")


def test_missing_object_without_near_names_says_so(
    member_client: Client, connection: Connection, bucket: str, local_store: LocalStore
) -> None:
    assert "No key with the same letters" in about(member_client, connection, bucket, "nothing/here")

    local_store.faults.add("error", operation="ListObjects", count=None, status=403, code="AccessDenied")
    assert "could not be listed" in about(member_client, connection, bucket, "nothing/here")


def test_signature_never_reaches_an_address_of_ours(
    member_client: Client, store: ObjectStore, bucket: str, put: Callable[..., str]
) -> None:
    put("k")
    signed = store.presign_get(bucket=bucket, region=REGION, key="k", expires_s=3600)

    place, page = ask(member_client, signed)

    assert "sign" not in place
    assert "q-signature" not in page
    assert "whoever has the whole address gets in" in page
    redirected = member_client.get(URL, {"url": signed})
    assert redirected.status_code == 302
    assert "sign" not in redirected["Location"]


def test_ended_signature_is_told(
    member_client: Client, store: ObjectStore, bucket: str, put: Callable[..., str]
) -> None:
    put("k")
    signed = store.presign_get(bucket=bucket, region=REGION, key="k", expires_s=3600)
    start, end = parse_qs(urlsplit(signed).query)["q-sign-time"][0].split(";")
    old = signed.replace(end, str(int(end) - 7200)).replace(start, str(int(start) - 7200))

    assert "The store refuses it since then" in ask(member_client, old)[1]


def test_wrong_region_is_told_and_the_right_address_shown(
    member_client: Client, store: ObjectStore, bucket: str, put: Callable[..., str]
) -> None:
    put("k")
    right = store.object_url(bucket=bucket, region=REGION, key="k")

    page = ask(member_client, right.replace(REGION, "ap-beijing"))[1]

    assert "It names the region ap-beijing, and the bucket lies in ap-guangzhou" in page
    assert right in page


@pytest.mark.parametrize(
    ("pasted", "key", "note"),
    [
        ("{bucket}/a/k", "a/k", ""),
        ("{bucket}", "", ""),
        ("{bucket}.cos.ap-guangzhou.myqcloud.com/a/k", "a/k", ""),
        ("HTTPS://{bucket}.COS.ap-guangzhou.MYQCLOUD.com/a/k#top", "a/k", "fragment"),
        ("https://{bucket}.cos.ap-guangzhou.myqcloud.com/", "", ""),
        ("https://cos.ap-guangzhou.myqcloud.com/{bucket}/a/k", "a/k", "path"),
        ("https://{bucket}.cos.accelerate.myqcloud.com/a/k", "a/k", ""),
        ("https://{bucket}.cos-website.ap-guangzhou.myqcloud.com/a/k", "a/k", ""),
        ("cos://{bucket}/a/k", "a/k", ""),
        ("S3://{bucket}", "", ""),
    ],
)
def test_ways_to_write_an_address(
    member_client: Client, connection: Connection, bucket: str, pasted: str, key: str, note: str
) -> None:
    connection.known_buckets.create(name=bucket, region=REGION, seen_at="2026-01-01T00:00:00Z")

    place, page = ask(member_client, pasted.format(bucket=bucket))

    asked = parse_qs(urlsplit(place).query, keep_blank_values=True)
    assert asked["bucket"] == [bucket]
    assert asked["key"] == [key]
    assert asked.get("note", [""]) == [note]
    assert "What was asked" in page
    assert "It names the region" not in page


def test_slow_search_for_similar_keys_holds_no_page_up(
    member_client: Client,
    connection: Connection,
    bucket: str,
    local_store: LocalStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("apps.access.services.explaining.NEAR_TIMEOUT_S", 0.2)
    local_store.faults.add("delay", operation="ListObjects", count=None, seconds=1.0)

    page = about(member_client, connection, bucket, "no/such")

    assert "There is no object with this key." in page
    assert "a similar key could not be looked for" in page


def test_grants_that_are_shown_are_those_that_decide(
    member_client: Client, connection: Connection, store: ObjectStore, bucket: str, put: Callable[..., str]
) -> None:
    put("k")
    grant = Grant(account_grantee("100000000077"), Permission.READ)
    seen = store.get_bucket_acl(bucket=bucket, region=REGION)
    store.put_bucket_acl(bucket=bucket, region=REGION, acl=Acl(seen.owner, (grant,)))

    assert "uin/100000000077" in about(member_client, connection, bucket, "k")


def test_key_with_line_breaks_is_asked_about_again(
    member_client: Client, connection: Connection, store: ObjectStore, bucket: str, put: Callable[..., str]
) -> None:
    put("line\nbreak")

    page = about(member_client, connection, bucket, "line\nbreak")

    address = store.object_url(bucket=bucket, region=REGION, key="line\nbreak")
    assert f'name="url" value="{address}"' in page
    assert parse_qs(urlsplit(ask(member_client, address)[0]).query)["key"] == ["line\nbreak"]


def test_domain_of_ones_own_is_read_with_the_bucket_behind_it(
    member_client: Client, bucket: str, put: Callable[..., str]
) -> None:
    put("img/logo.png")

    place, page = ask(member_client, "https://cdn.example.com/img/logo.png?x=1", bucket=bucket)

    assert "img%2Flogo.png" in place
    assert "A CDN or a domain of your own follows the bucket" in page


@pytest.mark.parametrize("key", ["photo.final.jpg", "plain", *HOSTILE_KEYS[:5]])
def test_key_of_a_bucket_is_taken_as_it_is(member_client: Client, bucket: str, key: str) -> None:
    place, page = ask(member_client, key, bucket=bucket)

    assert parse_qs(urlsplit(place).query)["key"] == [key]
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "pasted",
    [
        "http://127.0.0.1:{port}/secret",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost:{port}/-/faults",
        "https://t-x-1250000000.cos.ap-guangzhou.evil.example/k",
        "https://elsewhere-1259999999.cos.ap-guangzhou.myqcloud.com/k",
        "http://[::1/k",
        "http://user:pass@example.com/k",
        "cdn.example.com/k",
        "nothing-1250000000/k",
        "   ",
        "",
    ],
)
def test_nothing_is_asked_of_a_host_that_was_typed(
    member_client: Client, bucket: str, local_store: LocalStore, pasted: str
) -> None:
    response = member_client.post(URL, {"url": pasted.format(port=local_store.port)})

    assert response.status_code == 422
    assert "What was asked" not in response.text


def test_bucket_of_somebody_else_is_in_none_of_your_connections(
    stranger_client: Client,
    other_connection: Connection,
    connection: Connection,
    store: ObjectStore,
    bucket: str,
    put: Callable[..., str],
) -> None:
    put("k")
    store.put_object_acl(bucket=bucket, region=REGION, key="k", acl="public-read")
    address = store.object_url(bucket=bucket, region=REGION, key="k")

    pasted = stranger_client.post(URL, {"url": address})
    named = stranger_client.get(URL, {"connection": connection.slug, "bucket": bucket, "key": "k"})

    assert pasted.status_code == 422
    assert "is no bucket of your connections" in pasted.text
    assert named.status_code == 404
    assert "is not in any of your connections" in named.text
    for page in (pasted.text, named.text):
        assert connection.name not in page
        assert "can open this." not in page


def test_key_that_may_not_list_buckets_explains_what_it_can_reach(
    member_client: Client,
    connection: Connection,
    bucket: str,
    put: Callable[..., str],
    local_store: LocalStore,
) -> None:
    put("k")
    connection.default_region = REGION
    connection.save()
    local_store.faults.add("error", operation="GetService", count=None, status=403, code="AccessDenied")

    assert "Only the owner can open this." in about(member_client, connection, bucket, "k")


def test_browser_is_told_what_cors_says(
    member_client: Client, connection: Connection, store: ObjectStore, bucket: str, put: Callable[..., str]
) -> None:
    put("k")
    rule = CorsRule(origins=("https://app.example.com",), methods=("GET",))
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=Cors((rule,)))
    place = store.object_url(bucket=bucket, region=REGION, key="k")

    allowed = ask(member_client, place, origin="https://app.example.com")[1]
    refused = ask(member_client, place, origin="https://evil.example", method="PUT")[1]

    assert "A browser lets a page of https://app.example.com send GET" in allowed
    assert "A browser stops a page of https://evil.example that sends PUT" in refused
    assert "That protects no data" in refused


def test_origin_that_is_none_is_explained(member_client: Client, bucket: str) -> None:
    page = member_client.post(URL, {"url": bucket, "origin": "evil\r\nX: y"})

    assert page.status_code == 422
    assert "An origin is a scheme and a host" in page.text


@pytest.mark.parametrize("expires", ["x", "-1", "9" * 40, "٣", "0"])
def test_odd_fields_of_an_address_of_ours_do_no_harm(
    member_client: Client, connection: Connection, bucket: str, expires: str
) -> None:
    page = about(member_client, connection, bucket, "", expires=expires, note="x", said="\x00", origin="a b")

    assert "What was asked" in page


def test_impossible_key_is_explained(member_client: Client, connection: Connection, bucket: str) -> None:
    assert "No object can have this key." in about(member_client, connection, bucket, "/leading")


def test_asks_nothing_without_a_question(member_client: Client, connection: Connection) -> None:
    page = member_client.get(URL)

    assert page.status_code == 200
    assert "Paste an address that somebody sent you" in page.text
