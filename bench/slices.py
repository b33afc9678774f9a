"""What slices cost besides their bytes: memory while many arrive, and the fixed price of each.

Memory: sixteen slices at once, as four uploads over four connections each; then a huge upload against a small
one. Fixed price: slices of one byte against a bare Django view, and against a task that does nothing, on the
same server and worker in the same run.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from harness import procfs
from harness.measuring import Sample, measure, rotated
from harness.processes import BenchFailed, Child, answers, free_port, python, run_client
from harness.report import MIB, Goals, load, machine, paired, spread, table
from harness.script import script_run
from harness.servers import Console, Store
from harness.workspace import Workspace

SMALL = 256 * MIB
UPLOADS_AT_ONCE = 4
CONSOLE_PARTS = ("web", "worker")
# Fewer than the worker gets done, so that slices do not wait for each other.
SLICES_PER_SECOND = 50.0
DRAINED_S = 60.0


def sparse_file(space: Workspace, size: int) -> Path:
    """Return a file of zeros that takes no room: memory does not depend on what the bytes are."""
    path = space.folder / f"zeros-{size}.bin"
    with path.open("wb") as file:
        file.truncate(size)
    return path


class Memory:
    """Uploads to one running console, and how much memory its processes take meanwhile."""

    def __init__(self, console: Console, store: Store) -> None:
        self._console = console
        self._store = store
        groups = console.groups()
        self._pids = {name: groups[name] for name in CONSOLE_PARTS}

    def upload(self, file: Path, key: str) -> dict[str, Any]:
        spec = {**self._console.page, "key": key, "file": str(file)}
        done = run_client(python("as_browser"), spec)
        self._store.remove(key)
        return done

    def resident(self) -> dict[str, int]:
        return {name: sum(map(procfs.resident_bytes, pids)) for name, pids in self._pids.items()}

    def peak(self, work: Callable[[], object]) -> dict[str, int]:
        """Do the work and return the peak of each group."""
        for pids in self._pids.values():
            procfs.peak_reset(pids)
        work()
        return {name: sum(map(procfs.peak_bytes, pids)) for name, pids in self._pids.items()}

    def at_once(self, file: Path) -> None:
        """Upload the file several times at once."""
        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            list(pool.map(lambda number: self.upload(file, f"at-once-{number}.bin"), range(UPLOADS_AT_ONCE)))


def memory_run(space: Workspace, store: Store, goals: Goals, *, huge: int) -> None:
    """Measure P12 on a console of its own."""
    console = Console(space.folder, store, name="memory")
    try:
        console.wait()
        memory = Memory(console, store)
        memory.upload(sparse_file(space, MIB), "warm-up.bin")
        idle = memory.resident()
        at_once = memory.peak(lambda: memory.at_once(sparse_file(space, SMALL)))
        small = memory.peak(lambda: memory.upload(sparse_file(space, SMALL), "small.bin"))
        large = memory.peak(lambda: memory.upload(sparse_file(space, huge), "huge.bin"))
    finally:
        console.stop()
    rows = [("idle, after one small upload", idle), ("16 slices at once", at_once)]
    rows += [(f"one upload of {SMALL // MIB} MiB", small), (f"one upload of {huge // MIB} MiB", large)]
    print()
    table(
        ("memory, MiB", *CONSOLE_PARTS),
        [[words, *(f"{size / MIB:.1f}" for size in sizes.values())] for words, sizes in rows],
    )
    print()
    growth = (sum(at_once.values()) - sum(idle.values())) / MIB
    goals.at_most("P12_growth_mib", [growth], 32, "P12 web + worker, growth with 16 slices at once, MiB")
    ratio = sum(large.values()) / sum(small.values())
    goals.at_most("P12_huge", [ratio], 1.05, f"P12 peak memory, {huge // MIB} / {SMALL // MIB} MiB")


class Fixed:
    """A web server and a worker of the console's kind that also know a bare view and an empty task."""

    def __init__(self, space: Workspace, store: Store) -> None:
        self.console = space.keep(Console(space.folder, store, workers=0, name="fixed"))
        self.console.wait()
        self.port = free_port()
        self._file = sparse_file(space, MIB)
        environ = {
            "DATA_DIR": str(self.console.data),
            "REDIS_URL": self.console.redis_url,
            "PORT": str(self.port),
            "SPOOL_SLICES_PER_UPLOAD": "1000",
        }
        web = [sys.executable, "-m", "gunicorn", "-c", "console/gunicorn.py", "harness.bare_app:application"]
        worker = [
            sys.executable, "-m", "celery", "-A", "console", "worker", "-P", "threads", "-c", "8",
            "-Q", "control,slices,copies", "-l", "info", "--include", "harness.noop",
            "--without-gossip", "--without-mingle",
        ]  # fmt: skip
        self._web = space.keep(Child("web", web, log=space.folder / "web.log", environ=environ))
        self._worker = space.keep(Child("worker", worker, log=space.folder / "worker.log", environ=environ))
        self._web.wait_until(lambda: answers(self.port, "/bare/view/"))
        self._worker.wait_until(lambda: " ready." in self._worker.last_lines())

    def view(self, _key: str, count: int) -> Sample:
        return self._measure([["/bare/view/", 0, 1]] * count, lambda: None)

    def task(self, _key: str, count: int) -> Sample:
        return self._measure([["/bare/task/", 0, 1]] * count, lambda: None)

    def slice(self, key: str, count: int) -> Sample:
        page = self.console.page
        wanted = {"connection": page["connection"], "bucket": page["bucket"], "key": key, "slices": count}
        environ = {"DATA_DIR": str(self.console.data), "REDIS_URL": self.console.redis_url}
        tiny = run_client(python("tiny"), wanted, environ=environ)
        pieces = [[f"{tiny['url']}{number + 1}", 0, 1] for number in range(count)]
        spool = self.console.data / "spool" / str(tiny["transfer"])
        return self._measure(pieces, lambda: _drained(spool))

    def _measure(self, pieces: Sequence[Sequence[Any]], wait: Callable[[], None]) -> Sample:
        spec = {
            "port": self.port,
            "file": str(self._file),
            "pieces": pieces,
            "connections": 4,
            "per_second": SLICES_PER_SECOND,
        }

        def work() -> dict[str, Any]:
            done = run_client(python("sender"), spec)
            wait()
            return done

        groups = {"web": procfs.tree(self._web.pid), "worker": procfs.tree(self._worker.pid)}
        return measure(work, groups)


def _drained(spool: Path) -> None:
    """Wait until the worker has sent every slice."""
    deadline = time.monotonic() + DRAINED_S
    while any(spool.iterdir()):
        if time.monotonic() > deadline:
            raise BenchFailed("the worker did not send all slices")
        time.sleep(0.05)


def fixed_run(space: Workspace, store: Store, goals: Goals, *, rounds: int, count: int) -> None:
    """Measure P14: milliseconds of CPU per request and per task."""
    fixed = Fixed(space, store)
    variants = {"view": fixed.view, "task": fixed.task, "slice": fixed.slice}
    costs: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for turn in range(-1, rounds):
        for name in rotated(list(variants), turn % len(variants)):
            sample = variants[name](f"tiny-{turn}-{name}.bin", count)
            for group in CONSOLE_PARTS if turn >= 0 else ():
                costs[name][group].append(sample.cpu_s[group] / count * 1000)
        print(f"slices round {turn + 1}", file=sys.stderr)
    print()
    words = {"view": "bare view", "task": "bare view that queues an empty task", "slice": "slice of one byte"}
    rows = [[words[name], *(spread(costs[name][group]) for group in CONSOLE_PARTS)] for name in variants]
    table((f"CPU ms each, {rounds} rounds of {count}", *CONSOLE_PARTS), rows)
    print()
    web = {name: costs[name]["web"] for name in variants}
    worker = {name: costs[name]["worker"] for name in variants}
    goals.at_most("P14_web", paired(web["slice"], web["view"]), 1.15, "P14 slice / bare view, web CPU")
    goals.note(
        "P14_web_task",
        paired(web["slice"], web["task"]),
        "slice / bare view that queues an empty task, web CPU",
    )
    goals.at_most(
        "P14_worker", paired(worker["slice"], worker["task"]), 1.5, "P14 slice / empty task, worker CPU"
    )
    sums = {name: statistics.median(web[name]) + statistics.median(worker[name]) for name in variants}
    print(f"a slice costs {sums['slice']:.1f} ms of CPU beyond its bytes, web and worker together")


def run(space: Workspace, options: argparse.Namespace) -> None:
    print(f"data in {space.folder.parent}")
    machine()
    before = load()
    goals = Goals()
    store = space.keep(Store(space.folder))
    store.start()
    if options.only != "fixed":
        memory_run(space, store, goals, huge=options.huge * MIB)
    if options.only != "memory":
        fixed_run(space, store, goals, rounds=options.rounds, count=options.count)
    goals.finish(benchmark="slices", huge_mib=options.huge, load=[round(before, 2), round(load(), 2)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=300, help="requests of each kind per round")
    parser.add_argument("--huge", type=int, default=2048, help="MiB of the huge upload; 10240 is the goal's")
    parser.add_argument("--only", choices=("memory", "fixed"))
    return script_run(parser, run, needs_mib=lambda options: 3 * options.huge)


if __name__ == "__main__":
    sys.exit(main())
