"""Many small requests at once on one thread, through libcurl's multi interface.

A thread per request costs more than the request: on the machine of the benchmarks sixteen threads read 5,500
ACLs per second, sixteen lanes 15,000, because each answer wakes a thread that must wait for the interpreter.
"""

from __future__ import annotations

import os
import time
from typing import Any

import pycurl

from apps.storage import errors
from apps.storage.cos.curl import (
    Timeouts,
    TransportFailure,
    curl_aim,
    curl_configure,
    curl_limit,
    curl_multi,
    failure_from,
)
from apps.storage.cos.messages import Answer, Pace, Request, head_is_whole, headers_parse
from apps.storage.types import Endpoint

_TICK_S = 0.25
# The answers are small by nature; libcurl keeps count, and keeps the time of the whole call as well.
_ANSWER_BYTES_MAX = 1 << 20
_inherited: list[Any] = []


class TimedOut(TransportFailure):
    """libcurl's clock ran out, which also runs while nobody calls `Lanes.finished`."""


class Lane:
    """A handle with its connection, configured once; between two requests only the aim changes."""

    def __init__(self, endpoint: Endpoint, timeouts: Timeouts) -> None:
        self._endpoint = endpoint
        self._head: list[bytes] = []
        self._body: list[bytes] = []
        self.ticket: Any = None
        self.curl = pycurl.Curl()
        curl_configure(self.curl, endpoint, timeouts)
        curl_limit(self.curl, Pace.SHORT, timeouts)
        self.curl.setopt(pycurl.MAXFILESIZE_LARGE, _ANSWER_BYTES_MAX)
        self.curl.setopt(pycurl.HEADERFUNCTION, self._head.append)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._body.append)

    def aim(self, request: Request, ticket: Any) -> None:
        self.ticket = ticket
        self._head.clear()
        self._body.clear()
        curl_aim(self.curl, request, self._endpoint)

    def answer(self) -> Answer | TransportFailure:
        head = b"".join(self._head)
        if not head_is_whole(head):
            return TransportFailure(errors.Interrupted("The store's answer was cut short."), was_sent=True)
        status, headers = headers_parse(head)
        return Answer(status, headers, b"".join(self._body))


class Lanes:
    """Up to `width` GET requests in flight, each told apart by a ticket of the caller's.

    For one thread. Close it in the end, also with requests in flight, which are then given up.
    """

    def __init__(self, endpoint: Endpoint, timeouts: Timeouts, *, width: int) -> None:
        self._pid = os.getpid()
        try:
            self._multi = curl_multi()
        except TransportFailure as failure:
            raise failure.error from None
        # libcurl keeps four connections per handle by itself, counted over all handles that were added.
        self._multi.setopt(pycurl.M_MAXCONNECTS, width)
        self._free = [Lane(endpoint, timeouts) for _ in range(width)]
        self._busy: dict[Any, Lane] = {}

    def start(self, request: Request, ticket: Any) -> None:
        """Send a request as soon as `finished` is called; there must be a free lane."""
        lane = self._free.pop()
        lane.aim(request, ticket)
        self._busy[lane.curl] = lane
        self._multi.add_handle(lane.curl)

    def finished(self, timeout_s: float) -> list[tuple[Any, Answer | TransportFailure]]:
        """Return what has ended, with its tickets; after waiting up to `timeout_s`, perhaps nothing yet."""
        self._multi.perform()
        ended = self._ended()
        if not ended:
            self._wait(min(timeout_s, _TICK_S))
        return ended

    def close(self) -> None:
        """Give up what is in flight and close all connections."""
        if self._pid != os.getpid():
            # After a fork the connections are the parent's, who must not find them closed.
            _inherited.append((self._multi, self._free, self._busy))
            return
        for lane in self._busy.values():
            self._multi.remove_handle(lane.curl)
        for lane in (*self._busy.values(), *self._free):
            lane.curl.close()
        self._multi.close()

    def _wait(self, timeout_s: float) -> None:
        due_ms = self._multi.timeout()
        if due_ms >= 0:
            timeout_s = min(timeout_s, due_ms / 1000)
        if self._multi.select(max(0.0, timeout_s)) == -1:
            # No socket: a name is looked up, or all calls pause.
            time.sleep(min(0.01, timeout_s))

    def _ended(self) -> list[tuple[Any, Answer | TransportFailure]]:
        ended: list[tuple[Any, Answer | TransportFailure]] = []
        queued = 1
        while queued:
            queued, succeeded, failed = self._multi.info_read()
            ended += [(lane.ticket, lane.answer()) for lane in map(self._release, succeeded)]
            ended += [
                (self._release(curl).ticket, _failure(curl, pycurl.error(number, text)))
                for curl, number, text in failed
            ]
        return ended

    def _release(self, curl: Any) -> Lane:
        self._multi.remove_handle(curl)
        lane = self._busy.pop(curl)
        self._free.append(lane)
        return lane


def _failure(curl: Any, error: pycurl.error) -> TransportFailure:
    failure = failure_from(curl, error)
    if error.args[0] == pycurl.E_OPERATION_TIMEDOUT:
        return TimedOut(failure.error, was_sent=failure.was_sent)
    return failure
