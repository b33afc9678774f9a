"""Runs a libcurl transfer so that another thread can end it at once.

libcurl's own loop looks up about once a second; here the waiting is ours, and a pipe ends it.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

import pycurl

from apps.storage.cos.cancel import CancelToken
from apps.storage.cos.curl import curl_multi, no_descriptor

_IDLE_MS = 1000


class Pump:
    """One transfer at a time, in one thread. Connections are kept from one to the next.

    It needs a handle of its own, `curl`: one that runs here loses the connections it has elsewhere.
    """

    def __init__(self) -> None:
        self.curl = pycurl.Curl()
        self._waits = _Waits()
        self._multi = curl_multi()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._waits.on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._waits.on_timer)

    def perform(self, token: CancelToken | None) -> None:
        """Do what `curl.perform()` does; raises pycurl.error as it does, and Canceled with `token`."""
        with nullcontext() if token is None else self._waits.ended_by(token):
            self._multi.add_handle(self.curl)
            try:
                self._run(token)
                failed = self._multi.info_read()[2]
            finally:
                self._multi.remove_handle(self.curl)
        for _, number, text in failed:
            raise pycurl.error(number, text)

    def _run(self, token: CancelToken | None) -> None:
        _, running = self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        while running:
            for fd, action in self._waits.next():
                _, running = self._multi.socket_action(fd, action)
            if token is not None:
                token.require()


class _Waits:
    """What libcurl waits for. It does not know the multi handle, which would otherwise be freed late."""

    def __init__(self) -> None:
        self._poller = select.poll()
        self._due_at: float | None = None

    def on_socket(self, what: int, fd: int, *_: object) -> None:
        """Watch a socket for what libcurl wants of it, or no more."""
        if what == pycurl.POLL_REMOVE:
            with suppress(KeyError):
                self._poller.unregister(fd)
            return
        wants_in = select.POLLIN if what & pycurl.POLL_IN else 0
        wants_out = select.POLLOUT if what & pycurl.POLL_OUT else 0
        self._poller.register(fd, wants_in | wants_out)

    def on_timer(self, timeout_ms: int) -> None:
        """Note when libcurl wants to be called whatever happens."""
        self._due_at = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000

    @contextmanager
    def ended_by(self, token: CancelToken) -> Iterator[None]:
        """Let a cancel end the waiting."""
        try:
            reading, writing = os.pipe()
        except OSError:
            raise no_descriptor() from None
        self._poller.register(reading, select.POLLIN)
        try:
            with token.waking(lambda: os.write(writing, b"!")):
                yield
        finally:
            self._poller.unregister(reading)
            os.close(reading)
            os.close(writing)

    def next(self) -> Iterator[tuple[int, int]]:
        """Wait, then yield the sockets that are ready with what they are ready for, and the clock if due."""
        left_ms = _IDLE_MS if self._due_at is None else (self._due_at - time.monotonic()) * 1000
        found = self._poller.poll(max(0.0, min(_IDLE_MS, left_ms)))
        for fd, events in found:
            yield fd, _action(events)
        if self._due_at is not None and time.monotonic() >= self._due_at:
            self._due_at = None
            yield pycurl.SOCKET_TIMEOUT, 0


def _action(events: int) -> int:
    action = pycurl.CSELECT_IN if events & (select.POLLIN | select.POLLHUP) else 0
    action |= pycurl.CSELECT_OUT if events & select.POLLOUT else 0
    action |= pycurl.CSELECT_ERR if events & (select.POLLERR | select.POLLNVAL) else 0
    return int(action)
