"""A whole console that can be hurt in every way, and whose own records can be read without asking it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis

from apps.storage.cos import CosClient
from apps.storage.types import Credentials, Endpoint
from tests.chaos.pace import FULL
from tests.journeys.running import CONTROL_TOKEN, RunningConsole, wait_for

CONNECTION = "demo-store"
REGION = "ap-guangzhou"
BUCKET = "team-files-1250000000"
# Where the store lets the console's pages send to it.
OPEN_BUCKET = "chaos-open-1250000000"
# Redis does not start with it.
BROKEN_LINE = "no-such-setting yes"


@dataclass
class TormentedConsole(RunningConsole):
    """`manage.py up` at the pace of `tests.chaos.settings`."""

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
            "SPOOL_FREE_MIB": "16",
            "WORKER_THREADS": "6",
            "WEB_THREADS": "32",
        }

    def pids(self, name: str) -> list[int]:
        """Return the processes of a part of the console: it leads a group of its own."""
        about = wait_for(self.about, seconds=10, why="Nobody knows where the processes are.")
        leader = about["pids"].get(name)
        return [] if leader is None else [leader, *(pid for pid in _group_of(leader) if pid != leader)]

    def kill_now(self, name: str, *, which: int | None = None) -> None:
        """Kill -9 a whole part or, with `which`, one process of it. Does not wait for its successor."""
        pids = self.pids(name)
        chosen = pids if which is None or not pids else [pids[which % len(pids)]]
        self.signal(chosen, signal.SIGKILL)

    def signal(self, pids: list[int], number: signal.Signals) -> None:
        """Send a signal to processes of this console; those that are gone need none."""
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def wait_until_well(self) -> None:
        """Wait until every part answers again."""
        wait_for(self._is_well, seconds=60, why=f"The console did not come back: {self.log()}")

    def _is_well(self) -> bool:
        try:
            with self.redis() as client:
                client.ping()
            self.store_client().get_service()
        except Exception:
            return False
        pids = self.about().get("pids", {})
        return len(pids) >= 5 and all(Path(f"/proc/{pid}").exists() for pid in pids.values())

    def redis(self) -> Redis:
        return Redis.from_url(self.redis_url(), socket_timeout=5)

    def redis_url(self) -> str:
        lines = (self.folder / "redis" / "redis.conf").read_text().splitlines()
        said = dict(line.split(" ", 1) for line in lines)
        return f"redis://:{said['requirepass']}@127.0.0.1:{said['port']}/0"

    def store_client(self) -> CosClient:
        account = json.loads((self.folder / "store" / "accounts.json").read_text())[0]
        return CosClient(
            credentials=Credentials(account["secret_id"], account["secret_key"]),
            endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{self.store_port}"),
        )

    def account_add(self) -> dict[str, Any]:
        """Make another account of the store, and return it with its key."""
        line = http.client.HTTPConnection("127.0.0.1", self.store_port, timeout=10)
        with closing(line):
            line.request("POST", "/-/accounts", "{}", {"x-localstore-control": CONTROL_TOKEN})
            made: dict[str, Any] = json.loads(line.getresponse().read())
        return made

    def journal(self) -> list[dict[str, Any]]:
        """Return what the store did last: since it began, at most a thousand requests."""
        line = http.client.HTTPConnection("127.0.0.1", self.store_port, timeout=10)
        with closing(line):
            line.request("GET", "/-/journal", headers={"x-localstore-control": CONTROL_TOKEN})
            found: list[dict[str, Any]] = json.loads(line.getresponse().read())
        return found

    def redis_keep_away(self, *, is_away: bool) -> None:
        """Keep Redis from starting again, by a line that it does not understand, or let it."""
        path = self.folder / "redis" / "redis.conf"
        kept = [line for line in path.read_text().splitlines() if line != BROKEN_LINE]
        path.write_text("\n".join([*kept, BROKEN_LINE] if is_away else kept) + "\n")

    def fault_add(self, rule: dict[str, Any]) -> None:
        """Add a fault to the store's, unless the store is dead just now."""
        with suppress(OSError):
            self._control("POST", rule)

    def bucket_open(self) -> None:
        """Create the bucket that takes parts from browsers directly."""
        at = {"Bucket": OPEN_BUCKET, "Region": REGION}
        rule = {
            "AllowedOrigins": [self.address],
            "AllowedMethods": ["PUT"],
            "AllowedHeaders": [],
            "ExposeHeaders": ["ETag", "x-cos-hash-crc64ecma"],
        }
        client = self.store_client()
        client.put_bucket(**at)
        client.put_bucket_cors(**at, CORSRules=[rule])

    def faults_clear(self) -> None:
        def is_cleared() -> bool:
            try:
                self.faults()
            except OSError:
                return False
            return True

        wait_for(is_cleared, seconds=60, why="The store does not come back.")

    def disk_fill(self, *, is_full: bool) -> None:
        full = self.folder / FULL
        full.touch() if is_full else full.unlink(missing_ok=True)

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """Return rows of the console's own database."""
        return _read(self.folder / "console.sqlite3", statement, values)

    def stored_rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """Return rows of the embedded store's index: the truth, whatever it answers just now."""
        return _read(self.folder / "store" / "index.sqlite3", statement, values)

    def write_rows(self, statement: str, *values: Any) -> None:
        """Change the console's database behind its back."""
        with closing(sqlite3.connect(self.folder / "console.sqlite3", timeout=20)) as line, line:
            line.execute(statement, values)


def _read(path: Path, statement: str, values: tuple[Any, ...]) -> list[sqlite3.Row]:
    until = time.monotonic() + 20
    while True:
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as line:
                line.row_factory = sqlite3.Row
                return line.execute(statement, values).fetchall()
        except sqlite3.OperationalError:
            # Its writer was killed and nobody has recovered its log yet.
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _group_of(leader: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == leader:
                found.append(int(stat.parent.name))
    return found
