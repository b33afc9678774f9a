"""CORS, tags, location, batches and buckets; and documents that are no documents."""

from __future__ import annotations

import logging

import pytest

from apps.localstore import LocalStore
from tests.localstore.conftest import OTHER, OWNER, Connect
from tests.localstore.wire import Reply, Wire, md5_header


def put_xml(wire: Wire, target: str, body: str | bytes, method: str = "PUT") -> Reply:
    raw = body.encode() if isinstance(body, str) else body
    return wire.request(method, target, md5_header(raw), raw)


def cors(*rules: str) -> str:
    return (
        f"<CORSConfiguration>{''.join(f'<CORSRule>{rule}</CORSRule>' for rule in rules)}</CORSConfiguration>"
    )


ORIGIN = "https://app.example.com"
EXPLICIT = (
    f"<AllowedOrigin>{ORIGIN}</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod>"
    "<AllowedHeader>X-A</AllowedHeader><AllowedHeader>x-cos-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>"
    "<MaxAgeSeconds>600</MaxAgeSeconds>"
)
WIDE = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader>"


def preflight(wire: Wire, method: str, headers: str = "", origin: str = ORIGIN) -> Reply:
    named = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        named["Access-Control-Request-Headers"] = headers
    return wire.request("OPTIONS", "/k", named)


def test_cors_comes_back_as_it_was_put(wire: Wire) -> None:
    assert wire.call("GET", "/?cors").code == "NoSuchCORSConfiguration"
    assert put_xml(wire, "/?cors", cors(f"<ID>one</ID>{EXPLICIT}", WIDE)).status == 200

    xml = wire.call("GET", "/?cors").xml

    first, second = xml.findall("CORSRule")
    assert first[0].tag == "ID"
    assert [m.text for m in first.findall("AllowedMethod")] == ["PUT", "GET"]
    assert first.findtext("MaxAgeSeconds") == "600"
    assert second.find("MaxAgeSeconds") is None
    assert wire.call("DELETE", "/?cors").status == 204
    assert wire.call("GET", "/?cors").status == 404


def test_preflight_with_an_explicit_rule(wire: Wire, connect: Connect) -> None:
    put_xml(wire, "/?cors", cors(EXPLICIT))

    reply = preflight(connect(None), "PUT", "x-a, X-COS-ACL")

    assert (reply.status, reply.body) == (200, b"")
    assert reply.header("Access-Control-Allow-Origin") == ORIGIN
    assert reply.header("Access-Control-Allow-Credentials") == "true"
    assert reply.header("Access-Control-Allow-Methods") == "PUT,GET"
    assert reply.header("Access-Control-Allow-Headers") == "x-a,x-cos-*"
    assert reply.header("Access-Control-Expose-Headers") == "ETag"
    assert reply.header("Access-Control-Max-Age") == "600"


def test_preflight_with_a_wide_rule(wire: Wire, connect: Connect) -> None:
    put_xml(wire, "/?cors", cors(WIDE))

    reply = preflight(connect(None), "GET", "x-one, x-two")

    assert reply.header("Access-Control-Allow-Origin") == "*"
    assert reply.header("Access-Control-Allow-Credentials") is None
    assert reply.header("Access-Control-Allow-Headers") == "x-one,x-two"


@pytest.mark.parametrize(
    ("method", "headers", "origin"),
    [
        ("DELETE", "", ORIGIN),
        ("PUT", "x-b", ORIGIN),
        ("PUT", "", "https://evil.example.com"),
        ("PUT", "", ""),
    ],
)
def test_preflight_outside_the_rules(wire: Wire, method: str, headers: str, origin: str) -> None:
    put_xml(wire, "/?cors", cors(EXPLICIT))

    reply = preflight(wire, method, headers, origin)

    assert reply.code == ("AccessForbidden" if origin else "InvalidRequest")


@pytest.mark.parametrize("kind", ["slow_down", "error", "error_in_200"])
def test_other_origins_may_read_faults_as_well(store: LocalStore, wire: Wire, kind: str) -> None:
    put_xml(wire, "/?cors", cors(EXPLICIT))
    store.faults.add(kind, operation="PutObject")

    reply = wire.request("PUT", "/k", {"Origin": ORIGIN}, b"x")

    assert reply.header("Access-Control-Allow-Origin") == ORIGIN
    assert reply.code in ("SlowDown", "InternalError")


def test_first_rule_that_matches_decides(wire: Wire, connect: Connect) -> None:
    first = EXPLICIT.replace(">PUT<", ">HEAD<")
    second = EXPLICIT.replace("600", "7").replace("ETag", "x-cos-request-id")
    put_xml(wire, "/?cors", cors(first, second, WIDE))
    wire.call("PUT", "/k", b"x")
    anybody = connect(None)

    ages = [preflight(anybody, method, "x-a").header("Access-Control-Max-Age") for method in ("GET", "PUT")]
    replies = [wire.request(method, "/k", {"Origin": ORIGIN}) for method in ("GET", "PUT")]

    assert ages == ["600", "7"]
    exposed = [reply.header("Access-Control-Expose-Headers") for reply in replies]
    assert exposed == ["ETag", "x-cos-request-id"]
    assert all(reply.header("Vary") == "Origin" for reply in replies)
    other = wire.request("GET", "/k", {"Origin": "https://other.example.com"})
    assert other.header("Access-Control-Allow-Origin") == "*"
    assert other.header("Access-Control-Allow-Credentials") is None


def test_every_requested_header_must_be_allowed(wire: Wire, connect: Connect) -> None:
    put_xml(wire, "/?cors", cors(EXPLICIT))

    assert preflight(connect(None), "PUT", "X-A,x-cos-meta-b").status == 200
    assert preflight(connect(None), "PUT", "X-A,x-other").status == 403


def test_preflight_without_rules_or_bucket(wire: Wire, connect: Connect) -> None:
    assert preflight(wire, "GET").code == "AccessForbidden"
    assert preflight(connect(to="missing-1250000000"), "GET").code == "AccessForbidden"


def test_actual_requests_carry_the_headers_when_a_rule_matches(wire: Wire, connect: Connect) -> None:
    put_xml(wire, "/?cors", cors(EXPLICIT))
    wire.call("PUT", "/k", b"x")

    assert wire.request("GET", "/k", {"Origin": ORIGIN}).header("Access-Control-Allow-Origin") == ORIGIN
    refused = connect(None).request("GET", "/k", {"Origin": ORIGIN})
    assert (refused.status, refused.header("Access-Control-Allow-Origin")) == (403, ORIGIN)
    assert (
        wire.request("GET", "/k", {"Origin": "https://x.org"}).header("Access-Control-Allow-Origin") is None
    )
    assert wire.call("GET", "/k").header("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize(
    ("pattern", "origin", "status"),
    [
        ("https://*.example.com", "https://a.example.com", 200),
        ("https://*.example.com", "https://example.com", 403),
        ("http://localhost:8080", "http://localhost:8080", 200),
        ("http://localhost:8080", "http://localhost", 403),
        ("http://*", "https://a", 403),
    ],
)
def test_one_star_in_an_origin(wire: Wire, pattern: str, origin: str, status: int) -> None:
    put_xml(
        wire, "/?cors", cors(f"<AllowedOrigin>{pattern}</AllowedOrigin><AllowedMethod>GET</AllowedMethod>")
    )

    assert preflight(wire, "GET", origin=origin).status == status


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (cors(), "MalformedXML"),
        (cors(*[WIDE] * 101), "MalformedXML"),
        (cors("<AllowedOrigin>*</AllowedOrigin>"), "MalformedXML"),
        (cors(WIDE.replace("GET", "PATCH")), "InvalidArgument"),
        (cors(WIDE.replace("GET", "get")), "InvalidArgument"),
        (cors(EXPLICIT.replace("ETag", "*")), "InvalidArgument"),
        (cors(EXPLICIT.replace(ORIGIN, "example.com")), "InvalidArgument"),
        (cors(EXPLICIT.replace(ORIGIN, "https://*.*.com")), "InvalidArgument"),
        (cors(EXPLICIT.replace("600", "soon")), "InvalidArgument"),
        (cors(WIDE) + " " * 65536, "XMLSizeLimit"),
    ],
)
def test_refused_cors(wire: Wire, body: str, code: str) -> None:
    assert put_xml(wire, "/?cors", body).code == code


def test_documents_need_their_md5(wire: Wire) -> None:
    assert wire.call("PUT", "/?cors", cors(WIDE).encode()).code == "InvalidRequest"
    wrong = md5_header(b"other")
    assert wire.request("PUT", "/?cors", wrong, cors(WIDE).encode()).code == "BadDigest"


def tagging(*tags: tuple[str, str]) -> str:
    rows = "".join(f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>" for key, value in tags)
    return f"<Tagging><TagSet>{rows}</TagSet></Tagging>"


def test_tags_come_back_and_go(wire: Wire) -> None:
    assert wire.call("GET", "/?tagging").code == "NoSuchTagSet"
    assert put_xml(wire, "/?tagging", tagging(("部门", "研发 +-=._:/@"), ("k", ""))).status == 204

    tags = wire.call("GET", "/?tagging").xml.iter("Tag")

    assert [(t.findtext("Key"), t.findtext("Value")) for t in tags] == [("部门", "研发 +-=._:/@"), ("k", "")]
    assert wire.call("DELETE", "/?tagging").status == 204
    assert wire.call("GET", "/?tagging").status == 404


def test_fifty_tags_at_full_length(wire: Wire) -> None:
    tags = [(f"{n:03}".ljust(128, "k"), "v" * 256) for n in range(50)]

    assert put_xml(wire, "/?tagging", tagging(*tags)).status == 204


@pytest.mark.parametrize(
    "tags",
    [
        [("k", "1"), ("k", "2")],
        [(str(n), "v") for n in range(51)],
        [("k" * 129, "v")],
        [("k", "v" * 257)],
        [("", "v")],
        [("a!b", "v")],
        [("qcs:a", "v")],
    ],
)
def test_refused_tags(wire: Wire, tags: list[tuple[str, str]]) -> None:
    assert put_xml(wire, "/?tagging", tagging(*tags)).code == "InvalidTag"


def test_location_is_the_plain_region(wire: Wire) -> None:
    xml = wire.call("GET", "/?location").xml

    assert (xml.tag, xml.text) == ("LocationConstraint", "ap-beijing")


def batch(*keys: str, quiet: bool = False) -> str:
    rows = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
    return f"<Delete><Quiet>{str(quiet).lower()}</Quiet>{rows}</Delete>"


def test_batch_deletes_what_is_there_and_what_is_not(wire: Wire) -> None:
    wire.call("PUT", "/a//b", b"x")
    wire.call("PUT", "/keep", b"x")

    reply = put_xml(wire, "/?delete", batch("a//b", "missing"), "POST")

    assert [row.findtext("Key") for row in reply.xml.iter("Deleted")] == ["a//b", "missing"]
    assert [row.findtext("Key") for row in wire.call("GET", "/").xml.iter("Contents")] == ["keep"]


def test_quiet_batch_names_failures_only(wire: Wire) -> None:
    versioned = "<Object><Key>k</Key><VersionId>abc</VersionId></Object>"

    silent = put_xml(wire, "/?delete", batch("a", quiet=True), "POST")
    mixed = put_xml(
        wire, "/?delete", batch("a", quiet=True).replace("</Delete>", versioned + "</Delete>"), "POST"
    )

    assert silent.body == b"<DeleteResult/>"
    assert [e.findtext("Code") for e in mixed.xml.iter("Error")] == ["NoSuchVersion"]


def test_sizes_of_a_batch(wire: Wire) -> None:
    keys = [f"k{n}" for n in range(1001)]

    assert put_xml(wire, "/?delete", batch(*keys[:1000]), "POST").status == 200
    assert put_xml(wire, "/?delete", batch(*keys), "POST").code == "MalformedXML"
    assert put_xml(wire, "/?delete", batch(), "POST").code == "MalformedXML"


def test_batch_without_md5_or_right(wire: Wire, connect: Connect) -> None:
    assert wire.call("POST", "/?delete", batch("a").encode()).code == "InvalidRequest"
    assert put_xml(connect(None), "/?delete", batch("a"), "POST").code == "AccessDenied"


@pytest.mark.parametrize(
    ("bucket", "region", "code"),
    [
        ("UPPER-1250000000", "ap-beijing", None),
        ("-x-1250000000", "ap-beijing", "InvalidBucketName"),
        ("x--1250000000", "ap-beijing", "InvalidBucketName"),
        ("under_score-1250000000", "ap-beijing", "InvalidBucketName"),
        ("noappid", "ap-beijing", "InvalidBucketName"),
        ("x-1250000009", "ap-beijing", "AccessDenied"),
        ("a" * 21 + "-1250000000", "ap-beijing", None),
        ("a" * 22 + "-1250000000", "ap-beijing", "BucketNameTooLong"),
        ("x-1250000000", "ap-atlantis", "InvalidRegionName"),
    ],
)
def test_names_of_buckets(connect: Connect, bucket: str, region: str, code: str | None) -> None:
    wire = connect(to=bucket, region=region)

    reply = wire.call("PUT", "/")

    assert reply.status == 200 if code is None else reply.code == code
    wire.call("DELETE", "/")


def test_buckets_that_exist_already(wire: Wire, connect: Connect) -> None:
    assert wire.call("PUT", "/").code == "BucketAlreadyOwnedByYou"
    assert connect(region="ap-tokyo").call("PUT", "/").code == "BucketAlreadyOwnedByYou"
    assert connect(OTHER).call("PUT", "/").code == "BucketAlreadyExists"
    assert connect(None, to="new-1250000000").call("PUT", "/").code == "AccessDenied"


def test_new_bucket_takes_acl_zone_and_tags(connect: Connect) -> None:
    wire = connect(to="full-1250000000")
    body = "<CreateBucketConfiguration><BucketAZConfig>MAZ</BucketAZConfig></CreateBucketConfiguration>"
    headers = {"x-cos-acl": "public-read", "x-cos-tagging": "a%20b=1&c=2"}
    assert wire.request("PUT", "/", headers, body.encode()).status == 200
    try:
        head = connect(None, to="full-1250000000").call("HEAD", "/")

        assert head.header("x-cos-bucket-az-type") == "MAZ"
        assert head.header("x-cos-bucket-region") == "ap-beijing"
        tags = wire.call("GET", "/?tagging").xml.iter("Tag")
        assert [(t.findtext("Key"), t.findtext("Value")) for t in tags] == [("a b", "1"), ("c", "2")]
    finally:
        wire.call("DELETE", "/")


def test_full_bucket_stays(wire: Wire) -> None:
    wire.call("PUT", "/k", b"x")

    assert (wire.call("DELETE", "/").code, wire.call("HEAD", "/").status) == ("BucketNotEmpty", 200)


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><Tagging>&b;</Tagging>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff\xfe",
        b"<",
        b"<Tagging>",
        b"<Other/>",
        b"<Tagging/>" + b"\x00",
        b'<?xml version="1.0" encoding="no-such"?><Tagging/>',
        BOMB,
        b"<a>" * 5000,
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><Tagging/>',
        "<Tagging><TagSet><Tag><Key>\ud800</Key></Tag></TagSet></Tagging>".encode("utf-8", "surrogatepass"),
        b"<Delete><Object/></Delete>",
        b"<CompleteMultipartUpload><Part><PartNumber>x</PartNumber></Part></CompleteMultipartUpload>",
        b"<CompleteMultipartUpload><Part><ETag>a</ETag></Part></CompleteMultipartUpload>",
    ],
)
@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("PUT", "/?acl"),
        ("PUT", "/?cors"),
        ("PUT", "/?tagging"),
        ("POST", "/?delete"),
        ("POST", "/k?uploadId=x"),
    ],
)
def test_garbage_is_a_400_and_never_a_traceback(
    store: LocalStore, wire: Wire, caplog: pytest.LogCaptureFixture, method: str, target: str, body: bytes
) -> None:
    reply = put_xml(wire, target, body, method)

    assert reply.status in (400, 404)
    assert reply.code
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert wire.call("GET", "/").status == 200
    assert OWNER.secret_key.encode() not in reply.body


@pytest.mark.parametrize(
    "field",
    [
        "<AllowedHeader>x&#13;&#10;Set-Cookie: a</AllowedHeader>",
        "<ExposeHeader>x&#10;y</ExposeHeader>",
        "<ExposeHeader>é</ExposeHeader>",
        "<AllowedOrigin>http://a&#10;b</AllowedOrigin>",
        "<MaxAgeSeconds>٣</MaxAgeSeconds>",
    ],
)
def test_cors_rule_cannot_write_headers_of_its_own(wire: Wire, field: str) -> None:
    rule = f"<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>{field}"
    body = f"<CORSConfiguration><CORSRule>{rule}</CORSRule></CORSConfiguration>".encode()

    assert wire.request("PUT", "/?cors", md5_header(body), body).code == "InvalidArgument"
