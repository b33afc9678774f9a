"""Sends one request and reads its whole answer, through one libcurl handle per thread."""

from __future__ import annotations

import os
import threading
from typing import Any

import pycurl

from apps.storage import errors
from apps.storage.cos.bodies import Body
from apps.storage.cos.cancel import cancel_cutting
from apps.storage.cos.curl import (
    ANSWER_BYTES_MAX,
    Timeouts,
    TransportFailure,
    curl_limit,
    curl_prepare,
    failure_from,
)
from apps.storage.cos.messages import (
    Answer,
    Call,
    OnProgress,
    Pace,
    Repeat,
    Request,
    head_is_whole,
    headers_parse,
)
from apps.storage.cos.pump import Pump
from apps.storage.cos.received import Received
from apps.storage.types import Endpoint

# Handles belong to threads, not to clients: a worker opens a client per task, and the connections of the
# task before should still be there.
_mine = threading.local()
_inherited: list[Any] = []


class CurlTransport:
    """Speaks to one endpoint. Safe in several threads, and in the child of a fork."""

    def __init__(self, endpoint: Endpoint, timeouts: Timeouts) -> None:
        self._endpoint = endpoint
        self._timeouts = timeouts

    def send(self, request: Request) -> Answer:
        """Send `request` once and return the answer, whatever its status.

        Raises TransportFailure when there is none: timeout, broken connection, a caller who stops; Canceled
        when the token of this thread is canceled.
        """
        call = request.call
        is_pumped = call.pace is not Pace.SHORT or cancel_cutting() is not None
        curl = _handle(is_pumped=is_pumped)
        patience_s = self._timeouts.long_s if call.pace is Pace.LONG else self._timeouts.stalled_s
        received = Received(bytes_max=ANSWER_BYTES_MAX, patience_s=patience_s)
        curl_prepare(curl, request, self._endpoint, self._timeouts)
        curl_limit(curl, call.pace, self._timeouts, method=call.method)
        curl.setopt(pycurl.HEADERFUNCTION, received.header)
        curl.setopt(pycurl.WRITEFUNCTION, received.write)
        _guard_repeats(curl, call)
        source = _attach_source(curl, call.body)
        meter = _attach_meter(curl, call.on_progress)
        try:
            _perform(curl, is_pumped=is_pumped)
        except pycurl.error as error:
            if meter is not None and meter.problem is not None:
                raise meter.problem from None
            if source is not None and source.callers is not None:
                raise source.callers from None
            if source is not None and source.problem is not None:
                raise TransportFailure(source.problem, was_sent=True, is_final=True) from None
            if received.problem is not None:
                raise TransportFailure(received.problem, was_sent=True) from None
            raise failure_from(curl, error) from None
        finally:
            # An idle handle must not keep the caller's file and the answer alive.
            curl.reset()
        if not head_is_whole(received.head):
            # libcurl takes the end of a connection for the end of a head; half of one may lack the digest.
            raise TransportFailure(errors.Interrupted("The store's answer was cut short."), was_sent=True)
        status, headers = headers_parse(received.head)
        return Answer(status, headers, received.body)


class _Source:
    """Feeds a body to libcurl, from the start again when it asks for that."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._position = 0
        self.problem: errors.StorageError | None = None
        self.callers: BaseException | None = None

    def read(self, count: int) -> bytes | int:
        """Return the next bytes; an exception must not leave a callback, so it is kept.

        What says that the file cannot be read becomes the `problem`, any other is raised as it is.
        """
        try:
            data = self._body.read_at(self._position, count)
        except (OSError, ValueError) as error:
            self.problem = errors.Refused(f"The file could not be read while it was sent: {error}.")
            return int(pycurl.READFUNC_ABORT)
        except BaseException as error:
            self.callers = error
            return int(pycurl.READFUNC_ABORT)
        if not data and self._position < self._body.length:
            self.problem = errors.Refused("The file is shorter than it was when the upload was planned.")
            return int(pycurl.READFUNC_ABORT)
        self._position += len(data)
        return data

    def seek(self, offset: int, origin: int) -> int:
        """Go back to where a repeated request begins."""
        self._position = offset
        return int(pycurl.SEEKFUNC_OK)


def _attach_source(curl: Any, body: Body | None) -> _Source | None:
    if body is None:
        return None
    source = _Source(body)
    curl.setopt(pycurl.READFUNCTION, source.read)
    curl.setopt(pycurl.SEEKFUNCTION, source.seek)
    curl.setopt(pycurl.INFILESIZE_LARGE, body.length)
    return source


def _attach_meter(curl: Any, on_progress: OnProgress | None) -> _Meter | None:
    if on_progress is None:
        return None
    meter = _Meter(on_progress)
    curl.setopt(pycurl.NOPROGRESS, 0)
    curl.setopt(pycurl.XFERINFOFUNCTION, meter)
    return meter


class _Meter:
    """libcurl's progress callback: non-zero stops, at once or after a second of silence.

    An exception of the caller must not leave a callback, where it would be printed and lost; it is kept as
    `problem` and raised once libcurl has let go.
    """

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self.problem: BaseException | None = None

    def __call__(self, _down_total: int, _down: int, _up_total: int, up: int) -> int:
        try:
            return 1 if self._on_progress(int(up)) is False else 0
        except BaseException as problem:
            self.problem = problem
            return 1


def _guard_repeats(curl: Any, call: Call) -> None:
    """Keep libcurl from repeating, on its own, what must not arrive twice.

    It silently sends a request again when a kept connection dies before the answer; on a new connection it
    does not. A handshake per Initiate and Complete is cheaper than an upload that nobody knows about.
    """
    if call.repeat is Repeat.NEVER:
        curl.setopt(pycurl.FRESH_CONNECT, 1)


def _perform(curl: Any, *, is_pumped: bool) -> None:
    """Run the call. Only one that can be canceled, or may take long, pays for a loop of ours.

    In libcurl's own loop no signal handler runs until the call has ended.
    """
    if is_pumped:
        _mine.pump.perform(cancel_cutting())
    else:
        curl.perform()


def _handle(*, is_pumped: bool) -> Any:
    """Return this thread's handle, for calls that run in our loop another than for those of libcurl's."""
    if getattr(_mine, "pid", None) != os.getpid():
        # Closing the parent's handles would say goodbye on connections that the parent still uses.
        _inherited.extend((getattr(_mine, "curl", None), getattr(_mine, "pump", None)))
        _mine.pid, _mine.curl, _mine.pump = os.getpid(), None, None
    if not is_pumped:
        _mine.curl = _mine.curl or pycurl.Curl()
        return _mine.curl
    _mine.pump = _mine.pump or Pump()
    return _mine.pump.curl
