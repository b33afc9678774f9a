"""A console on several hosts, all of them this machine: two web servers, four workers, two clocks.

Each process has a data folder of its own, as on a host of its own; what they share is what `docs/scaling.md`
says they must: the database, Redis, the spool and the secrets. FLEET_DATABASE_URL names a PostgreSQL whose
tables may be filled; without it they share an SQLite file, which only processes of one machine can.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cryptography.fernet import Fernet
from harness.processes import ROOT, Child, answers, environment, free_port, python, run_client

PATIENCE_S = 60.0
# A queue each, so that nothing works by accident because somebody else serves the queue as well.
QUEUES = {"control": "control", "slices": "slices", "copies": "copies", "mixed": "slices,copies,batches"}
WEBS = ("web-1", "web-2")
CLOCKS = ("beat-1", "beat-2")


def wait_for(what: Callable[[], Any], why: str) -> Any:
    """Return the first true answer of `what`."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if answer := what():
            return answer
        time.sleep(0.05)
    raise AssertionError(why)


class Fleet:
    """The processes by name, and what a signed-in browser needs to speak to them."""

    def __init__(self, folder: Path, *, redis_url: str) -> None:
        self.folder = folder
        self.spool = folder / "spool"
        database = os.environ.get("FLEET_DATABASE_URL", f"sqlite:///{folder / 'console.sqlite3'}")
        self._shared = {
            "DATABASE_URL": database,
            "REDIS_URL": redis_url,
            "SPOOL_DIR": str(self.spool),
            "SECRET_KEY": secrets.token_urlsafe(48),
            "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
            "LOCALSTORE": "false",
        }
        self.ports = {name: free_port() for name in WEBS}
        self.running: dict[str, Child] = {}
        self.page: dict[str, Any] = {}

    def start(self, store: Mapping[str, Any]) -> None:
        """Migrate, start everything, sign in and connect the store."""
        command = [sys.executable, "manage.py", "migrate"]
        subprocess.run(
            command, cwd=ROOT, env=environment(self._host("prepare")), check=True, capture_output=True
        )
        for name in WEBS:
            self.web_start(name)
        for name in QUEUES:
            self.worker_start(name)
        for name in CLOCKS:
            self._celery(name, "beat", "-s", str(self.folder / name / "beat"))
        self.page = run_client(python("prepare"), store, environ=self._host("prepare"))
        for name in WEBS:
            self.web_wait(name)

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _host(self, name: str) -> dict[str, str]:
        return {**self._shared, "DATA_DIR": str(self.folder / name)}

    def web_start(self, name: str) -> None:
        environ = {**self._host(name), "PORT": str(self.ports[name])}
        command = [sys.executable, "-m", "gunicorn", "-c", "console/gunicorn.py", "console.wsgi:application"]
        self.running[name] = Child(name, command, log=self._log(name), environ=environ)

    def web_wait(self, name: str) -> None:
        self.running[name].wait_until(lambda: answers(self.ports[name], "/healthz"))

    def worker_start(self, name: str) -> None:
        self._celery(name, "worker", "-P", "threads", "-c", "4", "-Q", QUEUES[name], "-n", f"{name}@%h")

    def _celery(self, name: str, *arguments: str) -> None:
        (self.folder / name).mkdir(exist_ok=True)
        command = [sys.executable, "-m", "celery", "-A", "console", "-q", *arguments, "-l", "info"]
        self.running[name] = Child(name, command, log=self._log(name), environ=self._host(name))

    def kill(self, name: str) -> None:
        """Kill -9 a process and all that it started."""
        child = self.running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.stop()

    def stop(self) -> None:
        for name in list(self.running):
            self.kill(name)

    def ask(
        self, web: str, method: str, path: str, *, form: Mapping[str, str] | None = None, **body: Any
    ) -> tuple[int, Any]:
        """Return the status and the JSON, or the Location, that a web server answers."""
        headers = {
            "Cookie": self.page["cookie"],
            "X-CSRFToken": self.page["csrf"],
            "Accept": "application/json",
        }
        data, headers["Content-Type"] = json.dumps(body), "application/json"
        if form is not None:
            data, headers["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
        line = HTTPConnection("127.0.0.1", self.ports[web], timeout=PATIENCE_S)
        try:
            line.request(method, path, data if method == "POST" else None, headers)
            answer = line.getresponse()
            text = answer.read()
            is_json = answer.headers.get_content_type() == "application/json"
            return answer.status, json.loads(text) if is_json else answer.headers.get("Location", "")
        finally:
            line.close()

    def slice_send(self, webs: list[str], url: str, data: bytes) -> None:
        """Send a slice to the first web server that takes it, as a balancer in front of them would."""

        def is_taken() -> bool:
            for web in webs:
                line = HTTPConnection("127.0.0.1", self.ports[web], timeout=PATIENCE_S)
                try:
                    line.request("PUT", url, data)
                    if line.getresponse().status == 200:
                        return True
                except (OSError, HTTPException):
                    continue
                finally:
                    line.close()
            return False

        wait_for(is_taken, "no web server took the slice")

    def page_open(self, web: str) -> HTTPResponse:
        """Open a live page; reading lines of the answer hears it."""
        line = HTTPConnection("127.0.0.1", self.ports[web], timeout=PATIENCE_S)
        line.request("GET", "/jobs/events/", headers={"Cookie": self.page["cookie"]})
        return line.getresponse()

    def wait_done(self, web: str, job: str) -> dict[str, Any]:
        """Return the state of a job once it is done; fail as soon as it is parked."""

        def ended() -> dict[str, Any] | None:
            _status, state = self.ask(web, "GET", f"/transfers/{job}/")
            assert state["state"] not in {"parked", "canceled"}, state
            found: dict[str, Any] | None = state if state["state"] == "done" else None
            return found

        done: dict[str, Any] = wait_for(ended, f"the job did not end:\n{self.last_lines()}")
        return done

    def last_lines(self) -> str:
        return "\n".join(f"{name}:\n{child.last_lines()}" for name, child in self.running.items())
