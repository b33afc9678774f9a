"""Many calls at once on one thread: each as good as a single call, none able to spoil the others."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from apps.storage import errors
from apps.storage.cos import CosClient
from apps.storage.cos.cancel import CancelToken
from tests.storage.conftest import SECRET_KEY, client_of
from tests.storage.recorder import Recorder, drop, reply
from tests.storage.verifier import signature_is_valid

AT = {"Bucket": "photos-1250000000", "Region": "ap-guangzhou"}
ACL = (
    b"<AccessControlPolicy><Owner><ID>qcs::cam::uin/1:uin/1</ID></Owner><AccessControlList><Grant>"
    b'<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">'
    b"<ID>qcs::cam::uin/2:uin/2</ID></Grantee><Permission>READ</Permission>"
    b"</Grant></AccessControlList></AccessControlPolicy>"
)
DENIED = reply(403, b"<Error><Code>AccessDenied</Code><Message>No.</Message></Error>")
SLOW_DOWN = reply(503, b"<Error><Code>SlowDown</Code></Error>")


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder(default=reply(body=ACL, x_cos_acl="default")) as server:
        yield server


def read(client: CosClient, keys: Any, **more: Any) -> dict[str, Any]:
    return dict(client.get_object_acls(**AT, Keys=keys, **more))


def test_each_object_gets_what_a_single_call_returns(recorder: Recorder, client: CosClient) -> None:
    keys = [f"a/../b c/{number}+%2F" for number in range(50)]

    found = read(client, keys)

    single = client.get_object_acl(**AT, Key=keys[0])
    assert found == dict.fromkeys(keys, single)
    assert single["ACL"] == "default"
    assert single["AccessControlList"]["Grant"][0]["Permission"] == "READ"


def test_requests_are_signed_and_equal_to_single_ones(recorder: Recorder, client: CosClient) -> None:
    read(client, ["a/../b c"])
    client.get_object_acl(**AT, Key="a/../b c")

    batched, single = recorder.seen
    assert batched.target == single.target == "/a/../b%20c?acl"
    assert {**batched.headers, "authorization": ""} == {**single.headers, "authorization": ""}
    assert signature_is_valid(batched, SECRET_KEY)


def test_connections_are_as_many_as_asked_for_and_kept(recorder: Recorder, client: CosClient) -> None:
    found = read(client, map(str, range(100)), InFlight=4)

    assert len(found) == 100
    assert recorder.connections <= 4


def test_keys_are_read_only_as_far_as_there_is_room(recorder: Recorder, client: CosClient) -> None:
    taken = []

    def endless() -> Iterator[str]:
        while True:
            taken.append(len(taken))
            yield str(len(taken))

    acls = client.get_object_acls(**AT, Keys=endless(), InFlight=3)
    next(acls)
    acls.close()  # type: ignore[attr-defined]

    assert len(taken) == 3


def test_refused_object_leaves_the_others_alone(recorder: Recorder, client: CosClient) -> None:
    recorder.steps.append(DENIED)

    found = read(client, map(str, range(10)), InFlight=2)

    [error] = [outcome for outcome in found.values() if isinstance(outcome, Exception)]
    assert isinstance(error, errors.Denied)
    assert error.operation == "Get Object ACL"
    assert len(found) == 10


def test_illegal_key_is_refused_unsent(recorder: Recorder, client: CosClient) -> None:
    found = read(client, ["/leading", "fine", ""])

    assert isinstance(found["/leading"], errors.Refused)
    assert isinstance(found[""], errors.Refused)
    assert found["fine"]["ACL"] == "default"
    assert len(recorder.seen) == 1


def test_unreadable_answer_is_an_error_of_its_object(recorder: Recorder, client: CosClient) -> None:
    recorder.steps.append(reply(body=b"<html><br>"))

    found = read(client, ["k"])

    assert isinstance(found["k"], errors.Unavailable)
    assert found["k"].operation == "Get Object ACL"


@pytest.mark.parametrize("head", ["Content-Length: 9000000000", "Transfer-Encoding: chunked"])
def test_answer_without_an_end_is_an_error(recorder: Recorder, client: CosClient, head: str) -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode())
        with suppress(OSError):
            while True:
                connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")

    recorder.steps.append(endless)

    found = read(client, ["endless", "fine"], InFlight=1)

    assert isinstance(found["endless"], errors.Unavailable)
    assert found["fine"]["ACL"] == "default"


def test_half_a_head_is_no_answer(recorder: Recorder, client: CosClient) -> None:
    def half(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nx-cos-acl: def")
        drop(connection)

    recorder.steps.append(half)

    found = read(client, ["k"])

    assert isinstance(found["k"], errors.Interrupted)


@pytest.mark.parametrize("trouble", [SLOW_DOWN, drop], ids=["slow down", "dropped"])
def test_passing_trouble_is_repeated(recorder: Recorder, trouble: Any) -> None:
    client = client_of(recorder, attempts=3)
    recorder.steps.extend([trouble, trouble])

    found = read(client, map(str, range(8)), InFlight=2)

    assert [outcome for outcome in found.values() if isinstance(outcome, Exception)] == []
    assert len(recorder.seen) == 10


def test_lasting_trouble_ends_after_the_attempts_of_a_single_call(recorder: Recorder) -> None:
    client = client_of(recorder, attempts=3)
    recorder.default = SLOW_DOWN

    found = read(client, ["one", "two"])

    assert {type(outcome) for outcome in found.values()} == {errors.Throttled}
    assert len(recorder.seen) == 6


def test_no_store_at_all_is_said_of_every_object() -> None:
    with Recorder() as gone:
        client = client_of(gone, attempts=1)

    found = read(client, ["one", "two", "three"], InFlight=2)

    assert len(found) == 3
    assert {type(outcome) for outcome in found.values()} == {errors.Unavailable}


def test_silent_store_ends_in_an_error_and_not_in_a_hang(recorder: Recorder) -> None:
    silence = threading.Event()
    recorder.steps.append(lambda _connection: silence.wait(30))
    client = client_of(recorder, attempts=1, small_s=0.3)

    found = read(client, ["silent", "talking"], InFlight=1)

    silence.set()
    assert isinstance(found["silent"], errors.Unavailable)
    assert found["talking"]["ACL"] == "default"


def test_time_that_the_reader_takes_is_no_failure(recorder: Recorder) -> None:
    client = client_of(recorder, attempts=1, small_s=1)
    found = {}

    for key, outcome in client.get_object_acls(**AT, Keys=map(str, range(12)), InFlight=4):
        if not found:
            time.sleep(1.5)
        found[key] = outcome

    assert [outcome for outcome in found.values() if isinstance(outcome, Exception)] == []
    assert len(found) == 12


def test_time_that_the_keys_take_is_no_failure(recorder: Recorder) -> None:
    client = client_of(recorder, attempts=1, small_s=1)

    def listing() -> Iterator[str]:
        for number in range(12):
            if number == 6:
                time.sleep(1.5)
            yield str(number)

    found = read(client, listing(), InFlight=4)

    assert [outcome for outcome in found.values() if isinstance(outcome, Exception)] == []
    assert len(found) == 12


def test_time_that_the_keys_take_leaves_the_time_to_repeat(recorder: Recorder) -> None:
    client = client_of(recorder, attempts=2, short_for_s=1.5)
    recorder.steps.extend([SLOW_DOWN, SLOW_DOWN])

    def listing() -> Iterator[str]:
        yield "early"
        time.sleep(2)
        yield "late"

    found = read(client, listing(), InFlight=2)

    assert [outcome for outcome in found.values() if isinstance(outcome, Exception)] == []
    assert len(recorder.seen) == 4


def test_silent_store_ends_in_an_error_also_for_a_slow_reader(recorder: Recorder) -> None:
    silence = threading.Event()
    recorder.steps.extend([lambda _connection: silence.wait(30)] * 20)
    client = client_of(recorder, attempts=2, small_s=0.3)
    found = {}

    for key, outcome in client.get_object_acls(**AT, Keys=["one", "two", "three"], InFlight=2):
        found[key] = outcome
        time.sleep(0.5)

    silence.set()
    assert {type(outcome) for outcome in found.values()} == {errors.Unavailable}
    assert len(found) == 3


def test_cancel_from_another_thread_ends_the_batch(recorder: Recorder) -> None:
    silence, token = threading.Event(), CancelToken()
    recorder.default = b""
    recorder.steps.extend([lambda _connection: token.cancel()] + [lambda _connection: silence.wait(30)] * 4)
    client = client_of(recorder, attempts=1)

    with token.applied(), pytest.raises(errors.Canceled):
        read(client, map(str, range(4)), InFlight=2)

    silence.set()


def test_closing_the_iterator_gives_up_what_is_in_flight(recorder: Recorder, client: CosClient) -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else None
    acls = client.get_object_acls(**AT, Keys=map(str, range(100)), InFlight=5)
    next(acls)

    acls.close()  # type: ignore[attr-defined]

    assert len(recorder.seen) < 100
    if before is not None:
        ours = len(os.listdir("/proc/self/fd")) - len(recorder._open)
        assert ours <= before


def test_what_the_keys_raise_is_raised(recorder: Recorder, client: CosClient) -> None:
    def broken_listing() -> Iterator[str]:
        yield "one"
        raise errors.Interrupted("The listing broke.")

    with pytest.raises(errors.Interrupted):
        read(client, broken_listing())


def test_number_in_flight_may_be_text(recorder: Recorder, client: CosClient) -> None:
    found = read(client, map(str, range(20)), InFlight="2")

    assert len(found) == 20
    assert recorder.connections <= 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"Bucket": "../x"},
        {"Region": "a b"},
        {"InFlight": 0},
        {"InFlight": "many"},
        {"InFlight": 2.5},
        {"InFlight": None},
        {"Keys": None},
        {"Keys": "abc"},
        {"Keys": b"abc"},
    ],
)
def test_wrong_arguments_raise_before_anything_is_sent(
    recorder: Recorder, client: CosClient, wrong: dict[str, Any]
) -> None:
    with pytest.raises(errors.Refused):
        client.get_object_acls(**{**AT, "Keys": ["k"], **wrong})

    assert recorder.seen == []
