"""Every code that the store can answer with, provoked once, whole as clients need it."""

from __future__ import annotations

import ast
import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import apps.localstore
from apps.localstore import Account, LocalStore, Tuning
from apps.localstore.errors import CODES
from apps.localstore.index import Writer
from apps.localstore.records import Bucket
from apps.localstore.rows import bucket_put
from tests.localstore.conftest import OTHER, OWNER, TEMPORARY, Connect
from tests.localstore.wire import Reply, Wire, authorization, complete_xml, md5_header, part_put, upload_begin

SOURCES = Path(apps.localstore.__file__).parent
CHILDREN = ("Code", "Message", "Resource", "RequestId", "TraceId")
MIB = 1024 * 1024


class Scene:
    """A bucket of the owner with one object, and whoever else a refusal needs."""

    def __init__(self, store: LocalStore, connect: Connect, wire: Wire, bucket: str) -> None:
        self.store = store
        self.connect = connect
        self.wire = wire
        self.bucket = bucket

    def put(self, target: str, body: bytes = b"x", **headers: str) -> Reply:
        return self.wire.call("PUT", target, body, **headers)

    def get(self, target: str, **headers: str) -> Reply:
        return self.wire.call("GET", target, **headers)

    def xml(self, method: str, target: str, body: bytes) -> Reply:
        return self.wire.request(method, target, md5_header(body), body)

    def copy(self, source: str) -> Reply:
        return self.wire.request("PUT", "/copy", {"x-cos-copy-source": source})

    def new_bucket(self, name: str, account: Account = OWNER, region: str = "ap-beijing") -> Reply:
        return self.connect(account, to=name, region=region).call("PUT", "/")

    def struck(self, kind: str) -> Reply:
        self.store.faults.add(kind, operation="GetObject")
        return self.get("/k")

    def signed_by(self, secret_id: str, secret_key: str) -> Reply:
        return self.connect(Account(secret_id=secret_id, secret_key=secret_key)).call("GET", "/k")

    def behind(self) -> Reply:
        self.store.faults.add("clock_skew", operation="GetObject", seconds=-7200)
        return self.get("/k")

    def finish(self, sizes: list[int], listed: list[int]) -> Reply:
        upload = upload_begin(self.wire, "/m")
        etags = {n: part_put(self.wire, "/m", upload, n, bytes(size)) for n, size in enumerate(sizes, 1)}
        body = complete_xml([(n, etags.get(n, '"none"')) for n in listed])
        return self.wire.call("POST", f"/m?uploadId={upload}", body)

    def archived(self) -> Reply:
        self.put("/cold", x_cos_storage_class="ARCHIVE")
        return self.get("/cold")

    def short(self) -> Reply:
        wire = self.connect()
        named = {"Host": wire.host, "Content-Length": "9"}
        named["Authorization"] = authorization(OWNER, "PUT", "/k", named)
        wire.sock.sendall(wire.head_bytes("PUT", "/k", named) + b"short")
        wire.sock.shutdown(socket.SHUT_WR)
        return wire.reply("PUT")

    def without_length(self) -> Reply:
        named = {"Host": self.wire.host}
        named["Authorization"] = authorization(OWNER, "PUT", "/k", named)
        self.wire.sock.sendall(self.wire.head_bytes("PUT", "/k", named))
        return self.wire.reply("PUT")

    def crowded(self) -> Reply:
        """Ask for one bucket more than an account may have."""
        rich = Account(root_uin="555", appid="1255555555", secret_id="AKIDRICH", secret_key="rich")
        self.store.dispatcher.directory.add(rich)
        assert self.store._engine is not None
        self.store._engine.index.write(fill_account)
        return self.new_bucket("last-1255555555", rich)


def fill_account(tx: Writer) -> None:
    for number in range(200):
        bucket_put(tx, Bucket(f"f{number}-1255555555", "555", "ap-beijing", 0))


PROVOKED: dict[str, Callable[[Scene], Reply]] = {
    "AttachmentFull": lambda s: s.put(
        "/?acl", b"", x_cos_grant_read=",".join(f'id="{n}"' for n in range(1, 102))
    ),
    "BadDigest": lambda s: s.wire.request("PUT", "/k", md5_header(b"other"), b"x"),
    "BucketNameTooLong": lambda s: s.new_bucket("a" * 30 + "-1250000000"),
    "EntityTooLarge": lambda s: s.wire.request("PUT", "/k", {"Content-Length": str(5 * 1024**3 + 1)}),
    "EntityTooSmall": lambda s: s.finish([1, 1], [1, 2]),
    "ExpiredToken": lambda s: s.connect(TEMPORARY).call("GET", "/k", x_cos_security_token="old"),
    "IncompleteBody": lambda s: s.short(),
    "InvalidArgument": lambda s: s.get("/?max-keys=many"),
    "InvalidBucketName": lambda s: s.new_bucket("-a-1250000000"),
    "InvalidCopySource": lambda s: s.copy("nonsense"),
    "InvalidDelimiter": lambda s: s.get("/?delimiter=ab"),
    "InvalidDigest": lambda s: s.put("/k", Content_MD5="none"),
    "InvalidObjectName": lambda s: s.put("/%18"),
    "InvalidPart": lambda s: s.finish([1], [2]),
    "InvalidPartOrder": lambda s: s.finish([MIB, 1], [2, 1]),
    "InvalidRegionName": lambda s: s.new_bucket("r-1250000000", region="zz-nowhere"),
    "InvalidRequest": lambda s: s.put("/?cors", b"<CORSConfiguration/>"),
    "InvalidSHA1Digest": lambda s: s.put("/k", x_cos_content_sha1="0" * 40),
    "InvalidTag": lambda s: s.put("/k", x_cos_tagging="a=1&a=2"),
    "InvalidURI": lambda s: s.wire.request("GET", "/", {"Host": "www.example.com"}),
    "KeyTooLong": lambda s: s.put("/" + "k" * 851),
    "ListPartUploadIdIsEmpty": lambda s: s.get("/k?uploadId="),
    "MalformedXML": lambda s: s.xml("PUT", "/?tagging", b"<Tagging>"),
    "MissingRequestBodyError": lambda s: s.put("/?acl", b""),
    "NotSupportedStorageClass": lambda s: s.put("/k", x_cos_storage_class="COLD"),
    "TooManyBuckets": lambda s: s.crowded(),
    "XMLSizeLimit": lambda s: s.xml("PUT", "/?cors", b" " * 65537),
    "AccessDenied": lambda s: s.connect(None).call("GET", "/k"),
    "AccessForbidden": lambda s: s.wire.request(
        "OPTIONS", "/k", {"Origin": "https://a.com", "Access-Control-Request-Method": "PUT"}
    ),
    "InvalidAccessKeyId": lambda s: s.connect(Account(secret_id="AKIDNOBODY", secret_key="x")).call(
        "GET", "/k"
    ),
    "InvalidObjectState": lambda s: s.archived(),
    "PathStyleDomainForbidden": lambda s: s.wire.request(
        "GET", f"/{s.bucket}/k", {"Host": "cos.ap-beijing.myqcloud.com"}
    ),
    "RequestTimeTooSkewed": lambda s: s.behind(),
    "SignatureDoesNotMatch": lambda s: s.signed_by(OWNER.secret_id, "wrong"),
    "NoSuchBucket": lambda s: s.connect(to="missing-1250000000").call("GET", "/"),
    "NoSuchCORSConfiguration": lambda s: s.get("/?cors"),
    "NoSuchKey": lambda s: s.get("/missing"),
    "NoSuchTagSet": lambda s: s.get("/?tagging"),
    "NoSuchUpload": lambda s: s.get("/k?uploadId=none"),
    "NoSuchVersion": lambda s: s.get("/k?versionId=other"),
    "MethodNotAllowed": lambda s: s.wire.call("POST", "/k"),
    "BucketAlreadyExists": lambda s: s.new_bucket(s.bucket, OTHER),
    "BucketAlreadyOwnedByYou": lambda s: s.new_bucket(s.bucket),
    "BucketNotEmpty": lambda s: s.wire.call("DELETE", "/"),
    "FileAlreadyExists": lambda s: s.put("/k", x_cos_forbid_overwrite="true"),
    "MissingContentLength": lambda s: s.without_length(),
    "PreconditionFailed": lambda s: s.get("/k", If_Match='"other"'),
    "InvalidRange": lambda s: s.get("/k", Range="bytes=9-"),
    "InternalError": lambda s: s.struck("error"),
    "NotImplemented": lambda s: s.get("/?policy"),
    "SlowDown": lambda s: s.struck("slow_down"),
}
# These happen to connections rather than to requests, and have a store of their own below.
OF_CONNECTIONS = {"RequestTimeout", "ServiceUnavailable", "UserNetworkTooSlow"}


@pytest.fixture
def scene(store: LocalStore, connect: Connect, wire: Wire, bucket: str) -> Scene:
    wire.call("PUT", "/k", b"x")
    return Scene(store, connect, wire, bucket)


def check(reply: Reply, code: str) -> None:
    status, _ = CODES[code]
    assert (reply.status, reply.code) == (status, code), reply.body
    assert all((reply.xml.findtext(name) or "").strip() for name in CHILDREN)
    assert reply.header("Content-Type") == "application/xml"
    assert reply.header("x-cos-request-id") == reply.xml.findtext("RequestId")
    assert reply.header("x-cos-trace-id") == reply.xml.findtext("TraceId")
    assert (reply.header("Server"), bool(reply.header("Date"))) == ("tencent-cos", True)


@pytest.mark.parametrize("code", sorted(set(CODES) - OF_CONNECTIONS))
def test_each_code_comes_with_all_five_children(scene: Scene, code: str) -> None:
    check(PROVOKED[code](scene), code)


def codes_in(tree: ast.AST) -> Iterator[str]:
    """Yield the codes that a module's errors are made with; those of fault rules are chosen by tests."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "StoreError":
            code = node.args[0]
            choices = [code.body, code.orelse] if isinstance(code, ast.IfExp) else [code]
            yield from (str(choice.value) for choice in choices if isinstance(choice, ast.Constant))


def test_no_code_is_outside_the_table() -> None:
    raised = {code for path in SOURCES.rglob("*.py") for code in codes_in(ast.parse(path.read_text("utf-8")))}

    assert raised == set(CODES)


@pytest.fixture
def small_store(tmp_path: Path) -> Iterator[LocalStore]:
    tuning = Tuning(max_connections=1, idle_timeout_s=0.3)
    server = LocalStore(data=tmp_path, accounts=[OWNER], tuning=tuning)
    server.start()
    yield server
    server.stop()


def test_request_that_does_not_come_times_out(small_store: LocalStore) -> None:
    with Wire(small_store.port, None) as wire:
        wire.sock.sendall(b"GET / HTTP/1.1\r\nHost: half")

        check(wire.reply("GET"), "RequestTimeout")
        assert wire.is_closed()


@pytest.mark.parametrize("chunked", [True, False])
def test_body_that_trickles_in_is_given_up(
    small_store: LocalStore, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setattr("apps.localstore.bodies.GRACE_S", 0.4)
    with Wire(small_store.port, OWNER) as wire:
        wire.call("PUT", "/")
        framing = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": "1000"}
        named = {"Host": wire.host} | framing
        named["Authorization"] = authorization(OWNER, "PUT", "/k", named)
        wire.sock.sendall(wire.head_bytes("PUT", "/k", named))

        with contextlib.suppress(OSError):
            for _ in range(100):
                wire.sock.sendall(b"1\r\nx\r\n" if chunked else b"x")
                if select.select([wire.sock], [], [], 0.1)[0]:
                    break

        check(wire.reply("PUT"), "UserNetworkTooSlow")


def test_connection_above_the_limit_is_told_so(small_store: LocalStore) -> None:
    with Wire(small_store.port, OWNER) as busy:
        small_store.faults.add("delay", operation="GetService", seconds=5)
        named = {"Host": "service.cos.myqcloud.com"}
        busy.sock.sendall(busy.head_bytes("GET", "/", named))
        while small_store.faults.listed():
            time.sleep(0.01)
        with Wire(small_store.port, OWNER) as second:
            check(second.reply("GET"), "ServiceUnavailable")


@pytest.mark.parametrize("target", ["/missing", "/k?versionId=other", "/missing?acl"])
def test_errors_of_head_have_an_id_and_no_body(scene: Scene, target: str) -> None:
    reply = scene.wire.call("HEAD", target)

    assert reply.status in (404, 405)
    assert reply.header("x-cos-request-id")
    assert scene.get("/k").body == b"x"


def test_answers_without_a_body_have_an_id(scene: Scene) -> None:
    etag = scene.wire.call("HEAD", "/k").header("ETag") or ""

    replies = [
        scene.wire.call("HEAD", "/k"),
        scene.get("/k", If_None_Match=etag),
        scene.wire.call("DELETE", "/k"),
        scene.wire.call("PUT", "/?acl", x_cos_acl="private"),
    ]

    assert [reply.status for reply in replies] == [200, 304, 204, 200]
    assert all(reply.header("x-cos-request-id") for reply in replies)
    assert len({reply.header("x-cos-request-id") for reply in replies}) == 4
    assert [reply.header("Content-Length") for reply in replies] == ["1", "0", None, "0"]
