"""Every documented limit at its edge: the last value that is accepted and the first that is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from apps.localstore import Account, LocalStore
from apps.localstore.index import Writer
from apps.localstore.records import Bucket
from apps.localstore.rows import bucket_put
from tests.localstore.conftest import OWNER, Connect
from tests.localstore.wire import Reply, Wire, authorization, complete_xml, md5_header, part_put, upload_begin

MIB = 1024 * 1024
GIB = 1024**3
Asked = Callable[[Wire, int], Reply]


@dataclass(frozen=True)
class Limit:
    """What is asked with a number, the number that still goes, and the code one step beyond."""

    asked: Asked
    edge: int
    code: str
    step: int = 1
    edge_code: str | None = None


def put(target: str, **headers: str) -> Callable[[Wire, bytes], Reply]:
    return lambda wire, body: wire.request("PUT", target, headers | md5_header(body), body)


def key(letter: str) -> Asked:
    return lambda wire, n: wire.call("PUT", "/" + "k" * (n % len(letter.encode())) + quoted(letter, n), b"x")


def quoted(letter: str, size: int) -> str:
    raw = letter.encode()
    return "".join(f"%{byte:02X}" for byte in raw) * (size // len(raw))


def acl(target: str) -> Asked:
    def asked(wire: Wire, n: int) -> Reply:
        grants = "".join(
            f"<Grant><Grantee><ID>{number}</ID></Grantee><Permission>READ</Permission></Grant>"
            for number in range(1, n + 1)
        )
        owner = f"<Owner><ID>{OWNER.principal}</ID></Owner>"
        listed = f"<AccessControlList>{grants}</AccessControlList>"
        body = f"<AccessControlPolicy>{owner}{listed}</AccessControlPolicy>"
        wire.call("PUT", "/k", b"x")
        return put(target)(wire, body.encode())

    return asked


def grant_header(wire: Wire, n: int) -> Reply:
    return wire.call("PUT", "/?acl", x_cos_grant_read=",".join(f'id="{i}"' for i in range(1, n + 1)))


RULE = "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>"


def cors_rules(wire: Wire, n: int) -> Reply:
    return put("/?cors")(wire, f"<CORSConfiguration>{RULE * n}</CORSConfiguration>".encode())


def cors_bytes(wire: Wire, n: int) -> Reply:
    body = f"<CORSConfiguration>{RULE}</CORSConfiguration>".encode()
    return put("/?cors")(wire, body + b" " * (n - len(body)))


def tagging(tags: list[tuple[str, str]]) -> bytes:
    rows = "".join(f"<Tag><Key>{name}</Key><Value>{value}</Value></Tag>" for name, value in tags)
    return f"<Tagging><TagSet>{rows}</TagSet></Tagging>".encode()


def bucket_tags(wire: Wire, n: int) -> Reply:
    return put("/?tagging")(wire, tagging([(f"k{i}", "v") for i in range(n)]))


def tag_key(wire: Wire, n: int) -> Reply:
    return put("/?tagging")(wire, tagging([("标" * n, "v")]))


def tag_value(wire: Wire, n: int) -> Reply:
    return put("/?tagging")(wire, tagging([("k", "值" * n)]))


def object_tags(wire: Wire, n: int) -> Reply:
    return wire.call("PUT", "/k", b"x", x_cos_tagging="&".join(f"k{i}=v" for i in range(n)))


def batch(wire: Wire, n: int) -> Reply:
    rows = "".join(f"<Object><Key>{i}</Key></Object>" for i in range(n))
    body = f"<Delete>{rows}</Delete>".encode()
    return wire.request("POST", "/?delete", md5_header(body), body)


def batch_bytes(wire: Wire, n: int) -> Reply:
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    body += b" " * (n - len(body))
    return wire.request("POST", "/?delete", md5_header(body), body)


def part_number(wire: Wire, n: int) -> Reply:
    return wire.call("PUT", f"/k?partNumber={n}&uploadId={upload_begin(wire, '/k')}", b"x")


def part_count(wire: Wire, n: int) -> Reply:
    body = complete_xml([(i, '"e"') for i in range(1, n + 1)])
    return wire.call("POST", f"/k?uploadId={upload_begin(wire, '/k')}", body)


def first_part(wire: Wire, n: int) -> Reply:
    upload = upload_begin(wire, "/k")
    parts = [(i, part_put(wire, "/k", upload, i, bytes(size))) for i, size in ((1, n), (2, 1))]
    return wire.call("POST", f"/k?uploadId={upload}", complete_xml(parts))


def metadata(wire: Wire, n: int) -> Reply:
    return wire.request("PUT", "/k", {"x-cos-meta-a": "v" * 1000, "x-cos-meta-b": "v" * (n - 1002)}, b"x")


def traffic(wire: Wire, n: int) -> Reply:
    return wire.call("PUT", "/k", b"x", x_cos_traffic_limit=str(n))


def delimiter(wire: Wire, n: int) -> Reply:
    return wire.call("GET", f"/?delimiter={'/' * n}")


LIMITS = {
    "key in ASCII": Limit(key("k"), 850, "KeyTooLong"),
    "key in Chinese": Limit(key("中"), 850, "KeyTooLong"),
    "key in emoji": Limit(key("😀"), 850, "KeyTooLong"),
    "grants of a bucket": Limit(acl("/?acl"), 100, "AttachmentFull"),
    "grants of an object": Limit(acl("/k?acl"), 100, "AttachmentFull"),
    "grants in a header": Limit(grant_header, 100, "AttachmentFull"),
    "CORS rules": Limit(cors_rules, 100, "MalformedXML"),
    "no CORS rule": Limit(cors_rules, 1, "MalformedXML", step=-1),
    "CORS bytes": Limit(cors_bytes, 64 * 1024, "XMLSizeLimit"),
    "tags of a bucket": Limit(bucket_tags, 50, "InvalidTag"),
    "tag key": Limit(tag_key, 128, "InvalidTag"),
    "empty tag key": Limit(tag_key, 1, "InvalidTag", step=-1),
    "tag value": Limit(tag_value, 256, "InvalidTag"),
    "tags of an object": Limit(object_tags, 10, "InvalidTag"),
    "keys of a batch": Limit(batch, 1000, "MalformedXML"),
    "empty batch": Limit(batch, 1, "MalformedXML", step=-1),
    "bytes of a batch": Limit(batch_bytes, 2 * MIB, "XMLSizeLimit"),
    "part number": Limit(part_number, 10_000, "InvalidArgument"),
    "part number zero": Limit(part_number, 1, "InvalidArgument", step=-1),
    "parts of an upload": Limit(part_count, 10_000, "MalformedXML", edge_code="InvalidPart"),
    "size of a part": Limit(first_part, MIB, "EntityTooSmall", step=-1),
    "metadata": Limit(metadata, 2048, "InvalidArgument"),
    "slowest traffic": Limit(traffic, 819_200, "InvalidArgument", step=-1),
    "fastest traffic": Limit(traffic, 838_860_800, "InvalidArgument"),
    "delimiter": Limit(delimiter, 1, "InvalidDelimiter"),
}


@pytest.mark.parametrize("what", LIMITS)
def test_edge_is_accepted_and_one_step_beyond_is_not(wire: Wire, what: str) -> None:
    limit = LIMITS[what]

    inside, outside = limit.asked(wire, limit.edge), limit.asked(wire, limit.edge + limit.step)

    if limit.edge_code is None:
        assert inside.status in (200, 204), inside.body
    else:
        assert inside.code == limit.edge_code
    assert (outside.status, outside.code) == (400, limit.code)


@pytest.mark.parametrize(
    "tags",
    [
        [("k", "1"), ("k", "2")],
        [("qcs:k", "v")],
        [("project", "v")],
        [("项目", "v")],
        [("a*b", "v")],
        [("k", "a;b")],
    ],
)
def test_tags_that_are_never_allowed(wire: Wire, tags: list[tuple[str, str]]) -> None:
    assert put("/?tagging")(wire, tagging(tags)).code == "InvalidTag"
    assert wire.call("GET", "/?tagging").code == "NoSuchTagSet"


@pytest.mark.parametrize(
    ("region", "letters"), [("ap-beijing", 21), ("ap-guangzhou", 19), ("na-siliconvalley", 15)]
)
def test_bucket_host_has_sixty_characters(connect: Connect, region: str, letters: int) -> None:
    longest = connect(to=f"{'a' * letters}-1250000000", region=region)
    assert len(longest.host) == 60

    assert longest.call("PUT", "/").status == 200

    assert longest.call("DELETE", "/").status == 204
    over = connect(to=f"{'a' * (letters + 1)}-1250000000", region=region)
    assert over.call("PUT", "/").code == "BucketNameTooLong"


@pytest.mark.parametrize("name", ["-a-1250000000", "a_b-1250000000", "-1250000000", "a", "a-", "a--"])
def test_names_that_no_bucket_has(connect: Connect, name: str) -> None:
    reply = connect(to=name).call("PUT", "/")

    assert (reply.status, reply.code) == (400, "InvalidBucketName")


@pytest.fixture
def landlord(store: LocalStore) -> Iterator[Account]:
    """A root account with 199 buckets."""
    account = Account(root_uin="777", appid="1257777777", secret_id="AKIDLANDLORD", secret_key="x")
    store.dispatcher.directory.add(account)
    engine = store._engine
    assert engine is not None

    def fill(tx: Writer) -> None:
        for number in range(199):
            bucket_put(tx, Bucket(f"f{number}-1257777777", "777", "ap-beijing", 0))

    engine.index.write(fill)
    yield account
    engine.index.write(lambda tx: tx.run("DELETE FROM buckets WHERE owner='777'"))


def test_two_hundred_buckets_an_account(connect: Connect, landlord: Account) -> None:
    assert connect(landlord, to="last-1257777777").call("PUT", "/").status == 200

    over = connect(landlord, to="over-1257777777").call("PUT", "/")

    assert (over.status, over.code) == (400, "TooManyBuckets")


def test_thousand_grants_on_the_buckets_of_an_account(
    store: LocalStore, connect: Connect, landlord: Account
) -> None:
    grants = json.dumps([[f"qcs::cam::uin/{n}:uin/{n}", "READ"] for n in range(1, 100)])
    engine = store._engine
    assert engine is not None
    engine.index.write(
        lambda tx: tx.run("UPDATE buckets SET acl=? WHERE owner='777' AND name LIKE 'f1_-%'", grants)
    )
    wire = connect(landlord, to="f0-1257777777")

    assert grant_header(wire, 11).code == "AttachmentFull"
    assert grant_header(wire, 10).status == 200
    assert grant_header(wire, 10).status == 200
    grant_header(wire, 9)
    new, over = connect(landlord, to="new-1257777777"), {"x-cos-grant-read": 'id="1",id="2"'}
    assert new.request("PUT", "/", over).code == "AttachmentFull"
    assert new.request("PUT", "/", {"x-cos-grant-read": 'id="1"'}).status == 200


@pytest.mark.parametrize("size", [5 * GIB, 5 * GIB + 1])
@pytest.mark.parametrize("target", ["/k", "/k?partNumber=1&uploadId={upload}"])
def test_five_gigabytes_in_one_request(wire: Wire, size: int, target: str) -> None:
    target = target.format(upload=upload_begin(wire, "/k"))
    named = {"Host": wire.host, "Content-Length": str(size), "Expect": "100-continue"}
    named["Authorization"] = authorization(OWNER, "PUT", target, named)
    wire.sock.sendall(wire.head_bytes("PUT", target, named))

    reply = wire.reply("PUT")

    if size > 5 * GIB:
        assert (reply.status, reply.code) == (400, "EntityTooLarge")
    else:
        assert reply.status == 100


@pytest.mark.parametrize("size", [5 * GIB, 5 * GIB + 1])
@pytest.mark.parametrize("as_part", [True, False])
def test_five_gigabytes_in_one_copy(store: LocalStore, wire: Wire, size: int, as_part: bool) -> None:
    wire.call("PUT", "/big", b"")
    engine = store._engine
    assert engine is not None
    bucket = wire.host.partition(".")[0]
    engine.index.write(
        lambda tx: tx.run("UPDATE objects SET size=? WHERE bucket=? AND key=?", size, bucket, b"big")
    )
    target = f"/k?partNumber=1&uploadId={upload_begin(wire, '/k')}" if as_part else "/k"

    reply = wire.request("PUT", target, {"x-cos-copy-source": f"{wire.host}/big"})

    if size > 5 * GIB:
        assert (reply.status, reply.code) == (400, "EntityTooLarge")
    else:
        assert reply.status == 200


@pytest.mark.parametrize(
    ("target", "name", "most"),
    [
        ("/?max-keys={}", "MaxKeys", 1000),
        ("/?uploads&max-uploads={}", "MaxUploads", 1000),
        ("/k?uploadId={upload}&max-parts={}", "MaxParts", 1000),
    ],
)
def test_pages_are_cut_to_their_size(wire: Wire, target: str, name: str, most: int) -> None:
    upload = upload_begin(wire, "/k")

    for asked in (most, most + 1, 1_000_000):
        reply = wire.call("GET", target.format(asked, upload=upload))
        assert reply.xml.findtext(name) == str(most)
    assert wire.call("GET", target.format(-1, upload=upload)).code == "InvalidArgument"
