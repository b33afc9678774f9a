"""Slice copies within the embedded store, each of its answers 20 ms late, as one far away would be."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from harness.measuring import Sample, measure, rotated
from harness.processes import python, run_client
from harness.report import MIB, Goals, paired, spread, table
from harness.ways import Ways

DELAY_S = 0.02
IN_FLIGHT = 16
# What the console's copies have: `apps/transfers`.
JOB_PART_SIZE = 16 * MIB
JOB_IN_FLIGHT = 8


class Copies:
    """The object "source", and how each variant copies it: with 128 parts, or with the console's."""

    def __init__(self, ways: Ways, *, parts: int) -> None:
        self._ways = ways
        # COS takes no part of less than a MiB.
        self.part_size = max(MIB, ways.size // parts)

    def variants(self) -> dict[str, Callable[[], Sample]]:
        return {
            "library": lambda: self._client("ours", self.part_size, IN_FLIGHT),
            "sdk": lambda: self._client("sdk", self.part_size, IN_FLIGHT),
            "job": self._job,
            "sdk, as the job": lambda: self._client("sdk", JOB_PART_SIZE, JOB_IN_FLIGHT),
        }

    def _client(self, client: str, part_size: int, threads: int) -> Sample:
        count = self._ways.size // part_size
        arguments = {"count": count, "part_size": part_size, "threads": threads}
        spec = {"client": client, "work": "copy", "arguments": arguments, **self._ways.client()}
        return measure(lambda: run_client(python("as_client"), spec), {"store": self._ways.store.pids})

    def _job(self) -> Sample:
        spec = {**self._ways.console.page, "source": "source", "key": "copy"}
        return measure(lambda: run_client(python("as_copier"), spec), self._ways.groups())


def copies_run(ways: Ways, goals: Goals, *, rounds: int, parts: int) -> None:
    """Measure P6 against the embedded store, and the console's job against the SDK in the same shape.

    The file must be a whole number of the job's parts.
    """
    _source(ways)
    copies = Copies(ways, parts=parts)
    variants = copies.variants()
    samples: dict[str, list[Sample]] = defaultdict(list)
    ways.store.delay(DELAY_S)
    try:
        for turn in range(rounds):
            for name in rotated(list(variants), turn):
                samples[name].append(variants[name]())
                ways.store.verify("copy", size=ways.size, crc64=ways.crc64)
                ways.store.remove("copy")
            print(f"copies round {turn + 1}", file=sys.stderr)
    finally:
        ways.store.delay(0.0)
        ways.store.remove("source")
    _show(samples, copies, ways)
    _judge(samples, goals)


def _source(ways: Ways) -> None:
    spec: dict[str, Any] = {"store": ways.store.spec, "key": "source", "file": str(ways.file)}
    run_client(python("as_sdk"), spec)


def _show(samples: dict[str, list[Sample]], copies: Copies, ways: Ways) -> None:
    print()
    rows = []
    for name, runs in samples.items():
        is_fine = name in ("library", "sdk")
        part_size, in_flight = (copies.part_size, IN_FLIGHT) if is_fine else (JOB_PART_SIZE, JOB_IN_FLIGHT)
        shape = f"{ways.size // part_size} of {part_size // MIB} MiB, {in_flight} in flight"
        rows.append(
            [
                name,
                shape,
                spread(_walls(runs)),
                spread([sum(run.cpu_s.values()) - run.cpu_s["store"] for run in runs]),
            ]
        )
    table(("copy, answers 20 ms late", "parts", "wall s", "CPU s without the store"), rows)
    print()


def _walls(runs: Sequence[Sample]) -> list[float]:
    return [run.wall_s for run in runs]


def _judge(samples: dict[str, list[Sample]], goals: Goals) -> None:
    library, sdk = samples["library"], samples["sdk"]
    goals.at_most(
        "P6_wall", paired(_walls(library), _walls(sdk)), 0.60, "P6 slice copy, ours / SDK's calls, wall"
    )
    cpu = paired([run.cpu_s["client"] for run in library], [run.cpu_s["client"] for run in sdk])
    goals.note("P6_cpu", cpu, "P6 the same, CPU")
    job = paired(_walls(samples["job"]), _walls(samples["sdk, as the job"]))
    goals.note("copy_job", job, "copy as a job, from the form to the last event / SDK's calls, wall")
