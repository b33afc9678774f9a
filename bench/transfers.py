"""One large file through the console, against the official SDKs and against store-and-forward.

All variants send the same file of random bytes to the same embedded store, interleaved and rotated within
each round: once as fast as the machine can, once with the store and the browser's link at 200 MB/s.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.measuring import Sample, measure, rotated
from harness.node import NodeMissing, node_command, node_environment, node_version
from harness.processes import BENCH, BenchFailed, python, run_client
from harness.report import MIB, Goals, load, machine, megabytes, paired, spread, table
from harness.script import script_run
from harness.servers import Console, Forward, Store
from harness.workspace import Workspace

PACED_BYTES_PER_SECOND = 200e6
WARM_UP_SIZE = 64 * MIB
AS_NODE = BENCH / "harness" / "as_node.cjs"
CONSOLE_PARTS = ("web", "worker", "redis")
Samples = Mapping[str, Sequence[Sample]]


@dataclass
class Bench:
    """The servers, the file, and how each variant sends it."""

    store: Store
    console: Console
    forward: Forward
    file: Path
    size: int
    crc64: int
    bytes_per_second: float = 0.0
    is_compared: bool = False

    def variants(self) -> dict[str, Callable[[str], Sample]]:
        found: dict[str, Callable[[str], Sample]] = {
            "console": self.by_console,
            "sdk": self.by_sdk,
            "forward": self.by_forward,
        }
        try:
            node_command(AS_NODE)
        except NodeMissing as missing:
            print(f"Without the Node SDK: {missing}")
        else:
            found["node"] = self.by_node
        return found

    def by_console(self, key: str) -> Sample:
        groups = {**self.console.groups(), "store": self.store.pids}
        spec = {**self.console.page, **self._file(key)}
        return measure(lambda: run_client(python("as_browser"), spec), groups)

    def by_sdk(self, key: str) -> Sample:
        spec = {"store": self.store.spec, **self._file(key)}
        return measure(lambda: run_client(python("as_sdk"), spec), {"store": self.store.pids})

    def by_node(self, key: str) -> Sample:
        spec = {"store": self.store.spec, **self._file(key)}
        command = node_command(AS_NODE)
        return measure(
            lambda: run_client(command, spec, environ=node_environment()), {"store": self.store.pids}
        )

    def by_forward(self, key: str) -> Sample:
        spec = {
            **self._file(key),
            "port": self.forward.port,
            "pieces": [[f"/{key}", 0, self.size]],
            "connections": 1,
        }
        groups = {"web": self.forward.pids, "store": self.store.pids}
        return measure(lambda: run_client(python("sender"), spec), groups)

    def _file(self, key: str) -> dict[str, Any]:
        return {"key": key, "file": str(self.file), "bytes_per_second": self.bytes_per_second}

    def check(self, name: str, key: str) -> None:
        """Compare what arrived with what was sent; the console's first object byte for byte."""
        self.store.verify(key, size=self.size, crc64=self.crc64)
        if name == "console" and not self.is_compared:
            self.store.compare(key, self.file)
            self.is_compared = True
        self.store.remove(key)


def warm_up(bench: Bench, space: Workspace) -> None:
    """Send a small file once each way: servers that have run for a while have imported everything."""
    file, crc64 = space.random_file(WARM_UP_SIZE, name="warm-up.bin")
    small = replace(bench, file=file, size=WARM_UP_SIZE, crc64=crc64)
    for name, send in small.variants().items():
        send(f"warm-up-{name}.bin")
        small.check(name, f"warm-up-{name}.bin")


def rounds_run(bench: Bench, *, rounds: int, label: str) -> Samples:
    """Run every variant once per round and return the samples by variant."""
    variants = bench.variants()
    samples: dict[str, list[Sample]] = defaultdict(list)
    for turn in range(rounds):
        for name in rotated(list(variants), turn):
            key = f"{label}-{turn}-{name}.bin"
            samples[name].append(variants[name](key))
            bench.check(name, key)
            print(f"{label} round {turn + 1}: {name} {samples[name][-1].wall_s:.2f} s", file=sys.stderr)
    return samples


def walls(samples: Sequence[Sample]) -> list[float]:
    return [sample.wall_s for sample in samples]


def console_cpu(sample: Sample) -> float:
    return sum(sample.cpu_s[name] for name in CONSOLE_PARTS)


def show(samples: Samples, *, title: str) -> None:
    """Print what each variant took: wall, CPU by group, peak memory by group."""
    print(f"\n{title}")
    rows = []
    for name, runs in samples.items():
        groups = runs[0].cpu_s
        cpu = ", ".join(
            f"{group} {statistics.median(run.cpu_s[group] for run in runs):.2f}" for group in groups
        )
        peaks = {group: max(run.peaks[group] for run in runs) for group in groups}
        rows.append([name, spread(walls(runs)), cpu, megabytes(peaks)])
    table(("variant", "wall s", "CPU s (median)", "peak RSS MiB (largest process)"), rows)
    if "node" not in samples:
        print("node: not installed")


def judge_unpaced(goals: Goals, samples: Samples) -> None:
    console, sdk = samples["console"], samples["sdk"]
    goals.at_most("P2_wall", paired(walls(console), walls(sdk)), 1.25, "P2 unpaced, console / SDK, wall")
    cpu = [console_cpu(run) for run in console]
    process = [run.client["process_cpu_s"] for run in sdk]
    goals.at_most("P2_cpu", paired(cpu, process), 1.3, "P2 unpaced, web + worker + Redis / SDK process, CPU")
    call = [run.cpu_s["client"] for run in sdk]
    goals.note("P2_cpu_call", paired(cpu, call), "the same / SDK without its start and imports, CPU")
    if "node" in samples:
        ratio = paired(walls(samples["node"]), walls(console))
        goals.at_least("P3", ratio, 2.5, "P3 unpaced, Node SDK / console, wall")
    goals.note("forward", paired(walls(samples["forward"]), walls(sdk)), "store-and-forward / SDK, wall")


def judge_paced(goals: Goals, samples: Samples) -> None:
    sdk = walls(samples["sdk"])
    ratio = paired(walls(samples["console"]), sdk)
    goals.at_most("P1", ratio, 1.03, "P1 at 200 MB/s, console / SDK, wall")
    goals.note(
        "forward_paced", paired(walls(samples["forward"]), sdk), "at 200 MB/s, store-and-forward / SDK, wall"
    )


def bench_start(space: Workspace, size: int) -> Bench:
    store = space.keep(Store(space.folder))
    store.start()
    console = space.keep(Console(space.folder, store))
    forward = space.keep(Forward(space.folder, store))
    file, crc64 = space.random_file(size)
    console.wait()
    forward.wait()
    return Bench(store, console, forward, file, size, crc64)


def run(space: Workspace, options: argparse.Namespace) -> None:
    bench = bench_start(space, options.size * MIB)
    print(f"data in {space.folder.parent}")
    machine(node=node_version())
    goals, loads = Goals(), [load()]
    try:
        warm_up(bench, space)
        free = rounds_run(bench, rounds=options.rounds, label="unpaced")
        loads.append(load())
        bench.bytes_per_second = PACED_BYTES_PER_SECOND
        bench.store.start(bytes_per_second=PACED_BYTES_PER_SECOND)
        paced = rounds_run(bench, rounds=options.paced_rounds, label="paced")
    except BenchFailed:
        print(bench.console.last_lines(), file=sys.stderr)
        raise
    loads.append(load())
    if free:
        show(free, title=f"{options.size} MiB, {options.rounds} rounds, unpaced")
    if paced:
        show(paced, title=f"{options.size} MiB, {options.paced_rounds} rounds, store and link at 200 MB/s")
    print()
    if paced:
        judge_paced(goals, paced)
    if free:
        judge_unpaced(goals, free)
    goals.finish(benchmark="upload", mib=options.size, load=[round(value, 2) for value in loads])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--paced-rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=1024, help="MiB")
    return script_run(parser, run, needs_mib=lambda options: 6 * options.size)


if __name__ == "__main__":
    sys.exit(main())
