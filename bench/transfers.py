"""Everything that moves bytes, in one run against one embedded store.

One large file from a browser through the console and directly, against our own client, the official SDKs and
store-and-forward: as fast as the machine can, and with the store and the browser's link at 200 MB/s. Then
several uploads at once, copies, open pages, memory, the store itself and the fixed price of a slice. Variants
are interleaved and rotated within each round; every object is compared with what was sent.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import slices
import store as store_bench
from harness.copies import copies_run
from harness.live import live_run
from harness.measuring import Sample, rotated
from harness.node import node_version
from harness.processes import BenchFailed
from harness.report import MIB, Goals, load, machine, megabytes, paired, spread, table
from harness.script import script_run
from harness.servers import Console, Forward, Store
from harness.ways import Ways
from harness.workspace import Workspace

PACED_BYTES_PER_SECOND = 200e6
WARM_UP_SIZE = 64 * MIB
UPLOADS_AT_ONCE = (1, 4, 16)
CONSOLE_PARTS = ("web", "worker", "redis")
Samples = Mapping[str, Sequence[Sample]]


def warm_up(ways: Ways, space: Workspace) -> None:
    """Send a small file once each way: servers that have run for a while have imported everything."""
    file, crc64 = space.random_file(WARM_UP_SIZE, name="warm-up.bin")
    small = replace(ways, file=file, size=WARM_UP_SIZE, crc64=crc64)
    for name, send in small.variants().items():
        send(f"warm-up-{name}.bin")
        small.check(name, f"warm-up-{name}.bin")


def rounds_run(ways: Ways, *, rounds: int, label: str) -> Samples:
    """Run every variant once per round and return the samples by variant."""
    variants = ways.variants()
    samples: dict[str, list[Sample]] = defaultdict(list)
    for turn in range(rounds):
        for name in rotated(list(variants), turn):
            key = f"{label}-{turn}-{name}.bin"
            samples[name].append(variants[name](key))
            ways.check(name, key)
            print(f"{label} round {turn + 1}: {name} {samples[name][-1].wall_s:.2f} s", file=sys.stderr)
    return samples


def walls(samples: Sequence[Sample]) -> list[float]:
    return [sample.wall_s for sample in samples]


def console_cpu(sample: Sample) -> float:
    return sum(sample.cpu_s[name] for name in CONSOLE_PARTS)


def cpu_words(runs: Sequence[Sample]) -> str:
    """Return the median of each group of processes."""
    return ", ".join(
        f"{name} {statistics.median(run.cpu_s[name] for run in runs):.2f}" for name in runs[0].cpu_s
    )


def peak_words(runs: Sequence[Sample]) -> str:
    return megabytes({name: max(run.peaks[name] for run in runs) for name in runs[0].peaks})


def show(samples: Samples, *, title: str) -> None:
    """Print what each variant took: wall, CPU by group, peak memory by group."""
    print(f"\n{title}")
    rows = [[name, spread(walls(runs)), cpu_words(runs), peak_words(runs)] for name, runs in samples.items()]
    table(("variant", "wall s", "CPU s (median)", "peak RSS MiB (largest process)"), rows)
    if "node" not in samples:
        print("node: not installed")
    print()


def judge_unpaced(goals: Goals, samples: Samples) -> None:
    console, sdk, library = samples["console"], samples["sdk"], samples["library"]
    goals.at_most("P2_wall", paired(walls(console), walls(sdk)), 1.25, "P2 unpaced, console / SDK, wall")
    cpu = [console_cpu(run) for run in console]
    process = [run.client["process_cpu_s"] for run in sdk]
    goals.at_most("P2_cpu", paired(cpu, process), 1.3, "P2 unpaced, web + worker + Redis / SDK process, CPU")
    call = [run.cpu_s["client"] for run in sdk]
    goals.note("P2_cpu_call", paired(cpu, call), "the same / SDK without its start and imports, CPU")
    if "node" in samples:
        ratio = paired(walls(samples["node"]), walls(console))
        goals.at_least("P3", ratio, 2.5, "P3 unpaced, Node SDK / console, wall")
    goals.at_most("P4", paired(walls(samples["direct"]), walls(sdk)), 0.80, "P4 unpaced, direct / SDK, wall")
    goals.note(
        "P4_cpu",
        paired([console_cpu(run) for run in samples["direct"]], cpu),
        "   console's CPU, direct / slices",
    )
    goals.at_most("P5_wall", paired(walls(library), walls(sdk)), 0.60, "P5 our client / SDK, wall")
    ours = [run.cpu_s["client"] for run in library]
    goals.at_most("P5_cpu", paired(ours, call), 0.60, "P5 our client / SDK, CPU")
    goals.at_most(
        "P5_peak", [run.peaks["client"] / MIB for run in library], 30, "P5 our client's process, MiB"
    )
    goals.note("forward", paired(walls(samples["forward"]), walls(sdk)), "store-and-forward / SDK, wall")


def judge_paced(goals: Goals, samples: Samples) -> None:
    sdk = walls(samples["sdk"])
    goals.at_most("P1", paired(walls(samples["console"]), sdk), 1.03, "P1 at 200 MB/s, console / SDK, wall")
    for name in ("direct", "forward"):
        ratio = paired(walls(samples[name]), sdk)
        goals.note(f"{name}_paced", ratio, f"at 200 MB/s, {name} / SDK, wall")


@dataclass
class Run:
    """What the sections share."""

    space: Workspace
    ways: Ways
    goals: Goals
    options: argparse.Namespace

    def unpaced(self) -> None:
        samples = rounds_run(self.ways, rounds=self.options.rounds, label="unpaced")
        show(samples, title=f"{self.options.size} MiB, {self.options.rounds} rounds, unpaced")
        judge_unpaced(self.goals, samples)

    def paced(self) -> None:
        ways = replace(self.ways, bytes_per_second=PACED_BYTES_PER_SECOND)
        ways.store.start(bytes_per_second=PACED_BYTES_PER_SECOND)
        samples = rounds_run(ways, rounds=self.options.paced_rounds, label="paced")
        ways.store.start()
        show(
            samples,
            title=f"{self.options.size} MiB, {self.options.paced_rounds} rounds, store and link at 200 MB/s",
        )
        judge_paced(self.goals, samples)

    def at_once(self) -> None:
        """The same bytes as one upload, as four and as sixteen."""
        samples: dict[int, list[Sample]] = defaultdict(list)
        for turn in range(self.options.paced_rounds):
            for count in UPLOADS_AT_ONCE:
                files = [
                    self.space.random_file(self.ways.size // count, name=f"share-{number}.bin")
                    for number in range(count)
                ]
                key = f"at-once-{turn}-{count}"
                samples[count].append(self.ways.by_many(key, files))
                for number, (file, crc64) in enumerate(files):
                    self.ways.store.verify(f"{key}-{number}", size=self.ways.size // count, crc64=crc64)
                    self.ways.store.remove(f"{key}-{number}")
                    file.unlink()
        print()
        rows = [
            [
                str(count),
                spread(walls(runs)),
                f"{self.options.size / statistics.median(walls(runs)):.0f}",
                cpu_words(runs),
                peak_words(runs),
            ]
            for count, runs in samples.items()
        ]
        table(
            (
                "uploads at once",
                "wall s",
                "MiB/s together",
                "CPU s (median)",
                "peak RSS MiB (largest process)",
            ),
            rows,
        )
        print()
        for count in UPLOADS_AT_ONCE[1:]:
            ratio = paired(walls(samples[count]), walls(samples[1]))
            self.goals.note(f"at_once_{count}", ratio, f"the same bytes as {count} uploads / as one, wall")

    def copies(self) -> None:
        copies_run(self.ways, self.goals, rounds=self.options.rounds, parts=self.options.parts)

    def live(self) -> None:
        live_run(self.ways, self.goals, rounds=self.options.paced_rounds, seconds=self.options.seconds)

    def memory(self) -> None:
        slices.memory_run(self.space, self.ways.store, self.goals, huge=self.options.huge * MIB)

    def store(self) -> None:
        size = self.options.size
        results = store_bench.rounds_run(
            self.space, self.ways.store, rounds=self.options.rounds, size=size * MIB
        )
        store_bench.show(
            results, title=f"the store, {size} MiB in parts of 8 MiB, {self.options.rounds} rounds"
        )
        store_bench.judge(results, self.goals)

    def fixed(self) -> None:
        slices.fixed_run(
            self.space, self.ways.store, self.goals, rounds=self.options.rounds, count=self.options.count
        )


SECTIONS: Mapping[str, Callable[[Run], None]] = {
    "unpaced": Run.unpaced,
    "paced": Run.paced,
    "at-once": Run.at_once,
    "copies": Run.copies,
    "live": Run.live,
    "memory": Run.memory,
    "store": Run.store,
    "fixed": Run.fixed,
}


def ways_start(space: Workspace, size: int) -> Ways:
    store = space.keep(Store(space.folder))
    store.start()
    console = space.keep(Console(space.folder, store))
    forward = space.keep(Forward(space.folder, store))
    file, crc64 = space.random_file(size)
    console.wait()
    forward.wait()
    return Ways(store, console, forward, file, size, crc64)


def run(space: Workspace, options: argparse.Namespace) -> None:
    ways = ways_start(space, options.size * MIB)
    ways.is_node_wanted = not options.no_node
    print(f"data in {space.folder.parent}")
    machine(node=node_version())
    one, loads = Run(space, ways, Goals(), options), [load()]
    try:
        if ways.size > WARM_UP_SIZE:
            warm_up(ways, space)
        for name in options.only or SECTIONS:
            SECTIONS[name](one)
            loads.append(load())
    except BenchFailed:
        print(ways.console.last_lines(), file=sys.stderr)
        raise
    one.goals.finish(benchmark="transfers", mib=options.size, load=[round(value, 2) for value in loads])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--paced-rounds", type=int, default=3, help="also of open pages and of uploads at once"
    )
    parser.add_argument("--size", type=int, default=1024, help="MiB, a multiple of 16")
    parser.add_argument("--parts", type=int, default=128, help="of a copy")
    parser.add_argument("--seconds", type=int, default=10, help="for which open pages are spoken to")
    parser.add_argument("--huge", type=int, default=2048, help="MiB of the huge upload; 10240 is the goal's")
    parser.add_argument(
        "--count", type=int, default=300, help="requests of each kind per round, for the fixed price"
    )
    parser.add_argument("--no-node", action="store_true", help="without the Node SDK")
    parser.add_argument(
        "--only", nargs="+", choices=tuple(SECTIONS), metavar="SECTION", help=", ".join(SECTIONS)
    )
    return script_run(
        parser, run, needs_mib=lambda options: max(6 * options.size, 2 * options.size + options.huge)
    )


if __name__ == "__main__":
    sys.exit(main())
