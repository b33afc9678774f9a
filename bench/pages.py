"""What a page of the objects list costs: a whole request of somebody who is signed in, a thousand rows long.

The web server's CPU stands against that of the official SDK's list call alone, for the same page in the same
run, and against itself in buckets of very different sizes: a folder of that many keys, and as many keys in a
thousand folders. Variants take turns within each round.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from harness.keys import SHAPES, shapes_insert
from harness.measuring import Sample, measure, rotated
from harness.processes import BenchFailed, python, run_client
from harness.report import Goals, load, machine, paired, spread, table
from harness.script import script_run
from harness.servers import APPID, Console, Store
from harness.workspace import Workspace

ROWS = 1000
Variant = tuple[str, str, int]


@dataclass
class Pages:
    """The servers, and what each variant took: by client, shape of the bucket, and keys in it."""

    store: Store
    console: Console
    sizes: Sequence[int]
    count: int
    samples: dict[Variant, list[Sample]] = field(default_factory=dict)

    def run(self, variant: Variant) -> Sample:
        """Read one page `count` times. Raises BenchFailed when it has not the rows that there are."""
        client, shape, keys = variant
        spec = {"client": client, "count": self.count, **self._page(client, SHAPES[shape], keys)}
        groups = {"web": self.console.groups()["web"], "store": self.store.pids}
        sample = measure(lambda: run_client(python("as_reader"), spec), groups)
        if sample.client["rows"] != [ROWS]:
            raise BenchFailed(f"{variant} showed {sample.client['rows']} rows")
        return sample

    def _page(self, client: str, prefix: str, keys: int) -> dict[str, Any]:
        bucket, marker = bucket_of(keys), _marker(prefix, keys)
        if client == "sdk":
            page = {"Bucket": bucket, "Prefix": prefix, "Delimiter": "/", "Marker": marker, "MaxKeys": ROWS}
            return {"store": self.store.spec, "page": page}
        asked = {"prefix": prefix, "limit": str(ROWS), "marker": marker, "first": str(keys // 2)}
        query = "&".join(f"{name}={quote(value)}" for name, value in asked.items() if value)
        target = f"/b/{self.console.page['connection']}/{bucket}/objects/?{query}"
        return {"target": target, **self.console.page}

    def cpu_ms(self, variant: Variant, *groups: str) -> list[float]:
        """Return the CPU milliseconds per page, round by round, of these groups together."""
        runs = self.samples[variant]
        return [sum(run.cpu_s[group] for group in groups) / self.count * 1000 for run in runs]

    def wall_ms(self, variant: Variant) -> list[float]:
        return [run.wall_s / self.count * 1000 for run in self.samples[variant]]


def bucket_of(keys: int) -> str:
    return f"bench-{keys}-{APPID}"


def _marker(prefix: str, keys: int) -> str:
    """Return where the page in the middle begins; a page of all folders is the only one."""
    return f"{prefix}report-{keys // 2:08}.pdf" if prefix == SHAPES["objects"] and keys > 2 * ROWS else ""


def pages_start(space: Workspace, sizes: Sequence[int], count: int) -> Pages:
    store = space.keep(Store(space.folder))
    store.start()
    for keys in sizes:
        store.sdk().create_bucket(Bucket=bucket_of(keys))
    store.stop()
    for keys in sizes:
        print(f"{keys} keys in {shapes_insert(space.folder, bucket_of(keys), keys):.1f} s", file=sys.stderr)
    store.start()
    console = space.keep(Console(space.folder, store))
    console.wait()
    return Pages(store, console, sizes, count)


def rounds_run(pages: Pages, rounds: int) -> None:
    variants = {
        f"{client} {shape} {keys}": (client, shape, keys)
        for client in ("console", "sdk")
        for shape in SHAPES
        for keys in pages.sizes
    }
    for turn in range(-1, rounds):
        for name in rotated(list(variants), max(turn, 0)):
            sample = pages.run(variants[name])
            if turn >= 0:
                pages.samples.setdefault(variants[name], []).append(sample)
        print(f"pages round {turn + 1}", file=sys.stderr)


def show(pages: Pages) -> None:
    rows = []
    for (client, shape, keys), runs in pages.samples.items():
        variant = (client, shape, keys)
        own = pages.cpu_ms(variant, "web" if client == "console" else "client")
        stored = pages.cpu_ms(variant, "store")
        peak = max(run.peaks["web" if client == "console" else "client"] for run in runs)
        figures = [spread(own), spread(stored), spread(pages.wall_ms(variant)), f"{peak / (1 << 20):.0f}"]
        rows.append([client, shape, f"{keys:,}", *figures])
    head = ("client", "rows", "keys", "own CPU ms", "store CPU ms", "wall ms", "peak MiB")
    table(head, sorted(rows, key=lambda row: (row[1], int(row[2].replace(",", "")), row[0])))
    print()


def judge(goals: Goals, pages: Pages) -> None:
    for shape in SHAPES:
        for keys in pages.sizes:
            ratio = paired(
                pages.cpu_ms(("console", shape, keys), "web"), pages.cpu_ms(("sdk", shape, keys), "client")
            )
            words = f"{ROWS} {shape}, {keys:,} keys: whole request / SDK's list call, CPU"
            if shape == "objects":
                goals.at_most(f"P8_{keys}", ratio, 0.5, f"P8 {words}")
            else:
                goals.note(f"{shape}_{keys}", ratio, words)
        judge_growth(goals, pages, shape)


def judge_growth(goals: Goals, pages: Pages, shape: str) -> None:
    """Compare the page of the largest bucket with that of the smallest: with the store, and without."""
    least, most = min(pages.sizes), max(pages.sizes)
    words = f"{ROWS} {shape}: page at {most:,} keys / at {least:,}, CPU of web"

    def growth(*groups: str) -> list[float]:
        large, small = (pages.cpu_ms(("console", shape, keys), *groups) for keys in (most, least))
        return paired(large, small)

    goals.at_most(f"P9_{shape}", growth("web", "store"), 1.1, f"P9 {words} and store")
    goals.note(f"P9_{shape}_web", growth("web"), words)


def run(space: Workspace, options: argparse.Namespace) -> None:
    print(f"data in {space.folder.parent}")
    machine()
    before = load()
    sizes = [int(keys) for keys in options.keys.split(",")]
    pages = pages_start(space, sizes, options.count)
    try:
        rounds_run(pages, options.rounds)
    except BenchFailed:
        print(pages.console.last_lines(), file=sys.stderr)
        raise
    goals = Goals()
    print(f"\n{options.rounds} rounds of {options.count} pages each")
    show(pages)
    judge(goals, pages)
    goals.finish(benchmark="pages", load=[round(before, 2), round(load(), 2)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=25, help="pages of each variant per round")
    parser.add_argument("--keys", default="1000,100000,1000000", help="how many keys the buckets have")
    return script_run(parser, run, needs_mib=lambda _options: 2048)


if __name__ == "__main__":
    sys.exit(main())
