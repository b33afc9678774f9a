"""How often each operation is sent, counted by the server, when answers fail, break or ask for patience."""

from __future__ import annotations

import socket
import time

import pytest

from apps.storage import errors
from apps.storage.cos import Retries
from tests.storage.conftest import client_of
from tests.storage.operations import BY_METHOD, OPERATIONS, Operation
from tests.storage.recorder import Recorder, Step, drop, reply
from tests.storage.test_every_operation import PAGE, each, error, every

ATTEMPTS = 4
UNSURE: list[Step] = [
    drop,
    reply(500, error("InternalError")),
    reply(500),
    reply(503, error("ServiceUnavailable")),
    reply(502, PAGE, Content_Type="text/html"),
]


def bodiless(step: Step, operation: Operation) -> Step:
    """Return `step` as it is sent to `operation`: the answer to a HEAD ends with its headers."""
    if not operation.is_head or not isinstance(step, bytes):
        return step
    return step.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def allowed(operation: Operation) -> int:
    """Return how many requests there may be when nobody knows what became of the ones before."""
    return ATTEMPTS if operation.repeats is None else 1 + operation.repeats


@every
def test_call_in_doubt_is_sent_as_often_as_is_safe(recorder: Recorder, operation: Operation) -> None:
    client = client_of(recorder, attempts=ATTEMPTS, first_delay_s=0.001)
    for number, failure in enumerate(UNSURE, 1):
        recorder.default = b""
        recorder.steps.clear()
        recorder.steps.extend([bodiless(failure, operation)] * 9)

        with pytest.raises(errors.Unavailable):
            operation.call(client)

        assert len(recorder.seen) == number * allowed(operation), failure


@every
def test_connection_that_breaks_before_the_body_counts_alike(
    recorder: Recorder, operation: Operation
) -> None:
    broken: list[socket.socket] = []

    def hang_up(connection: socket.socket) -> None:
        broken.append(connection)
        drop(connection)

    recorder.before_body.extend([hang_up] * 9)

    with pytest.raises(errors.Unavailable):
        operation.call(client_of(recorder, attempts=ATTEMPTS, first_delay_s=0.001))

    assert len(broken) == allowed(operation)


@each(*(one for one in OPERATIONS if one.repeats == 0))
@pytest.mark.parametrize(
    "failure", [drop, reply(500, error("InternalError"))], ids=["drop", "internal error"]
)
def test_kept_connection_does_not_repeat_what_must_not_be(
    recorder: Recorder, operation: Operation, failure: Step
) -> None:
    client = client_of(recorder, attempts=ATTEMPTS)
    BY_METHOD["head_bucket"].call(client)
    recorder.steps.extend([failure] * 9)

    with pytest.raises(errors.Unavailable):
        operation.call(client)

    # libcurl repeats a request unseen, on its own, when a connection that it had kept turns out to be dead.
    assert len(recorder.seen) == 2


@every
def test_slow_down_is_followed_by_every_call(recorder: Recorder, operation: Operation) -> None:
    refusals = [reply(503, error("SlowDown"), Retry_After="0"), reply(429)]
    recorder.steps.extend(refusals[1:] * 2 if operation.is_head else refusals)
    recorder.default = operation.answer

    operation.call(client_of(recorder, attempts=ATTEMPTS))

    assert len(recorder.seen) == 3
    assert len({(seen.method, seen.target, seen.body) for seen in recorder.seen}) == 1


@every
def test_refused_call_is_not_sent_again(recorder: Recorder, operation: Operation) -> None:
    client = client_of(recorder, attempts=ATTEMPTS)
    refusals = [
        (400, "InvalidArgument"),
        (405, "MethodNotAllowed"),
        (409, "PathConflict"),
        (412, "Precondition"),
    ]
    for number, (status, code) in enumerate(refusals, 1):
        recorder.default = reply(status, b"" if operation.is_head else error(code))

        with pytest.raises((errors.Refused, errors.Conflict)):
            operation.call(client)

        assert len(recorder.seen) == number


def test_asked_pause_is_kept_and_more(recorder: Recorder) -> None:
    operation = BY_METHOD["get_bucket"]
    recorder.steps.append(reply(503, error("SlowDown"), Retry_After="1"))
    recorder.default = operation.answer
    started = time.monotonic()

    operation.call(client_of(recorder, attempts=2, first_delay_s=0.2))

    # What was asked for, and at least half of our own pause, so that not all callers return at once.
    assert time.monotonic() - started >= 1.1


@pytest.mark.parametrize("asked", ["", "soon", "²", "-5", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_pause_that_cannot_be_read_is_ours(recorder: Recorder, asked: str) -> None:
    operation = BY_METHOD["get_bucket"]
    recorder.steps.append(
        reply(503, error("SlowDown")).replace(b"\r\n", f"\r\nRetry-After: {asked}\r\n".encode(), 1)
    )
    recorder.default = operation.answer

    operation.call(client_of(recorder, attempts=2))

    assert len(recorder.seen) == 2


def test_pauses_double_and_differ() -> None:
    retries = Retries(first_delay_s=1.0, delay_max_s=5.0)

    pauses = [[retries.delay_s(attempt) for _ in range(50)] for attempt in (1, 2, 3, 4)]

    for full, drawn in zip((1.0, 2.0, 4.0, 5.0), pauses, strict=True):
        assert all(full / 2 <= pause <= full for pause in drawn)
        assert len(set(drawn)) > 1
