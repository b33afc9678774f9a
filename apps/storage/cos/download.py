"""An open download: libcurl pumped by whoever reads it, in bounded memory, closed at once."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing, suppress
from io import BytesIO
from typing import Any

import pycurl

from apps.storage import errors
from apps.storage.cos.cancel import cancel_cutting
from apps.storage.cos.curl import Timeouts, TransportFailure, curl_multi, curl_prepare, failure_from
from apps.storage.cos.digits import whole_number
from apps.storage.cos.messages import Answer, Request, head_is_whole, headers_parse
from apps.storage.cos.received import HEAD_BYTES_MAX, too_large, too_slow
from apps.storage.types import Endpoint

CHUNK_SIZE = 256 << 10
# libcurl reads up to ten of these before it hands control back; larger ones cost memory and win nothing.
_RECEIVE_SIZE = 64 << 10
_TICK_S = 0.25
# libcurl's waiting cannot be ended by another thread: a reader who may be canceled looks up more often.
_CANCELABLE_TICK_S = 0.05
_IDLE_HANDLES_MAX = 8

# No lock guards these: a fork could copy it while it is held, and the child would wait for ever.
_idle: deque[tuple[int, Any, Any]] = deque()
_inherited: list[Any] = []


class Download:
    """A body that arrives while it is iterated. Close it when done.

    Chunks are 256 KiB to 1 MiB, smaller on a slow line.
    `status` and `headers` (lower-case names) are there from the start. Iterating raises Interrupted when the
    body ends before its announced length, Unavailable when nothing arrives for a minute of waiting; time that
    the reader spends elsewhere does not count. The token of the thread that iterates ends it with Canceled.
    """

    def __init__(self, request: Request, endpoint: Endpoint, timeouts: Timeouts) -> None:
        self._pid = os.getpid()
        self._multi: Any = None
        self._curl: Any = None
        self._operation = request.call.operation
        self._timeouts = timeouts
        self._chunks: list[bytes] = []
        self._head = BytesIO()
        self._failure: TransportFailure | None = None
        self._is_finished = False
        self.status = 0
        self._multi, self._curl = _borrow()
        curl_prepare(self._curl, request, endpoint, timeouts)
        self._curl.setopt(pycurl.BUFFERSIZE, _RECEIVE_SIZE)
        self._curl.setopt(pycurl.HEADERFUNCTION, self._head.write)
        self._curl.setopt(pycurl.WRITEFUNCTION, self._chunks.append)
        self._multi.add_handle(self._curl)
        try:
            self.status, self.headers = self._read_head()
        except BaseException:
            self.close()
            raise

    @property
    def content_length(self) -> int:
        """The announced length of the body in bytes, -1 when the store sends it in chunks."""
        announced = whole_number(self.headers.get("content-length", ""))
        return -1 if announced is None else announced

    @property
    def request_id(self) -> str:
        """The store's id of this request, empty when it sent none."""
        return self.headers.get("x-cos-request-id", "")

    def __iter__(self) -> Iterator[bytes]:
        while not self._is_finished or self._chunks:
            self._fill()
            if self._chunks:
                chunk = b"".join(self._chunks)
                self._chunks.clear()
                yield chunk
        if self._failure is not None:
            self._failure.error.operation = self._operation
            raise self._failure.error

    def __enter__(self) -> Download:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the transfer; what was not read is thrown away with its connection.

        In the child of a fork this leaves the transfer to the parent.
        """
        self._is_finished = True
        self._chunks.clear()
        multi, curl = self._multi, self._curl
        self._multi = self._curl = None
        if multi is None:
            return
        if self._pid != os.getpid():
            # Its connection is the parent's: it may be neither used again here nor said goodbye to.
            _inherited.append((multi, curl))
            return
        multi.remove_handle(curl)
        curl.reset()
        _give_back(multi, curl)

    def __del__(self) -> None:
        if self._pid != os.getpid():
            self.close()

    def answer(self, limit: int = 1 << 20) -> Answer:
        """Read a short body, an error document, and return it as an answer; then close.

        What comes after `limit` bytes, later than a stalled store, or not at all, is left out: the status
        says most of it. Raises Canceled.
        """
        body, until = b"", time.monotonic() + self._timeouts.stalled_s
        with closing(self), suppress(errors.Unavailable):
            for chunk in self:
                body += chunk
                if len(body) > limit or time.monotonic() > until:
                    break
        return Answer(self.status, self.headers, body)

    def _read_head(self) -> tuple[int, dict[str, str]]:
        """Run until the final header block is complete, or the call has failed."""
        waited_s, until = 0.0, time.monotonic() + self._timeouts.connect_s + self._timeouts.stalled_s
        while not self._is_finished and not self._chunks and not _is_final(self._head.getvalue()):
            waited_s = self._advance(waited_s)
            if self._head.tell() > HEAD_BYTES_MAX:
                self._give_up(too_large())
            elif time.monotonic() > until:
                self._give_up(too_slow(self._timeouts.stalled_s))
        if not _is_final(self._head.getvalue()):
            # libcurl takes the end of a connection for the end of a head, and reports no failure.
            cut = TransportFailure(errors.Interrupted("The store's answer was cut short."), was_sent=True)
            raise self._failure or cut
        return headers_parse(self._head.getvalue())

    def _fill(self) -> None:
        """Collect about one chunk, or what a slow line has brought within one tick."""
        waited_s, due_at = 0.0, time.monotonic() + _TICK_S
        while not self._is_finished and sum(map(len, self._chunks)) < CHUNK_SIZE:
            waited_s = self._advance(waited_s)
            if self._chunks and time.monotonic() >= due_at:
                return

    def _advance(self, waited_s: float) -> float:
        """Let libcurl work until it would wait, then wait a little; return how long nothing has come."""
        token = cancel_cutting()
        if token is not None and token.is_canceled:
            self._chunks.clear()
            self._give_up(errors.Canceled("The call was canceled."))
            return 0.0
        before = self._progress()
        _, running = self._multi.perform()
        if not running:
            self._finish()
            return 0.0
        if self._progress() != before:
            return 0.0
        if waited_s > self._timeouts.stalled_s:
            self._give_up(errors.Unavailable(f"The store sent nothing for {self._timeouts.stalled_s} s."))
            return 0.0
        started = time.monotonic()
        self._wait(_TICK_S if token is None else _CANCELABLE_TICK_S)
        return waited_s + time.monotonic() - started

    def _progress(self) -> tuple[int, int]:
        """Return what grows while something useful comes; trailers, which follow a body, are not."""
        return len(self._chunks), 0 if self.status else self._head.tell()

    def _give_up(self, error: errors.StorageError) -> None:
        is_final = isinstance(error, errors.Canceled)
        self._failure = TransportFailure(error, was_sent=True, is_final=is_final)
        self._is_finished = True

    def _wait(self, timeout_s: float) -> None:
        due_ms = self._multi.timeout()
        if due_ms >= 0:
            timeout_s = min(timeout_s, due_ms / 1000)
        if self._multi.select(timeout_s) == -1:
            # No socket yet, while a name is looked up.
            time.sleep(min(0.01, timeout_s))

    def _finish(self) -> None:
        self._is_finished = True
        for _, number, text in self._multi.info_read()[2]:
            self._failure = failure_from(self._curl, pycurl.error(number, text))
            if self._head.tell() and not self._failure.is_final:
                # Headers arrived, so whatever broke afterwards broke the body.
                self._failure.error = errors.Interrupted("The object's bytes ended too early.")


def _is_final(head: bytes) -> bool:
    return head_is_whole(head) and headers_parse(head)[0] >= 200


def _borrow() -> tuple[Any, Any]:
    """Return an idle pair of handles of this process, whose connection may still be open, or a new one."""
    with suppress(IndexError):
        while True:
            pid, multi, curl = _idle.pop()
            if pid == os.getpid():
                return multi, curl
            # Closing a pair that a fork copied would say goodbye on the parent's connection.
            _inherited.append((multi, curl))
    return curl_multi(), pycurl.Curl()


def _give_back(multi: Any, curl: Any) -> None:
    if len(_idle) < _IDLE_HANDLES_MAX:
        _idle.append((os.getpid(), multi, curl))
        return
    curl.close()
    multi.close()
