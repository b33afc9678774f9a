"""HTTP as it is spoken: raw targets, bodies, ends of connections, exact names."""

from __future__ import annotations

import select
import socket
from pathlib import Path
from urllib.parse import unquote

import pytest

from apps.localstore import LocalStore, Tuning
from tests.localstore.conftest import OWNER, Connect
from tests.localstore.thrown import store_threads, wait_for_threads
from tests.localstore.wire import Wire, authorization


@pytest.mark.parametrize(
    ("target", "key"),
    [
        ("/a//b", "a//b"),
        ("//lead", "/lead"),
        ("/a/../b", "a/../b"),
        ("/..", ".."),
        ("/a/.", "a/."),
        ("/abc/.//def//../../", "abc/.//def//../../"),
        ("/a%2F..%2Fb", "a/../b"),
        ("/%20tail%20%20", " tail  "),
        ("/plus+and%2Bplus", "plus+and+plus"),
        ("/%E4%B8%AD%E6%96%87%3F%23%26%25", "中文?#&%"),
        ("/%00%01%09%0A", "\0\1\t\n"),
        ("//", "/"),
        ("/a;b=c", "a;b=c"),
    ],
)
def test_keys_are_taken_as_they_are(wire: Wire, target: str, key: str) -> None:
    assert wire.call("PUT", target, b"x").status == 200

    listed = wire.call("GET", "/?encoding-type=url").xml

    keys = [row.findtext("Key") or "" for row in listed.iter("Contents")]
    assert [unquote(name) for name in keys] == [key]
    assert wire.call("GET", target).body == b"x"


def test_absolute_form_is_the_same_resource(wire: Wire) -> None:
    wire.call("PUT", "/k", b"x")
    signed = authorization(OWNER, "GET", "/k", {"Host": wire.host})

    reply = wire.request("GET", f"http://{wire.host}/k", {"Authorization": signed})

    assert reply.body == b"x"


@pytest.mark.parametrize("suffix", ["myqcloud.com", "localhost:9000", "tencentcos.cn", "LOCALHOST"])
def test_any_suffix_names_the_bucket(wire: Wire, bucket: str, suffix: str) -> None:
    reply = wire.request("HEAD", "/", {"Host": f"{bucket}.cos.ap-beijing.{suffix}"})

    assert reply.status == 200


def test_wrong_region_has_no_such_bucket(connect: Connect) -> None:
    assert connect(region="ap-tokyo").call("GET", "/").code == "NoSuchBucket"
    assert connect(region="zz-nowhere").call("GET", "/").code == "NoSuchBucket"


def test_chunked_body_arrives_whole(wire: Wire) -> None:
    body = b"5\r\nhello\r\n1;ext=1\r\n \r\n5\r\nworld\r\n0\r\nTrailer: x\r\n\r\n"

    reply = wire.request("PUT", "/k", {"Transfer-Encoding": "chunked"}, body)

    assert reply.status == 200
    assert wire.call("GET", "/k").body == b"hello world"


def test_empty_chunked_body_is_an_empty_object(wire: Wire) -> None:
    assert wire.request("PUT", "/k", {"Transfer-Encoding": "chunked"}, b"0\r\n\r\n").status == 200
    assert wire.call("HEAD", "/k").header("Content-Length") == "0"


def test_continue_is_sent_before_the_body_is_read(wire: Wire) -> None:
    headers = {"Host": wire.host, "Content-Length": "4", "Expect": "100-continue"}
    headers["Authorization"] = authorization(OWNER, "PUT", "/k", headers)
    wire.sock.sendall(wire.head_bytes("PUT", "/k", headers))

    assert wire.reply("PUT").status == 100
    wire.sock.sendall(b"body")
    assert wire.reply("PUT").status == 200


def test_refused_request_never_asks_for_its_body(connect: Connect) -> None:
    wire = connect(None)
    wire.sock.sendall(
        wire.head_bytes("PUT", "/k", {"Host": wire.host, "Content-Length": "9", "Expect": "100-continue"})
    )

    reply = wire.reply("PUT")

    assert (reply.status, reply.header("Connection")) == (403, "close")
    assert wire.is_closed()


def test_refusal_of_a_large_body_still_reaches_the_sender(connect: Connect) -> None:
    wire = connect(None)
    wire.sock.sendall(wire.head_bytes("PUT", "/k", {"Host": wire.host, "Content-Length": "3000000"}))
    wire.sock.sendall(bytes(200_000))

    assert wire.reply("PUT").code == "AccessDenied"


def test_connection_survives_errors_with_small_bodies(wire: Wire) -> None:
    assert wire.call("PUT", "/?acl", b"<garbage").code == "MalformedXML"
    assert wire.call("PUT", "/k", b"x", x_cos_storage_class="NONE").code == "NotSupportedStorageClass"
    assert wire.call("GET", "/").status == 200


def test_two_requests_in_one_packet_get_two_answers(wire: Wire) -> None:
    headers = {"Host": wire.host, "Content-Length": "0"}
    headers["Authorization"] = authorization(OWNER, "GET", "/", headers)
    wire.sock.sendall(wire.head_bytes("GET", "/", headers) * 2)

    assert [wire.reply("GET").status, wire.reply("GET").status] == [200, 200]


def test_names_of_headers_have_their_exact_case(wire: Wire) -> None:
    reply = wire.call("PUT", "/k", b"x")

    names = {name for name, _ in reply.headers}

    assert {"ETag", "Content-Length", "Date", "Server", "Connection"} <= names
    assert {"x-cos-request-id", "x-cos-hash-crc64ecma"} <= names


def test_error_has_all_five_children(connect: Connect) -> None:
    wire = connect(None)

    reply = wire.call("GET", "/some/key")

    assert all(reply.xml.findtext(name) for name in ("Code", "Message", "Resource", "RequestId", "TraceId"))
    assert reply.xml.findtext("Resource") == f"{wire.host}/some/key"
    assert reply.header("Content-Type") == "application/xml"


def test_head_error_has_no_body(wire: Wire) -> None:
    assert wire.call("HEAD", "/missing").status == 404
    assert wire.call("GET", "/").status == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n : x\r\n\r\n",
        b"GET /%FF HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
)
def test_garbage_gets_400_and_the_end(connect: Connect, raw: bytes) -> None:
    wire = connect(None)
    wire.sock.sendall(raw)

    assert wire.reply("GET").status == 400
    assert wire.is_closed()


def test_bad_chunk_size_ends_the_connection(wire: Wire) -> None:
    reply = wire.request("PUT", "/k", {"Transfer-Encoding": "chunked"}, b"zz\r\nhello\r\n")

    assert (reply.status, reply.code) == (400, "InvalidRequest")
    assert wire.is_closed()


def test_short_body_stores_nothing(connect: Connect, wire: Wire) -> None:
    short = connect()
    headers = {"Host": short.host, "Content-Length": "100"}
    headers["Authorization"] = authorization(OWNER, "PUT", "/k", headers)
    short.sock.sendall(short.head_bytes("PUT", "/k", headers) + b"only this")
    short.sock.shutdown(socket.SHUT_WR)

    assert short.reply("PUT").code == "IncompleteBody"
    assert wire.call("GET", "/k").code == "NoSuchKey"


def test_health_needs_no_key(store: LocalStore, connect: Connect) -> None:
    wire = connect(None)

    reply = wire.request("GET", "/-/health", {"Host": f"127.0.0.1:{store.port}"})

    assert (reply.status, reply.body) == (200, b"ok\n")


def test_idle_connections_end_and_make_room(folder: Path) -> None:
    tuning = Tuning(max_connections=2, idle_timeout_s=0.3)
    store = LocalStore(data=folder, accounts=[OWNER], tuning=tuning)
    store.start()
    before = store_threads()
    try:
        wires = [Wire(store.port, OWNER) for _ in range(3)]
        assert wires[0].is_closed()
        assert wires[2].call("GET", "/").code == "NoSuchBucket"
        assert wires[1].is_closed()
        wait_for_threads(before)
        for wire in wires:
            wire.close()
    finally:
        store.stop()


def test_raw_bytes_in_a_target_are_the_same_key(connect: Connect, wire: Wire) -> None:
    key = "中文".encode().decode("latin-1")
    assert wire.call("PUT", "/%E4%B8%AD%E6%96%87", b"x").status == 200
    signed = authorization(OWNER, "GET", "/中文", {"Host": wire.host})

    assert wire.request("GET", f"/{key}", {"Authorization": signed}).body == b"x"


def raw_call(wire: Wire, method: str, target: str, version: str, **headers: str) -> bytes:
    named = {"Host": wire.host} | {name.replace("_", "-"): value for name, value in headers.items()}
    named["Authorization"] = authorization(OWNER, method, target, named)
    return wire.head_bytes(method, target, named).replace(b"HTTP/1.1", version.encode())


@pytest.mark.parametrize(
    ("version", "connection", "stays"),
    [
        ("HTTP/1.1", "", True),
        ("HTTP/1.1", "close", False),
        ("HTTP/1.0", "", False),
        ("HTTP/1.0", "Keep-Alive", True),
    ],
)
def test_connections_stay_as_long_as_was_agreed(
    wire: Wire, version: str, connection: str, stays: bool
) -> None:
    wire.sock.sendall(raw_call(wire, "GET", "/", version, Connection=connection))

    reply = wire.reply("GET")

    assert (reply.status, reply.header("Connection")) == (200, "keep-alive" if stays else "close")
    if stays:
        assert wire.call("GET", "/").status == 200
    else:
        assert wire.is_closed()


def test_old_clients_are_not_asked_to_continue(wire: Wire) -> None:
    head = raw_call(wire, "PUT", "/k", "HTTP/1.0", Expect="100-continue", Content_Length="1")

    wire.sock.sendall(head + b"x")

    assert wire.reply("PUT").status == 200


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/k", 200),
        ("HEAD", "/k", 200),
        ("DELETE", "/missing", 204),
        ("OPTIONS", "/k", 400),
        ("GET", "/", 200),
        ("POST", "/k", 405),
    ],
)
@pytest.mark.parametrize("size", [0, 5, 100_000])
def test_bodies_that_nobody_reads_are_stepped_over(
    wire: Wire, method: str, target: str, status: int, size: int
) -> None:
    wire.call("PUT", "/k", b"x")

    assert wire.call(method, target, b"y" * size).status == status

    assert wire.call("GET", "/k").body == b"x"


def test_many_requests_in_one_packet_get_their_answers_in_order(wire: Wire) -> None:
    for number in range(20):
        wire.call("PUT", f"/{number}", str(number).encode())

    wire.sock.sendall(b"".join(raw_call(wire, "GET", f"/{n}", "HTTP/1.1") for n in range(20)))

    assert [wire.reply("GET").body for _ in range(20)] == [str(n).encode() for n in range(20)]


@pytest.mark.parametrize("hosts", [[], ["a.example", "b.example"]])
def test_request_needs_one_host(connect: Connect, hosts: list[str]) -> None:
    wire = connect(None)
    lines = "".join(f"Host: {host}\r\n" for host in hosts)

    wire.sock.sendall(f"GET / HTTP/1.1\r\n{lines}\r\n".encode())

    assert wire.reply("GET").code == "InvalidRequest"
    assert wire.is_closed()


@pytest.mark.parametrize("name", ["x-cos-meta-a", "Content-Type", "Cache-Control", "Content-Disposition"])
@pytest.mark.parametrize("value", ["a\nX-Evil: 1", "a\rX-Evil: 1", "a\x00b"])
def test_no_value_starts_another_header(connect: Connect, wire: Wire, name: str, value: str) -> None:
    attacker = connect()

    assert attacker.request("PUT", "/k", {name: value}, b"x").code == "InvalidRequest"

    assert wire.call("HEAD", "/k").status == 404


def test_head_that_trickles_in_does_not_hold_a_thread(folder: Path) -> None:
    store = LocalStore(data=folder, accounts=[OWNER], tuning=Tuning(idle_timeout_s=0.4))
    store.start()
    try:
        with Wire(store.port, None) as wire:
            wire.sock.sendall(b"GET / HTTP/1.1\r\n")
            for _ in range(200):
                wire.sock.sendall(b"X: y\r\n")
                if select.select([wire.sock], [], [], 0.05)[0]:
                    break

            assert wire.reply("GET").code == "RequestTimeout"
    finally:
        store.stop()


def test_very_many_connections_leave_room_for_one_more(store: LocalStore, wire: Wire) -> None:
    waiting = [Wire(store.port, OWNER) for _ in range(400)]
    try:
        with Wire(store.port, OWNER, wire.host.partition(".")[0]) as late:
            assert late.call("GET", "/").status == 200
    finally:
        for one in waiting:
            one.close()
