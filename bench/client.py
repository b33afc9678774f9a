"""What the client costs next to the official Python SDK and boto3: ACLs, listings, slice uploads and copies.

Each piece of work runs in a process of its own, against a store that knows its answers by heart, so that what
is measured is the client. The slower clients do less of it, or a run would take an hour: rates are compared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fastcrc import crc64
from harness.measuring import Sample, measure, rotated
from harness.processes import BenchFailed, python, run_client
from harness.report import MIB, Goals, load, machine, paired, spread, table
from harness.script import script_run
from harness.servers import APPID, REGION, Canned
from harness.workspace import Workspace

IN_FLIGHT = 16
MANY_IN_FLIGHT = 64
LATENCY_S = 0.02
GRANTS_EACH = 2
PAGE_KEYS = 1000
PART_SIZE = 8 * MIB
UPLOAD_THREADS = 4


@dataclass
class Work:
    """One piece of work: how much of it each client does, in `unit`, and what came of it, round by round.

    `found_each` is what a client must have found per unit of work: grants per ACL, keys per page.
    """

    title: str
    method: str
    unit: str
    server: Canned
    counts: Mapping[str, int]
    found_each: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def run(self, client: str) -> None:
        """Let a client do its share once. Raises BenchFailed when it found something else than there is."""
        count = self.counts[client]
        spec = {
            "client": client,
            "work": self.method,
            "arguments": {**self.arguments, "count": count},
            "port": self.server.port,
            "bucket": f"bench-{APPID}",
            "region": REGION,
        }
        sample = measure(lambda: run_client(python("as_client"), spec), {"store": self.server.pids})
        if sample.client["done"] != count * self.found_each:
            raise BenchFailed(
                f"{client} found {sample.client['done']} in {count} {self.unit} of {self.title}"
            )
        self.samples.setdefault(client, []).append(sample)

    def rates(self, client: str) -> list[float]:
        return [self.counts[client] / sample.wall_s for sample in self.samples[client]]

    def cpu_us(self, client: str) -> list[float]:
        """Return the client's CPU microseconds per unit of work."""
        return [sample.cpu_s["client"] / self.counts[client] * 1e6 for sample in self.samples[client]]

    def grown_mib(self, client: str) -> list[float]:
        """Return what the client's memory grew by at most, since before the work."""
        samples = self.samples[client]
        return [(sample.peaks["client"] - sample.client["idle_bytes"]) / MIB for sample in samples]

    def peaks(self, client: str) -> list[float]:
        return [float(sample.peaks["client"]) for sample in self.samples[client]]


def shares(count: int, others: float) -> dict[str, int]:
    """Return how much each client does: ours `count`, the others that share of it."""
    less = max(1, int(count * others))
    return {"ours": count, "sdk": less, "boto3": less}


def acl_works(space: Workspace, options: argparse.Namespace) -> dict[str, Work]:
    near = space.keep(Canned(space.folder))
    far = space.keep(Canned(space.folder, delay_s=LATENCY_S))
    near.wait()
    far.wait()
    delay = f"{LATENCY_S * 1000:g} ms away"

    def work(title: str, server: Canned, counts: Mapping[str, int], in_flight: int) -> Work:
        title = f"{title}, {in_flight} in flight"
        return Work(title, "acls", "ACL", server, counts, GRANTS_EACH, {"in_flight": in_flight})

    few = max(1, options.acls // 5)
    return {
        "acls": work("ACLs", near, shares(options.acls, 0.15), IN_FLIGHT),
        "acls_far": work(f"ACLs {delay}", far, shares(few, 0.5), IN_FLIGHT),
        "acls_many": work(f"ACLs {delay}", far, shares(2 * few, 0.2), MANY_IN_FLIGHT),
    }


def listing_works(space: Workspace, options: argparse.Namespace) -> dict[str, Work]:
    server = space.keep(Canned(space.folder, keys=options.keys))
    server.wait()
    pages = -(-options.keys // PAGE_KEYS)

    def work(title: str, counts: Mapping[str, int]) -> Work:
        return Work(title, "listing", "page", server, counts, PAGE_KEYS)

    return {
        "listing": work(f"listing of {options.keys} keys", shares(pages, 0.03)),
        "page": work("listing of one page", {"ours": 1}),
    }


def acl_goals(works: Mapping[str, Work], goals: Goals) -> None:
    near, far, many = works["acls"], works["acls_far"], works["acls_many"]
    rate = paired(near.rates("ours"), near.rates("sdk"))
    goals.at_least("P7_rate", rate, 20, "P7 ACLs per second, ours / SDK")
    goals.note("P7_cpu", paired(near.cpu_us("sdk"), near.cpu_us("ours")), "   CPU per ACL, SDK / ours")
    goals.note(
        "P7_boto3", paired(near.rates("ours"), near.rates("boto3")), "   ACLs per second, ours / boto3"
    )
    for name, work, in_flight in (("P7_far", far, IN_FLIGHT), ("P7_many", many, MANY_IN_FLIGHT)):
        reached = [rate * LATENCY_S / in_flight for rate in work.rates("ours")]
        goals.at_least(name, reached, 0.85, f"P7 of what {in_flight} in flight allow with latency")


def listing_goals(works: Mapping[str, Work], goals: Goals) -> None:
    whole, page = works["listing"], works["page"]
    rate = paired(whole.rates("ours"), whole.rates("sdk"))
    goals.at_least("P10_rate", rate, 4, "P10 pages per second, ours / SDK")
    goals.note(
        "P10_boto3", paired(whole.rates("ours"), whole.rates("boto3")), "    pages per second, ours / boto3"
    )
    grown = [(all_ - one) / MIB for all_, one in zip(whole.peaks("ours"), page.peaks("ours"), strict=True)]
    goals.at_most("P10_memory", grown, 4, "P10 MiB that the whole listing needs more than a page")


def upload_works(space: Workspace, options: argparse.Namespace) -> dict[str, Work]:
    file, crc = space.random_file(options.size * MIB)
    with file.open("rb") as opened:
        part_crcs = [crc64.xz(part) for part in iter(partial(opened.read, PART_SIZE), b"")]
    server = space.keep(Canned(space.folder, size=options.size * MIB, crc=crc, part_crcs=part_crcs))
    server.wait()
    arguments = {"file": str(file), "part_size": PART_SIZE, "threads": UPLOAD_THREADS}
    title = f"upload of {options.size} MiB, 8 MiB x {UPLOAD_THREADS}"

    def work(title: str, method: str, counts: Mapping[str, int]) -> Work:
        return Work(title, method, "MiB", server, counts, 1, arguments)

    return {
        "upload": work(title, "upload", shares(options.size, 1)),
        "checked": work(f"{title}, MD5 of parts", "upload_checked", {"sdk": options.size}),
    }


def copy_works(space: Workspace, options: argparse.Namespace) -> dict[str, Work]:
    size, part_crcs = options.parts * PART_SIZE, [0] * options.parts
    server = space.keep(Canned(space.folder, delay_s=LATENCY_S, size=size, part_crcs=part_crcs))
    server.wait()
    title = f"copy in {options.parts} parts 20 ms away, {IN_FLIGHT} in flight"
    arguments = {"part_size": PART_SIZE, "threads": IN_FLIGHT}
    return {"copy": Work(title, "copy", "part", server, shares(options.parts, 1), 1, arguments)}


def upload_goals(works: Mapping[str, Work], goals: Goals) -> None:
    upload = works["upload"]
    wall = paired(upload.rates("sdk"), upload.rates("ours"))
    goals.at_most("P5_wall", wall, 0.60, "P5 wall, ours / SDK")
    goals.at_most("P5_cpu", paired(upload.cpu_us("ours"), upload.cpu_us("sdk")), 0.60, "P5 CPU, ours / SDK")
    checked = works["checked"].cpu_us("sdk")
    goals.note("P5_checked", paired(upload.cpu_us("ours"), checked), "   CPU, ours / SDK when it checks, too")
    goals.note("P5_boto3", paired(upload.cpu_us("ours"), upload.cpu_us("boto3")), "   CPU, ours / boto3")
    peaks = [peak / MIB for peak in upload.peaks("ours")]
    goals.at_most("P5_peak", peaks, 30, "P5 peak memory of our process, MiB")
    goals.note("P5_growth", upload.grown_mib("ours"), "   of it for the upload, MiB")


def copy_goals(works: Mapping[str, Work], goals: Goals) -> None:
    copy = works["copy"]
    goals.at_most("P6_wall", paired(copy.rates("sdk"), copy.rates("ours")), 0.60, "P6 wall, ours / SDK")
    goals.note("P6_cpu", paired(copy.cpu_us("ours"), copy.cpu_us("sdk")), "   CPU, ours / SDK")
    # Three calls come one after the other: HEAD, Initiate, Complete.
    parts = copy.counts["sdk"]
    floor_s = (3 + -(-parts // IN_FLIGHT)) * LATENCY_S
    floor = [floor_s * rate / parts for rate in copy.rates("sdk")]
    goals.note("P6_floor", floor, "   wall of a client that costs nothing / SDK")


Kind = tuple[
    Callable[[Workspace, argparse.Namespace], dict[str, Work]], Callable[[Mapping[str, Work], Goals], None]
]
KINDS: dict[str, Kind] = {
    "acls": (acl_works, acl_goals),
    "listing": (listing_works, listing_goals),
    "upload": (upload_works, upload_goals),
    "copy": (copy_works, copy_goals),
}


def rounds_run(works: Mapping[str, Work], rounds: int) -> None:
    for turn in range(rounds):
        for work in works.values():
            for client in rotated(list(work.counts), turn):
                work.run(client)
        print(f"client round {turn + 1}", file=sys.stderr)


def show(works: Mapping[str, Work]) -> None:
    rows = [
        [
            work.title,
            client,
            str(work.counts[client]),
            spread(work.rates(client), 0),
            spread(work.cpu_us(client), 0),
            spread([peak / MIB for peak in work.peaks(client)], 0),
        ]
        for work in works.values()
        for client in work.counts
    ]
    table(("work", "client", "count", "per second", "CPU us each", "peak MiB"), rows)
    print()


def run(space: Workspace, options: argparse.Namespace) -> None:
    print(f"data in {space.folder.parent}")
    machine()
    before = load()
    chosen = options.only or list(KINDS)
    works = {name: work for kind in chosen for name, work in KINDS[kind][0](space, options).items()}
    rounds_run(works, options.rounds)
    print(f"\n{options.rounds} rounds, load {before:.2f} before and {load():.2f} after")
    show(works)
    goals = Goals()
    for kind in chosen:
        KINDS[kind][1](works, goals)
    goals.finish(benchmark="client", rounds=options.rounds, load=[round(before, 2), round(load(), 2)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=KINDS, help="default: everything")
    parser.add_argument("--acls", type=int, default=10_000, help="ACLs that ours reads without latency")
    parser.add_argument("--keys", type=int, default=1_000_000, help="keys that ours lists")
    parser.add_argument("--size", type=int, default=1024, help="MiB that are uploaded")
    parser.add_argument("--parts", type=int, default=128, help="parts that are copied")
    return script_run(parser, run, needs_mib=lambda options: 2 * int(options.size))


if __name__ == "__main__":
    sys.exit(main())
