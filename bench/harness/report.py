"""How results are shown: medians with their spread, tables, goals in words, one JSON line at the end."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

MIB = 1 << 20
PACKAGES = ("django", "celery", "gunicorn", "redis", "pycurl", "cos-python-sdk-v5", "boto3")


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return `median [min-max]`."""
    if not values:
        return "-"
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} [{low:.{digits}f}-{high:.{digits}f}]"


def paired(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the ratio of each round: what disturbs one variant of a round disturbs the other."""
    return [a / b for a, b in zip(above, below, strict=True)]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print aligned columns."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def machine(**more: str) -> None:
    """Print where this was measured."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    versions = [f"{name} {version(name)}" for name in PACKAGES]
    versions += [f"{name} {value}" for name, value in more.items()]
    print(f"{os.cpu_count()} cores, load {load}, kernel {platform.release()}")
    print(f"Python {platform.python_version()}, {', '.join(versions)}")


def load() -> float:
    return os.getloadavg()[0]


class Goals:
    """The ratios of one benchmark, each with its goal, if it has one."""

    def __init__(self) -> None:
        self._ratios: dict[str, Any] = {}

    def at_most(self, name: str, values: Sequence[float], goal: float, words: str) -> None:
        self._add(name, values, words, f"at most {goal:g}", statistics.median(values) <= goal)

    def at_least(self, name: str, values: Sequence[float], goal: float, words: str) -> None:
        self._add(name, values, words, f"at least {goal:g}", statistics.median(values) >= goal)

    def note(self, name: str, values: Sequence[float], words: str) -> None:
        self._add(name, values, words, "no goal", None)

    def _add(
        self, name: str, values: Sequence[float], words: str, goal: str, is_reached: bool | None
    ) -> None:
        verdict = {True: "reached", False: "MISSED", None: "for orientation"}[is_reached]
        print(f"{words}: {spread(values)} ({goal}: {verdict})")
        self._ratios[name] = round(statistics.median(values), 3)

    def finish(self, **more: Any) -> None:
        """Print the last line."""
        print(json.dumps({**self._ratios, **more}))


def megabytes(sizes: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {size / MIB:.0f}" for name, size in sizes.items())
