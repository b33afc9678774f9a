"""The embedded store: a listening socket, a thread per connection, one data folder."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from apps.localstore.accounts import Account, Directory
from apps.localstore.bodies import Body
from apps.localstore.connection import Connection
from apps.localstore.control import control_answer
from apps.localstore.control_accounts import Keep, Register
from apps.localstore.dispatch import Dispatcher
from apps.localstore.early import EarlyAnswer, Pulse
from apps.localstore.engine import Engine
from apps.localstore.errors import StoreError
from apps.localstore.farewells import Farewells
from apps.localstore.faults import Faults
from apps.localstore.pacing import Pacer
from apps.localstore.request import Request
from apps.localstore.responses import Response, refusal_bytes
from apps.localstore.targets import REGIONS

logger = logging.getLogger(__name__)
STOP_S = 10.0


@dataclass(frozen=True)
class Tuning:
    """What a server can be slowed or bounded by.

    `bytes_per_second` (0: unlimited) is one allowance for all uploads;
    `latency_ms` comes before every answer; `idle_timeout_s` also bounds how
    long a peer may stall within a request; `patience_s` is how long a copy or a
    complete may take before its status goes out ahead of its result.
    """

    bytes_per_second: float = 0.0
    latency_ms: float = 0.0
    max_connections: int = 256
    idle_timeout_s: float = 60.0
    patience_s: float = 5.0


class LocalStore:
    """A COS-protocol server over a data folder.

    `start` returns when it listens, `stop` when every connection has ended;
    a store that was stopped shows the same content when another one is
    started on its folder. `control_token` enables `/-/faults` and
    `/-/accounts`; `keep` saves the accounts `added` there.
    """

    def __init__(
        self,
        data: Path,
        accounts: Iterable[Account],
        host: str = "127.0.0.1",
        port: int = 0,
        control_token: str | None = None,
        regions: frozenset[str] = REGIONS,
        tuning: Tuning | None = None,
        added: Iterable[Account] = (),
        keep: Keep | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._data = data
        self._accounts = list(accounts)
        self._control_token = control_token
        self._added = list(added)
        self._keep = keep
        self._tuning = tuning or Tuning()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: dict[Connection, threading.Thread] = {}
        self._regions = regions
        self._engine: Engine | None = None
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._pulse: Pulse
        self._farewells: Farewells
        self._register: Register
        self._pacers: tuple[Pacer, ...] = ()
        self._dispatcher: Dispatcher | None = None

    @property
    def dispatcher(self) -> Dispatcher:
        """Return what answers requests; there is none before `start`."""
        if self._dispatcher is None:
            raise RuntimeError("the store is not started")
        return self._dispatcher

    @property
    def faults(self) -> Faults:
        """Return the fault rules of the running server."""
        return self.dispatcher.faults

    @property
    def journal(self) -> list[dict[str, object]]:
        """Return the last requests, oldest first: operation, host, key, status."""
        return list(self.dispatcher.journal)

    def start(self) -> None:
        """Open the folder and listen. Raises OSError on a taken port, DataFolderError on the folder."""
        listener = _listen(self.host, self.port)
        try:
            self._engine = Engine(self._data)
        except BaseException:
            listener.close()
            raise
        self._listener = listener
        self.port = listener.getsockname()[1]
        self._stopping.clear()
        self._pulse = Pulse(self._tuning.patience_s, self._stopping)
        if self._tuning.bytes_per_second:
            self._pacers = (Pacer(self._tuning.bytes_per_second, self._stopping),)
        directory = Directory(self._accounts)
        self._register = Register(directory, self._added, self._keep)
        self._dispatcher = Dispatcher(
            self._engine,
            directory,
            self._regions,
            latency_s=self._tuning.latency_ms / 1000,
            stopping=self._stopping,
        )
        self._farewells = Farewells()
        self._farewells.start()
        self._acceptor = threading.Thread(target=self._accept, name="localstore-accept", daemon=True)
        self._acceptor.start()

    def stop(self) -> None:
        """Stop listening, end every connection and release the folder."""
        if self._listener is None or self._engine is None:
            return
        self._stopping.set()
        # Closing alone does not wake a thread that is inside accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._acceptor is not None:
            self._acceptor.join(STOP_S)
        with self._lock:
            running = dict(self._connections)
        for connection in running:
            connection.end()
        for thread in running.values():
            thread.join(STOP_S)
        self._farewells.stop()
        self.faults.clear()
        self._engine.close()
        self._listener = self._engine = None

    def _accept(self) -> None:
        listener, engine = self._listener, self._engine
        if listener is None or engine is None:
            return
        while not self._stopping.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                if self._stopping.is_set():
                    return
                # Out of descriptors: the listener is fine, so wait for some to come back.
                self._stopping.wait(0.05)
                continue
            try:
                self._admit(sock, engine)
            except (OSError, RuntimeError, MemoryError):
                # No thread or no memory for it now: whoever comes next may find some again.
                logger.exception("A connection could not be served")
                self._turn_away(sock)
                self._stopping.wait(0.05)

    def _admit(self, sock: socket.socket, engine: Engine) -> None:
        if not self._make_room():
            self._turn_away(sock)
            return
        connection = Connection(
            sock,
            self._answer,
            engine,
            self._pulse,
            self._farewells,
            timeout_s=self._tuning.idle_timeout_s,
            stopping=self._stopping,
        )
        connection.upload_pacers = self._pacers
        thread = threading.Thread(target=self._run, args=(connection,), name="localstore", daemon=True)
        with self._lock:
            self._connections[connection] = thread
        try:
            thread.start()
        except BaseException:
            with self._lock:
                self._connections.pop(connection)
            raise

    def _turn_away(self, sock: socket.socket) -> None:
        self._farewells.say(sock, refusal_bytes(StoreError("ServiceUnavailable")))

    def _make_room(self) -> bool:
        """End the longest idle connection when the limit is reached; False when all are at work."""
        with self._lock:
            if len(self._connections) < self._tuning.max_connections:
                return True
            idle = [(c.idle_since, c) for c in self._connections if c.idle_since is not None]
        if not idle:
            return False
        min(idle, key=lambda pair: pair[0])[1].end()
        return True

    def _run(self, connection: Connection) -> None:
        try:
            connection.run()
        except Exception:
            logger.exception("A connection broke")
        finally:
            with self._lock:
                self._connections.pop(connection, None)

    def _answer(self, request: Request, body: Body, early: EarlyAnswer) -> Response:
        control = control_answer(request, body, self.dispatcher, self._register, self._control_token)
        return control or self.dispatcher.answer(request, body, early)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except BaseException:
        listener.close()
        raise
    return listener
