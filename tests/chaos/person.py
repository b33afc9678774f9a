"""Somebody at a browser who does not give up: asks again while the console is away."""

from __future__ import annotations

import http.client
import json
import sqlite3
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.console import TormentedConsole
from tests.journeys.running import Visitor

PATIENCE_S = 75.0
LOOK_EVERY_S = 0.2


class Stuck(AssertionError):
    """Something that had to happen did not."""


@dataclass(frozen=True)
class Answer:
    """What came back; `status` is 0 when nothing did."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        try:
            said = json.loads(self.body)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}


class Person:
    """Signed in once; usable from several threads, each request with a connection of its own."""

    def __init__(self, console: TormentedConsole) -> None:
        self.console = console
        visitor = Visitor(console)
        visitor.sign_in(console.link())
        said = {item.name: item.value or "" for item in visitor.cookies}
        self.cookies = "; ".join(f"{name}={value}" for name, value in said.items())
        self.csrf = said["console_csrf"]

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        line = http.client.HTTPConnection("127.0.0.1", self.console.port, timeout=30)
        try:
            line.request(method, path, body=body, headers={"Cookie": self.cookies, **headers})
            answer = line.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        except (OSError, http.client.HTTPException):
            return Answer(0)
        finally:
            line.close()

    def post(self, path: str, fields: Mapping[str, Any] | None = None, *, as_json: bool = False) -> Answer:
        kind = "application/json" if as_json else "application/x-www-form-urlencoded"
        body = json.dumps(fields) if as_json else urllib.parse.urlencode(fields or {}, doseq=True)
        return self.ask(
            "POST",
            path,
            body.encode(),
            **{"Content-Type": kind, "X-CSRFToken": self.csrf, "Accept": "application/json"},
        )

    def slice_put(self, url: str, data: bytes) -> int:
        return self.ask("PUT", url, data).status

    def store_put(self, url: str, data: bytes, **headers: str) -> Answer:
        """Send to an address of the store, as a browser does that was given it."""
        address = urllib.parse.urlsplit(url)
        line = http.client.HTTPConnection("127.0.0.1", self.console.store_port, timeout=30)
        try:
            line.request("PUT", f"{address.path}?{address.query}", data, {"Host": address.netloc, **headers})
            answer = line.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        except (OSError, http.client.HTTPException):
            return Answer(0)
        finally:
            line.close()

    def slice_cut_off(self, url: str, data: bytes) -> None:
        """Send half of a slice and hang up."""
        line = http.client.HTTPConnection("127.0.0.1", self.console.port, timeout=10)
        try:
            line.putrequest("PUT", url)
            line.putheader("Content-Length", str(len(data)))
            line.endheaders(data[: len(data) // 2])
        except OSError:
            return
        finally:
            line.close()

    def insist(self, ask: Callable[[], Answer], *, why: str) -> Answer:
        """Return the first answer that is neither nothing nor a failure of the console or the store."""
        until = time.monotonic() + PATIENCE_S
        while True:
            answer = ask()
            # Forbidden is what a store says whose clock is wrong.
            if 0 < answer.status < 500 and answer.status != 403:
                return answer
            if time.monotonic() > until:
                raise Stuck(f"{why}: {answer.status} {answer.body[:300]!r}")
            time.sleep(LOOK_EVERY_S)

    def state_of(self, job: str) -> sqlite3.Row:
        """Return a job's row, read without asking the console."""
        rows = self.console.rows("SELECT * FROM jobs_job WHERE id = ?", job.replace("-", ""))
        if not rows:
            raise Stuck(f"The row of job {job} is gone.")
        return rows[0]

    def press(self, job: str, button: str) -> None:
        """Press a button of a job if the console is there; who looks at the state presses again."""
        feature = self.state_of(job)["feature"]
        path = f"/transfers/{job}/{button}/" if feature == "transfers" else f"/jobs/{job}/batch/{button}/"
        answer = self.post(path)
        if answer.status not in {0, 204, 302, 409} and answer.status < 500:
            raise Stuck(f"{path} answered {answer.status}: {answer.body[:300]!r}")

    def wait_for_end(
        self,
        job: str,
        *,
        while_waiting: Callable[[sqlite3.Row], None] | None = None,
        gives_up_at: str = "",
    ) -> str:
        """Return the state that a job ended in; what parks is told to try again, or to end at this code."""
        until = time.monotonic() + PATIENCE_S
        while True:
            row = self.state_of(job)
            if row["state"] in {"done", "canceled"}:
                return str(row["state"])
            if time.monotonic() > until:
                raise Stuck(f"Job {job} does not end: {dict(row)}")
            if row["state"] == "parked":
                if not row["error_code"]:
                    raise Stuck(f"Job {job} is parked without a reason.")
                self.press(job, "cancel" if row["error_code"] == gives_up_at else "retry")
            if while_waiting is not None:
                while_waiting(row)
            time.sleep(LOOK_EVERY_S)
