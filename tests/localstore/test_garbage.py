"""Garbage on the wire: the store refuses it in words, or hangs up, and serves whoever comes next."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.localstore import LocalStore
from tests.examples import examples
from tests.localstore.conftest import OWNER
from tests.localstore.thrown import judge, replies_of, store_threads, thrown, wait_for_threads
from tests.localstore.wire import Reply, Wire, authorization, host_of

BUCKET = "garbage-1250000000"
HOST = host_of(BUCKET)
MANY_DIGITS = "9" * 5000

# One character per byte, as headers are read; what would end the line is another test's business.
LATIN = st.characters(max_codepoint=255, exclude_characters="\r\n\0")
VALUES = st.text(LATIN, max_size=40)
ODD_NUMBERS = st.sampled_from(
    ["-1", "+1", "0x10", "1e3", "1_0", " 1", "1.0", "\xb2", "NaN", "", "9" * 30, MANY_DIGITS]
) | st.integers(-(2**70), 2**70).map(str)
ODD_DATES = st.sampled_from(
    [
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Thu, 99 Foo 2026 99:99:99 XYZ",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +99999999999999",
        "Mon, 01 Jan 2026 00:00:00 -0000",
        "0",
        ", , , ,",
        "1 Jan",
        "2026-11-22T00:00:00Z",
    ]
)
ODD_RANGES = st.sampled_from(
    [
        "bytes=-",
        "bytes=--1",
        "bytes=5-1",
        "bytes=0-0,2-3",
        "bytes= 1 - 2 ",
        f"bytes={MANY_DIGITS}-",
        f"bytes=-{MANY_DIGITS}",
        f"bytes=0-{MANY_DIGITS}",
        "items=0-1",
        "bytes=\xb2-\xb3",
    ]
)


@pytest.fixture(scope="module")
def port(shared_store: LocalStore) -> Iterator[int]:
    """A bucket with one object and one upload, for garbage to be thrown at."""
    shared_store.faults.clear()
    with Wire(shared_store.port, OWNER, BUCKET) as wire:
        assert wire.call("PUT", "/").status == 200
        assert wire.call("PUT", "/k", b"0123456789").status == 200
        yield shared_store.port
        wire.call("DELETE", "/k")
        for upload in wire.call("GET", "/?uploads").xml.iter("Upload"):
            wire.call("DELETE", f"/{upload.findtext('Key')}?uploadId={upload.findtext('UploadId')}")
        for row in wire.call("GET", "/?encoding-type=url").xml.iter("Contents"):
            wire.call("DELETE", f"/{row.findtext('Key')}")
        assert wire.call("DELETE", "/").status == 204


@pytest.fixture(autouse=True, scope="module")
def _alive_at_the_end(port: int) -> Iterator[None]:
    before = store_threads()
    yield
    wait_for_threads(before)
    with Wire(port, OWNER, BUCKET) as wire:
        assert wire.call("GET", "/k").body == b"0123456789"


class Listening(logging.Handler):
    """Collects what the store complains about; pytest's own fixture lives too short for many examples."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(autouse=True, scope="module")
def _no_traceback() -> Iterator[None]:
    listening, logger = Listening(), logging.getLogger("apps.localstore")
    logger.addHandler(listening)
    yield
    logger.removeHandler(listening)
    assert [record.getMessage() for record in listening.records] == []


def throw(port: int, raw: bytes) -> list[Reply]:
    """Return the answers to `raw`, each of them judged."""
    bodiless = raw.lstrip(b"\r\n").startswith(b"HEAD ")
    replies = replies_of(thrown(port, raw), bodiless=bodiless)
    for reply in replies:
        judge(reply, bodiless=bodiless)
    return replies


def call(port: int, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Reply:
    """Send one signed request with these header values and return its answer, judged."""
    sent = {"Host": HOST, "Content-Length": str(len(body)), **headers}
    sent.setdefault("Authorization", authorization(OWNER, method, target, sent))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    head = ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode("latin-1")
    (reply,) = throw(port, head + body)
    return reply


@examples(60)
@given(raw=st.binary(max_size=200) | st.binary(max_size=60).map(lambda raw: raw + b"\r\n\r\n"))
@example(raw=b"\r\n" * 40_000)
@example(raw=b"\0" * 100)
@example(raw=b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300))
@example(raw=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
def test_any_bytes(port: int, raw: bytes) -> None:
    assert all(reply.status >= 400 for reply in throw(port, raw))


@examples(60)
@given(
    method=st.sampled_from(["GET", "PUT", "OPTIONS", "CONNECT", "get", "G@T", ""])
    | st.text(LATIN, max_size=8),
    target=st.sampled_from(
        ["/", "*", "/k", "//", "/%", "/%zz", "/%00", "http://", "https://?", "http:///", "\x7f"]
    )
    | st.text(LATIN, max_size=30).map(lambda text: "/" + text),
    version=st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/1.", "HTTP/2", "HTTP/1.1 ", "http/1.1"]),
)
@example(method="GET", target="/%FF", version="HTTP/1.1")
@example(method="GET", target="/" + "a" * 60_000, version="HTTP/1.1")
@example(method="GET", target="/?" + "&" * 60_000, version="HTTP/1.1")
def test_request_line(port: int, method: str, target: str, version: str) -> None:
    line = f"{method} {target} {version}".encode("latin-1")

    replies = throw(port, line + f"\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())

    assert len(replies) == 1


NAMES = st.sampled_from(
    [b"Content-Length", b"Transfer-Encoding", b"Host", b"Expect", b"Connection", b"Authorization", b"Origin"]
) | st.binary(max_size=12)


@examples(80)
@given(
    method=st.sampled_from([b"GET", b"PUT", b"POST", b"DELETE", b"OPTIONS", b"HEAD"]),
    fields=st.lists(st.tuples(NAMES, st.binary(max_size=20)), max_size=6),
)
@example(method=b"GET", fields=[(b"X", b"a\nInjected: 1")])
@example(method=b"PUT", fields=[(b"Content-Length", b"9" * 5000)])
@example(method=b"PUT", fields=[(b"Content-Length", b"1" * 18)])
@example(method=b"PUT", fields=[(b"Content-Length", b"\xb2")])
@example(method=b"PUT", fields=[(b"Transfer-Encoding", b"chunked"), (b"Transfer-Encoding", b"gzip")])
@example(method=b"GET", fields=[(b"Host", b"garbage-1250000000.cos.ap-beijing.\x01")])
@example(method=b"GET", fields=[(b"Authorization", b"q-sign-algorithm=sha1&&&=&=")])
def test_header_lines(port: int, method: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    lines = [
        method + b" /k HTTP/1.1",
        b"Connection: close",
        *(name + b": " + value for name, value in fields),
    ]

    assert len(throw(port, b"\r\n".join(lines) + b"\r\n\r\n")) <= 1


@pytest.mark.parametrize("sign", ["\r", "\n", "\0"])
def test_header_value_cannot_smuggle_a_line(port: int, sign: str) -> None:
    reply = call(port, "PUT", "/smuggled", {"x-cos-meta-a": f"1{sign}x-cos-meta-b: 2"})

    assert (reply.status, reply.code) == (400, "InvalidRequest")


@examples(60)
@given(
    host=st.text(LATIN, max_size=40)
    | st.text(LATIN, max_size=10).map(lambda text: text + ".cos.ap-beijing.x")
)
@example(host="[")
@example(host="[::1]:x")
@example(host=":")
@example(host=f"{BUCKET}.cos.ap-beijing.a\x01b")
@example(host="a" * 60_000 + ".cos.ap-beijing.x")
def test_host(port: int, host: str) -> None:
    for line in (f"GET / HTTP/1.1\r\nHost: {host}", f"GET http://{quote(host)}/ HTTP/1.1\r\nHost: {HOST}"):
        (reply,) = throw(port, line.encode("latin-1") + b"\r\nConnection: close\r\n\r\n")
        assert reply.status >= 400


SIZES = st.sampled_from(
    [b"0", b"5", b"-1", b"5;x=y", b"", b"F" * 15, b"F" * 16, b"0x5", b"5 ", b" 5", b"\xff"]
)


@examples(60)
@given(chunks=st.lists(st.tuples(SIZES, st.sampled_from([b"hello", b"", b"hell", b"hello!"])), max_size=4))
@example(chunks=[(b"5" + b";" * 5000, b"hello")])
@example(chunks=[(b"5", b"hell")])
def test_chunks(port: int, chunks: list[tuple[bytes, bytes]]) -> None:
    body = b"".join(size + b"\r\n" + data + b"\r\n" for size, data in chunks)
    headers = {"Host": HOST, "Transfer-Encoding": "chunked", "Connection": "close"}
    headers["Authorization"] = authorization(OWNER, "PUT", "/chunks", headers)
    lines = ["PUT /chunks HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]

    replies = throw(port, ("\r\n".join(lines) + "\r\n\r\n").encode() + body)

    assert len(replies) == 1


def test_endless_trailers_end(port: int) -> None:
    headers = {"Host": HOST, "Transfer-Encoding": "chunked"}
    headers["Authorization"] = authorization(OWNER, "PUT", "/trailers", headers)
    lines = ["PUT /trailers HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()

    (reply,) = throw(port, head + b"0\r\n" + b"X-Trailer: y\r\n" * 100_000)

    assert (reply.status, reply.code) == (400, "InvalidRequest")


READ_HEADERS = st.one_of(
    st.tuples(st.just("Range"), ODD_RANGES | VALUES | ODD_NUMBERS.map("bytes={0}-{0}".format)),
    st.tuples(
        st.sampled_from(["If-Modified-Since", "If-Unmodified-Since"]), ODD_DATES | VALUES | ODD_NUMBERS
    ),
    st.tuples(
        st.sampled_from(["If-Match", "If-None-Match", "Origin", "Date", "x-cos-security-token"]), VALUES
    ),
)


@examples(80)
@given(method=st.sampled_from(["GET", "HEAD"]), header=READ_HEADERS)
@example(method="GET", header=("Range", f"bytes={MANY_DIGITS}-"))
@example(method="GET", header=("If-Modified-Since", "Mon, 01 Jan 0001 00:00:00 +2359"))
def test_headers_of_a_read(port: int, method: str, header: tuple[str, str]) -> None:
    assert call(port, method, "/k", dict([header])).status in (200, 206, 304, 400, 412, 416)


GRANTS = st.sampled_from(["id", "uin", "ID", "x", ""]).flatmap(
    lambda name: st.lists(VALUES.map(lambda value: f'{name}="{value}"'), max_size=3).map(",".join)
)
SOURCES = st.one_of(
    VALUES,
    VALUES.map(lambda text: f"{HOST}/{text}"),
    st.binary(max_size=20).map(lambda raw: f"{HOST}/{quote(raw)}"),
    st.sampled_from([f"{HOST}/k", f"https://{HOST}/k?versionId=x", f"{HOST}/", "..../k", f"{HOST}/%FF", "?"]),
)
WRITE_HEADERS = st.one_of(
    st.tuples(
        st.sampled_from([f"x-cos-grant-{name}" for name in ("read", "read-acp", "write")]), GRANTS | VALUES
    ),
    st.tuples(st.sampled_from(["x-cos-acl", "x-cos-storage-class", "x-cos-metadata-directive"]), VALUES),
    st.tuples(st.just("x-cos-traffic-limit"), ODD_NUMBERS | VALUES),
    st.tuples(st.just("x-cos-tagging"), VALUES | st.binary(max_size=20).map(lambda raw: quote(raw) + "=1")),
    st.tuples(st.sampled_from(["Content-MD5", "x-cos-content-sha1"]), VALUES),
    st.tuples(
        st.sampled_from(["Expires", "Content-Type", "Cache-Control", "x-cos-meta-a", "x-cos-meta-"]), VALUES
    ),
    st.tuples(st.just("x-cos-copy-source"), SOURCES),
)
COPY_HEADERS = st.one_of(
    st.tuples(st.just("x-cos-copy-source-range"), ODD_RANGES | VALUES),
    st.tuples(st.sampled_from([f"x-cos-copy-source-if-{name}" for name in ("match", "none-match")]), VALUES),
    st.tuples(
        st.sampled_from([f"x-cos-copy-source-if-{name}" for name in ("modified-since", "unmodified-since")]),
        ODD_DATES | VALUES,
    ),
    st.tuples(st.just("x-cos-metadata-directive"), VALUES),
)


@examples(80)
@given(target=st.sampled_from(["/w", "/?acl", "/k?acl", "/w?uploads"]), header=WRITE_HEADERS)
@example(target="/w", header=("x-cos-traffic-limit", MANY_DIGITS))
@example(target="/w", header=("x-cos-traffic-limit", "\xb2"))
def test_headers_of_a_write(port: int, target: str, header: tuple[str, str]) -> None:
    method = "POST" if target.endswith("uploads") else "PUT"

    assert call(port, method, target, dict([header]), b"" if "?" in target else b"x").status < 500


@examples(60)
@given(header=COPY_HEADERS)
@example(header=("x-cos-copy-source-range", f"bytes=0-{MANY_DIGITS}"))
def test_headers_of_a_copy(port: int, header: tuple[str, str]) -> None:
    source = {"x-cos-copy-source": f"{HOST}/k"}
    upload_id = call(port, "POST", "/part?uploads", {}).xml.findtext("UploadId")

    for target in ("/copied", f"/part?partNumber=1&uploadId={upload_id}"):
        assert call(port, "PUT", target, {**source, **dict([header])}).status < 500
    assert call(port, "DELETE", f"/part?uploadId={upload_id}", {}).status == 204


@examples(40)
@given(
    origin=VALUES.filter(bool),
    method=VALUES | st.sampled_from(["GET", "get", "*"]),
    names=VALUES | st.just("," * 5000),
)
def test_preflight(port: int, origin: str, method: str, names: str) -> None:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": names,
    }

    assert call(port, "OPTIONS", "/k", headers).status in (400, 403)


FIELD_NAMES = ("q-sign-algorithm", "q-ak", "q-sign-time", "q-key-time", "q-header-list", "q-url-param-list")
FIELD_VALUES = st.one_of(
    VALUES.map(lambda text: text.replace(" ", "")),
    ODD_NUMBERS.map(lambda number: f"{number};{number}"),
    st.binary(max_size=12).map(quote),
    st.sampled_from([f"0;{MANY_DIGITS}", ";", "1", "host;" * 3000, "%00", "%FF", OWNER.secret_id]),
)


@examples(80)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from([*FIELD_NAMES, "q-signature"]), FIELD_VALUES), min_size=1, max_size=3
    ),
    dropped=st.sampled_from([*FIELD_NAMES, "q-signature", ""]),
    in_query=st.booleans(),
)
@example(changes=[("q-sign-time", f"0;{MANY_DIGITS}")], dropped="", in_query=False)
@example(changes=[("q-key-time", f"{MANY_DIGITS};1")], dropped="", in_query=True)
@example(changes=[("q-signature", "%FF")], dropped="", in_query=True)
@example(changes=[("q-url-param-list", "%00;%FF")], dropped="", in_query=True)
def test_signature_fields(port: int, changes: list[tuple[str, str]], dropped: str, in_query: bool) -> None:
    good = authorization(OWNER, "GET", "/k", {"Host": HOST})
    fields = [item for item in good.split("&") if not item.startswith(f"{dropped}=")]
    changed = {name for name, _ in changes}
    fields = [item for item in fields if item.partition("=")[0] not in changed]
    spoiled = "&".join([*fields, *(f"{name}={value}" for name, value in changes)])

    if in_query:
        safe = quote(spoiled.encode("latin-1"), safe="=&;%")
        raw = f"GET /k?{safe} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
        (reply,) = throw(port, raw)
    else:
        reply = call(port, "GET", "/k", {"Authorization": spoiled})

    assert reply.status in (200, 400, 403)


@pytest.mark.parametrize("key", ["%00", "a%01b", "%EF%BF%BF"])
def test_wrong_signature_of_an_odd_key_is_told_in_sound_xml(port: int, key: str) -> None:
    wrong = authorization(OWNER, "GET", "/other", {"Host": HOST})

    assert call(port, "GET", f"/{key}", {"Authorization": wrong}).code == "SignatureDoesNotMatch"


PARAMETERS = """
    prefix delimiter marker max-keys encoding-type uploads key-marker upload-id-marker max-uploads uploadId
    partNumber max-parts part-number-marker versionId acl response-content-type response-expires region
    tagkey tagvalue create-time range location cors tagging delete policy x-cos-security-token
""".split()  # noqa: SIM905
PARAMETER_VALUES = (
    st.binary(max_size=12).map(quote)
    | ODD_NUMBERS.map(lambda text: quote(text, safe=""))
    | st.sampled_from(["%", "%zz", "+", "=", "%F0%9F%98%80", "%EF%BF%BF", "%ED%A0%80"])
)


@examples(150)
@given(
    method=st.sampled_from(["GET", "HEAD", "PUT", "POST"]),
    path=st.sampled_from(["/", "/w", "/missing"]),
    pairs=st.lists(st.tuples(st.sampled_from(PARAMETERS), PARAMETER_VALUES), max_size=4),
    is_service=st.booleans(),
)
@example(method="GET", path="/", pairs=[("max-keys", MANY_DIGITS)], is_service=False)
@example(method="GET", path="/w", pairs=[("uploadId", "%FF")], is_service=False)
@example(
    method="GET",
    path="/",
    pairs=[("uploads", ""), ("key-marker", "a"), ("upload-id-marker", "%FF")],
    is_service=False,
)
@example(method="GET", path="/", pairs=[("marker", "%01")], is_service=True)
@example(method="GET", path="/", pairs=[("create-time", MANY_DIGITS), ("range", "lt")], is_service=True)
def test_parameters(
    port: int, method: str, path: str, pairs: list[tuple[str, str]], is_service: bool
) -> None:
    target = f"{path}?" + "&".join(f"{name}={value}" for name, value in pairs)

    call(port, method, target, {"Host": "service.cos.myqcloud.com"} if is_service else {})


def test_part_marker_above_every_number(port: int) -> None:
    upload_id = call(port, "POST", "/part?uploads", {}).xml.findtext("UploadId")

    listed = call(port, "GET", f"/part?uploadId={upload_id}&part-number-marker={'9' * 30}", {})

    assert (listed.status, listed.xml.findall("Part")) == (200, [])
    assert call(port, "DELETE", f"/part?uploadId={upload_id}", {}).status == 204
