"""A whole console as a user starts it, and a person's way through its doors without a browser."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from redis import Redis

from tests.settings import free_port

ROOT = Path(__file__).resolve().parents[2]
CONTROL_TOKEN = "journeys-control"


def shot(page: Page, name: str) -> None:
    """Keep a picture of the page in the folder that JOURNEY_SHOTS names, if it names one."""
    if folder := os.environ.get("JOURNEY_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def wait_for(what: Callable[[], Any], *, seconds: float, why: str) -> Any:
    """Return the first true answer of `what`; fail with `why` when there is none in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := what():
            return answer
        time.sleep(0.1)
    raise AssertionError(why)


@dataclass
class RunningConsole:
    """`manage.py up` in a folder of its own, with all its real processes."""

    folder: Path
    port: int = field(default_factory=free_port)
    store_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("COS_")},
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "DATA_DIR": str(self.folder),
            "PORT": str(self.port),
            "LOCALSTORE_PORT": str(self.store_port),
            "LOCALSTORE_CONTROL": CONTROL_TOKEN,
            # Half of what a journey's file has, so that a slow store holds the browser back for sure.
            "SPOOL_SLICES_PER_UPLOAD": "4",
        }
        environment.pop("REDIS_URL", None)
        environment.pop("DATABASE_URL", None)
        return environment

    def start(self) -> None:
        with open(self.folder.with_suffix(".log"), "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=self.environment(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        wait_for(self.is_ready, seconds=60, why=f"The console did not start: {self.log()}")

    def is_ready(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"The console stopped: {self.log()}")
        return (self.folder / "run" / "up.json").exists() and "link" in self.about()

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(40)

    def log(self) -> str:
        return self.folder.with_suffix(".log").read_text(errors="replace")[-4000:]

    def about(self) -> dict[str, Any]:
        try:
            about: dict[str, Any] = json.loads((self.folder / "run" / "up.json").read_text())
        except (OSError, ValueError):
            return {}
        return about

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def link(self) -> str:
        """Return a new address that signs the administrator in once."""
        printed = subprocess.run(
            [sys.executable, "manage.py", "signinlink"],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return self.address + printed.stdout.strip()

    def kill(self, name: str) -> None:
        """Kill -9 one process and everything that it started, and wait until another has its place."""
        pid = self.about()["pids"][name]
        os.killpg(os.getpgid(pid), signal.SIGKILL)
        wait_for(
            lambda: self.about().get("pids", {}).get(name, pid) != pid,
            seconds=30,
            why=f"{name} was not started again: {self.log()}",
        )

    def faults(self, *rules: dict[str, Any]) -> None:
        """Replace the embedded store's faults."""
        self._control("DELETE", None)
        for rule in rules:
            self._control("POST", rule)

    def _control(self, method: str, rule: dict[str, Any] | None) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.store_port, timeout=10)
        try:
            line.request(
                method,
                "/-/faults",
                body=None if rule is None else json.dumps(rule),
                headers={"x-localstore-control": CONTROL_TOKEN},
            )
            assert line.getresponse().status < 300
        finally:
            line.close()

    def redis_flush(self) -> None:
        """Forget everything that Redis holds, queued messages included."""
        configuration = (self.folder / "redis" / "redis.conf").read_text()
        said = dict(line.split(" ", 1) for line in configuration.splitlines())
        with Redis(port=int(said["port"]), password=said["requirepass"]) as client:
            client.flushall()


class Visitor:
    """Somebody who uses the console's addresses with a session, as a script would."""

    def __init__(self, console: RunningConsole) -> None:
        self.console = console
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def sign_in(self, link: str) -> None:
        page = self.get(urllib.parse.urlsplit(link).path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.decode())
        assert token is not None
        self.post(urllib.parse.urlsplit(link).path, {"csrfmiddlewaretoken": token[1]})

    def get(self, path: str) -> bytes:
        with self.opener.open(self.console.address + path, timeout=60) as response:
            body: bytes = response.read()
        return body

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def post(self, path: str, fields: dict[str, Any], *, as_json: bool = False) -> bytes:
        data = json.dumps(fields) if as_json else urllib.parse.urlencode(fields)
        request = urllib.request.Request(self.console.address + path, data=data.encode(), method="POST")
        request.add_header("X-CSRFToken", self._cookie("console_csrf"))
        request.add_header("Accept", "application/json")
        if as_json:
            request.add_header("Content-Type", "application/json")
        try:
            with self.opener.open(request, timeout=60) as response:
                body: bytes = response.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} answered {error.code}: {error.read().decode()}") from None
        return body

    def _cookie(self, name: str) -> str:
        return next((item.value or "" for item in self.cookies if item.name == name), "")

    def slice_put(self, url: str, data: bytes) -> None:
        """Send one slice, again and again while the console asks to come back."""

        def sent() -> bool:
            line = http.client.HTTPConnection("127.0.0.1", self.console.port, timeout=120)
            try:
                line.request("PUT", url, body=data)
                answer = line.getresponse()
                answer.read()
            except OSError:
                return False
            finally:
                line.close()
            assert answer.status in {200, 503}, answer.status
            return answer.status == 200

        wait_for(sent, seconds=120, why=f"The slice was not taken: {self.console.log()}")
