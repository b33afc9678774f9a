"""Connections that have had their last answer, until the peer has read it.

Closing a socket on unread bytes resets the connection, and the reset overtakes
the answer: a client that is still sending would see a broken pipe and no
refusal. So the sending side is shut, and what still comes is read and thrown
away until the peer ends, falls silent, or has had its time. One thread does
that for all of them: it holds up neither the next connection nor a worker.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from queue import Empty, SimpleQueue

WHOLE_S = 30.0
SILENCE_S = 5.0
TICK_S = 0.25
MOST = 256


class Farewells:
    """The thread that waits for `most` peers to leave, for `whole_s` or a silence of `silence_s`."""

    def __init__(self, *, most: int = MOST, whole_s: float = WHOLE_S, silence_s: float = SILENCE_S) -> None:
        self._whole_s = whole_s
        self._silence_s = silence_s
        self._room = threading.Semaphore(most)
        self._arrived: SimpleQueue[socket.socket] = SimpleQueue()
        self._stopping = threading.Event()
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        # When each peer must have left at the latest, and unless it says something, on the monotonic clock.
        self._guests: dict[socket.socket, tuple[float, float]] = {}
        self._thread = threading.Thread(target=self._run, name="localstore-farewells", daemon=True)

    def start(self) -> None:
        """Begin to wait. Raises RuntimeError when there is no thread for it."""
        self._thread.start()

    def say(self, sock: socket.socket, answer: bytes = b"") -> None:
        """Send a short last answer and close later; at once when there are too many peers."""
        try:
            sock.setblocking(False)
            sock.sendall(answer)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            sock.close()
            return
        if self._stopping.is_set() or not self._room.acquire(blocking=False):
            sock.close()
            return
        self._arrived.put(sock)
        self._ring()

    def stop(self) -> None:
        """Close what is left and end the thread. Nothing may be said any more."""
        self._stopping.set()
        self._ring()
        self._thread.join()
        self._bell.close()
        self._ear.close()

    def _ring(self) -> None:
        try:
            self._bell.send(b"!")
        except BlockingIOError:
            # So many rings wait to be heard that this one is not missed.
            return

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._ear, selectors.EVENT_READ)
            while not self._stopping.is_set():
                ready = selector.select(TICK_S if self._guests else None)
                for key, _ in ready:
                    if key.data is not None:
                        self._hear(selector, key.data)
                self._welcome(selector)
                self._see_off(selector)
            self._welcome(selector)
            for sock in list(self._guests):
                self._close(selector, sock)

    def _welcome(self, selector: selectors.BaseSelector) -> None:
        """Begin to listen to those who have arrived."""
        try:
            self._ear.recv(4096)
        except BlockingIOError:
            return
        now = time.monotonic()
        try:
            while True:
                sock = self._arrived.get_nowait()
                self._guests[sock] = now + self._whole_s, now + self._silence_s
                selector.register(sock, selectors.EVENT_READ, sock)
        except Empty:
            return

    def _hear(self, selector: selectors.BaseSelector, sock: socket.socket) -> None:
        """Throw away what a peer sends, or close when it has ended."""
        try:
            heard = sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if not heard:
            self._close(selector, sock)
            return
        ends_at, _ = self._guests[sock]
        self._guests[sock] = ends_at, time.monotonic() + self._silence_s

    def _see_off(self, selector: selectors.BaseSelector) -> None:
        now = time.monotonic()
        for sock in [sock for sock, times in self._guests.items() if min(times) < now]:
            self._close(selector, sock)

    def _close(self, selector: selectors.BaseSelector, sock: socket.socket) -> None:
        del self._guests[sock]
        selector.unregister(sock)
        sock.close()
        self._room.release()
