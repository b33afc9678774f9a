"""Faults on demand: rules that make chosen operations fail in chosen ways.

kind            what happens
error           answer `status` with `code` (500 InternalError unless said), nothing processed
slow_down       503 SlowDown, nothing processed
drop_before     the connection closes, nothing processed
drop_after      everything is processed, then the connection closes without an answer
error_in_200    200 whose body is an <Error>, as copies and completes may get; nothing processed
delay           wait `seconds`, then go on as usual
drip            bodies in both directions pass at `bytes_per_second`
disk_full       writing the body fails as on a full disk
clock_skew      the server's clock is off by `seconds` (negative: behind)
stale           delayed visibility: after a write that succeeds, reads of the same key and lists of its
                bucket (for a bucket's own settings: all reads of the bucket) see what was there before,
                for `seconds` or for `answers` reads, whichever ends first; `hides` is all, lists or reads

A copy or a complete that is delayed has passed its quick checks before: its status goes out early and
spaces follow, as the live service does it. With error_in_200 the wait ends in an <Error>.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from itertools import count as counter
from math import isfinite
from typing import Any

from apps.localstore.routing import NAMES
from apps.localstore.visibility import Veils

# A clock that is off by more than ten years is no fault that anyone tests.
LONGEST_S = 315_360_000
HIDES = ("all", "lists", "reads")
KINDS = (
    "error",
    "slow_down",
    "drop_before",
    "drop_after",
    "error_in_200",
    "delay",
    "drip",
    "disk_full",
    "clock_skew",
    "stale",
)


@dataclass
class Fault:
    """One rule. `key` is a regular expression over the whole key.

    `operation` may hold `*` for any letters, and `?` and `[…]` for one.

    `count` is how many more times it strikes; None is for ever. `skip` lets
    that many matching requests pass first.
    """

    kind: str
    operation: str = "*"
    key: str = ".*"
    count: int | None = 1
    skip: int = 0
    status: int = 500
    code: str = "InternalError"
    seconds: float = 0.0
    bytes_per_second: float = 65536.0
    answers: int | None = None
    hides: str = "all"

    def __post_init__(self) -> None:
        self._check_types()
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault kind {self.kind!r}")
        if self.hides not in HIDES:
            raise ValueError(f"hides is one of {', '.join(HIDES)}")
        if self.kind == "stale" and not self.seconds and not self.answers:
            raise ValueError("stale needs seconds or answers")
        re.compile(self.key)

    def _check_types(self) -> None:
        """Refuse now what would only fail when the rule strikes, in the middle of somebody's request."""
        for name in ("kind", "operation", "key", "code", "hides"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name} is a text")
        for name, low in (("count", 1), ("skip", 0), ("status", 200), ("answers", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) and not (value is None and name in ("count", "answers")):
                raise ValueError(f"{name} is a whole number")
            if value is not None and value < low:
                raise ValueError(f"{name} is at least {low}")
        for name in ("seconds", "bytes_per_second"):
            if not isinstance(getattr(self, name), int | float) or not isfinite(getattr(self, name)):
                raise ValueError(f"{name} is a number")
        if abs(self.seconds) > LONGEST_S:
            raise ValueError(f"seconds is at most {LONGEST_S}, in either direction")
        if self.status > 599 or self.bytes_per_second <= 0:
            raise ValueError("status is at most 599, and bytes_per_second above 0")

    def matches(self, operation: str, key: str) -> bool:
        """Tell whether the rule is about this request."""
        named = fnmatchcase(operation, self.operation)
        return named and re.fullmatch(self.key, key, re.DOTALL) is not None

    def spend(self) -> bool:
        """Count one matching request against the rule; tell whether it strikes."""
        if self.skip:
            self.skip -= 1
            return False
        if self.count is not None:
            self.count -= 1
        return True


class Faults:
    """The rules of one server, usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = counter(1)
        self.veils = Veils()
        self._rules: dict[int, Fault] = {}

    def add(self, kind: str, **options: Any) -> int:
        """Add a rule and return its number. Raises ValueError, TypeError or re.error."""
        fault = Fault(kind, **options)
        if not any(fnmatchcase(name, fault.operation) for name in NAMES):
            raise ValueError(f"no operation is called {fault.operation!r}; {', '.join(sorted(NAMES))} are")
        with self._lock:
            number = next(self._ids)
            self._rules[number] = fault
        return number

    def clear(self) -> None:
        """Remove every rule, and show what the struck ones still hide."""
        self.veils.clear()
        with self._lock:
            self._rules.clear()

    def listed(self) -> list[dict[str, Any]]:
        """Return the rules that can still strike, with their numbers."""
        with self._lock:
            return [{"id": number, **asdict(fault)} for number, fault in self._rules.items()]

    def take(self, operation: str, key: str) -> list[Fault]:
        """Return the rules that strike this request, and count it against them."""
        with self._lock:
            struck = [fault for fault in self._rules.values() if fault.matches(operation, key)]
            taken = [fault for fault in struck if fault.spend()]
            self._rules = {n: fault for n, fault in self._rules.items() if fault.count != 0}
        return taken


def fault_of(faults: Iterable[Fault], kind: str) -> Fault | None:
    """Return the first struck rule of a kind."""
    return next((fault for fault in faults if fault.kind == kind), None)
