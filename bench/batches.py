"""What a batch costs: deleting, and changing the access of, many objects against the same calls in a loop.

Both sides send the same requests to the embedded store through the console's own client, in the same round.
The batch also keeps a ledger line for each object. A store on the same machine answers at once, which no
other does: the access is changed once more with each answer 20 ms later.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.keys import COLUMNS
from harness.measuring import rotated
from harness.processes import python, run_client
from harness.report import MIB, Goals, load, machine, paired, spread, table
from harness.script import script_run
from harness.servers import Console, Store
from harness.workspace import Workspace

ACTIONS = ("delete", "access", "access, 20 ms")
DELAYS_S = {"access, 20 ms": 0.02}
VARIANTS = ("batch", "loop")
Rates = dict[tuple[str, str], list[float]]


def prefix_of(action: str, variant: str, turn: int) -> str:
    return f"{action}-{variant}-{turn}/"


def rows_of(bucket: str, objects: dict[str, int], rounds: int) -> Iterator[tuple[object, ...]]:
    """Yield a folder for each run, so that every one has its own objects."""
    for action in ACTIONS:
        for variant in VARIANTS:
            for turn in range(rounds):
                prefix = prefix_of(action, variant, turn)
                for number in range(objects[action]):
                    key = f"{prefix}{number:08}.bin".encode()
                    yield (bucket, key, 0, "0" * 32, 0, "STANDARD", "100000000001", "0", "[]", None, "[]")


def store_fill(store: Store, folder: Path, objects: dict[str, int], rounds: int) -> None:
    """Put the rows into the stopped store's index; one by one would take longer than what is measured."""
    store.start()
    store.stop()
    db = sqlite3.connect(folder / "store" / "index.sqlite3")
    with db:
        marks = ",".join("?" * 11)
        rows = rows_of(store.spec["bucket"], objects, rounds)
        db.executemany(f"INSERT INTO objects({COLUMNS}) VALUES({marks})", rows)
    db.close()
    store.start()


class Runs:
    """Runs of both variants in one console without workers, and how many objects a second each came to."""

    def __init__(self, space: Workspace, objects: dict[str, int], rounds: int) -> None:
        self.objects = objects
        self.planned: Rates = defaultdict(list)
        self.ran: Rates = defaultdict(list)
        self.peaks: Rates = defaultdict(list)
        self._store = store = space.keep(Store(space.folder))
        store_fill(store, space.folder, objects, rounds)
        self._console = space.keep(Console(space.folder, store, workers=0))
        self._console.wait()
        self._region = store.spec["region"]

    def run(self, action: str, variant: str, turn: int) -> None:
        page: dict[str, Any] = self._console.page
        spec = {
            "connection": page["connection"],
            "bucket": page["bucket"],
            "region": self._region,
            "prefix": prefix_of(action, variant, turn),
            "objects": self.objects[action],
            "action": action.partition(",")[0],
            "variant": variant,
        }
        environ = {"DATA_DIR": str(self._console.data), "REDIS_URL": self._console.redis_url}
        self._store.delay(DELAYS_S.get(action, 0.0))
        took = run_client(python("as_batch"), spec, environ=environ)
        self._store.delay(0.0)
        count = self.objects[action]
        self.planned[action, variant].append(count / took["plan_s"])
        self.ran[action, variant].append(count / took["run_s"])
        self.peaks[action, variant].append(took["peak_bytes"] / MIB)


def run(space: Workspace, options: argparse.Namespace) -> None:
    machine()
    before = load()
    objects = {"delete": options.objects, "access": options.access, "access, 20 ms": options.slow}
    runs = Runs(space, objects, options.rounds)
    for turn in range(options.rounds):
        for action in ACTIONS:
            for variant in rotated(VARIANTS, turn):
                runs.run(action, variant, turn)
        print(f"batches round {turn + 1}", file=sys.stderr)
    rows = [
        [f"{action}, {runs.objects[action]} objects", variant, *(
            spread(rates[action, variant], 0) for rates in (runs.planned, runs.ran, runs.peaks)
        )]
        for action in ACTIONS
        for variant in VARIANTS
    ]  # fmt: skip
    table(("work", "variant", "listed objects/s", "done objects/s", "peak MiB"), rows)
    print()
    goals = Goals()
    for action in ACTIONS:
        ratios = paired(runs.ran[action, "batch"], runs.ran[action, "loop"])
        goals.note(
            f"{action.replace(', ', '_').replace(' ', '')}_rate",
            ratios,
            f"{action}: batch / bare loop, objects per second",
        )
    goals.finish(benchmark="batches", objects=runs.objects, load=[round(before, 2), round(load(), 2)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--objects", type=int, default=20_000, help="to delete in each run")
    parser.add_argument("--access", type=int, default=2_000, help="to change the access of in each run")
    parser.add_argument("--slow", type=int, default=300, help="the same with 20 ms before each answer")
    return script_run(parser, run, needs_mib=lambda options: 512)


if __name__ == "__main__":
    sys.exit(main())
