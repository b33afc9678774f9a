"""Processes that a benchmark starts, each with a log, none of which outlives it."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
# It ends a child whose parent is gone, so that not even a killed benchmark leaves servers behind.
TETHER = ROOT / "console" / "supervisor" / "tether.py"
START_S = 60.0
STOP_S = 30.0
CLIENT_S = 900.0
LAST_LINES = 30


class BenchFailed(Exception):
    """A process did not start, a client failed, or an object is not what was sent."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of every process: ours, and nothing of a console that is configured here."""
    foreign = ("COS_", "CELERY_", "LOCALSTORE", "DJANGO_", "DATABASE_URL", "REDIS_URL", "SPOOL_", "WEB_")
    base = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**base, "PYTHONPATH": f"{ROOT}{os.pathsep}{BENCH}", "MALLOC_ARENA_MAX": "2", **(extra or {})}


class Child:
    """A server: started, waited for, stopped with all that it started."""

    def __init__(
        self, name: str, command: Sequence[str], *, log: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-IS", str(TETHER), str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=environment(environ),
                start_new_session=True,
            )
        self.pid = self._process.pid

    def wait_until(self, is_well: Callable[[], bool]) -> None:
        """Wait until the process answers. Raises BenchFailed with its last lines when it never does."""
        deadline = time.monotonic() + START_S
        while not is_well():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise BenchFailed(f"{self.name} did not start. Its last lines:\n{self.last_lines()}")
            time.sleep(0.05)

    def last_lines(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-LAST_LINES:])

    def stop(self) -> None:
        """Ask it to end, and end the whole group when that takes too long."""
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


def answers(port: int, path: str) -> bool:
    """Return whether a server on this machine answers `path` with 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            return sock.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def run_client(
    command: Sequence[str], spec: Mapping[str, Any], *, environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run a client with `spec` as JSON on its input and return the JSON of its last line of output.

    `process_cpu_s` is added: what the whole process used, its start and its imports included.
    """
    before = _children_cpu_s()
    done = subprocess.run(
        [sys.executable, "-IS", str(TETHER), str(os.getpid()), *command],
        input=json.dumps(spec),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(environ),
        timeout=CLIENT_S,
        check=False,
    )
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise BenchFailed(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}{done.stdout[-1000:]}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return {**answer, "process_cpu_s": _children_cpu_s() - before}


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def python(module: str) -> list[str]:
    """Return the command that runs a module of the harness."""
    return [sys.executable, "-m", f"harness.{module}"]
