"""What goes wrong in a round: drawn by dice before it begins, so that a seed brings the same back."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from celery import Celery
from redis.exceptions import RedisError

from tests.chaos.console import TormentedConsole

PARTS = ("web", "worker", "beat", "redis", "store")
LASTS_S = 4.0
QUEUES = {"send_part": "slices", "copy_parts": "copies"}
WRITES = ("UploadPart", "UploadPartCopy", "PutObject", "CompleteMultipartUpload", "InitiateMultipartUpload")
OTHERS = ("*", "HeadObject", "List*", "Delete*", "CopyObject", "AbortMultipartUpload")


@dataclass(frozen=True)
class Trouble:
    """One thing that happens `at_s` seconds after the round began."""

    at_s: float
    words: str
    strike: Callable[[TormentedConsole], None]


def troubles_of(dice: Random) -> list[Trouble]:
    """Return what a round suffers, in its order."""
    kinds = [_kill, _kill, _kill_all, _freeze, _flush, _fault, _fault, _stale, _away, _full, _twice, _clock]
    chosen = [dice.choice(kinds) for _ in range(dice.randint(1, 5))]
    found = [kind(dice, round(dice.uniform(0.2, LASTS_S), 2)) for kind in chosen]
    # What is quick has ended before anything can happen to it.
    found += [_slow(dice, 0.0)] if dice.random() < 0.7 else []
    return sorted(found, key=lambda trouble: trouble.at_s)


def suffer(console: TormentedConsole, troubles: list[Trouble], *, began: float) -> None:
    """Let everything happen when it is due."""
    for trouble in troubles:
        time.sleep(max(0.0, began + trouble.at_s - time.monotonic()))
        trouble.strike(console)


def _kill(dice: Random, at_s: float) -> Trouble:
    name = dice.choice(PARTS)
    which = dice.randrange(8) if dice.random() < 0.3 else None
    words = f"kill {name}" if which is None else f"kill process {which} of {name}"
    return Trouble(at_s, words, lambda console: console.kill_now(name, which=which))


def _kill_all(dice: Random, at_s: float) -> Trouble:
    names = dice.sample(PARTS, dice.randint(2, len(PARTS)))

    def strike(console: TormentedConsole) -> None:
        for name in names:
            console.kill_now(name)

    return Trouble(at_s, f"kill {', '.join(names)}", strike)


def _freeze(dice: Random, at_s: float) -> Trouble:
    """Stop a part for longer than its leases last, as a machine does that is suspended; then let it go on."""
    name, lasts_s = dice.choice(("worker", "web", "redis", "store")), dice.uniform(1.0, 7.0)

    def strike(console: TormentedConsole) -> None:
        pids = console.pids(name)
        console.signal(pids, signal.SIGSTOP)
        threading.Timer(lasts_s, console.signal, (pids, signal.SIGCONT)).start()

    return Trouble(at_s, f"freeze {name} for {lasts_s:.1f} s", strike)


def _flush(dice: Random, at_s: float) -> Trouble:
    def strike(console: TormentedConsole) -> None:
        with suppress(RedisError, OSError), console.redis() as client:
            client.flushall()

    return Trouble(at_s, "flush Redis", strike)


def _fault(dice: Random, at_s: float) -> Trouble:
    operation = dice.choice(
        (*WRITES, "*", "HeadObject", "List*", "Delete*", "CopyObject", "AbortMultipartUpload")
    )
    rule: dict[str, Any] = {"operation": operation, "count": dice.choice((1, 2, 5, 20))}
    kind = dice.choice(
        (
            "slow_down",
            "error",
            "drop_before",
            "drop_after",
            "error_in_200",
            "delay",
            "disk_full",
            "clock_skew",
        )
    )
    rule["kind"] = kind
    if kind == "error":
        rule |= dice.choice(({"status": 503, "code": "ServiceUnavailable"}, {"status": 500}))
    if kind == "error_in_200":
        rule["operation"] = dice.choice(("CompleteMultipartUpload", "CopyObject", "UploadPartCopy"))
    if kind == "delay":
        rule["seconds"] = dice.choice((0.2, 1.0, 5.0))
    if kind == "clock_skew":
        rule |= {"seconds": dice.choice((-7200, -600, 600, 7200)), "count": 5}
    return Trouble(at_s, f"fault {rule}", lambda console: console.fault_add(rule))


def _slow(dice: Random, at_s: float) -> Trouble:
    operation = dice.choice(("UploadPart*", "*", "PutObject", "C*Object", "Complete*", "HeadObject"))
    rule = {"kind": "delay", "operation": operation, "seconds": dice.choice((0.1, 0.3, 1.0)), "count": 200}
    return Trouble(at_s, f"slow store {rule}", lambda console: console.fault_add(rule))


def _stale(dice: Random, at_s: float) -> Trouble:
    """Have the store show for a moment what was there before."""
    rule: dict[str, Any] = {
        "kind": "stale",
        "operation": dice.choice((*WRITES, "Delete*", "CopyObject", "AbortMultipartUpload")),
        "seconds": dice.choice((0.3, 1.0, 3.0)),
        "hides": dice.choice(("lists", "reads", "all")),
        "count": dice.choice((1, 5)),
    }
    return Trouble(at_s, f"fault {rule}", lambda console: console.fault_add(rule))


def _away(dice: Random, at_s: float) -> Trouble:
    """Keep Redis down for longer than anybody's patience with one answer."""
    lasts_s = dice.choice((3.0, 8.0, 30.0))

    def strike(console: TormentedConsole) -> None:
        console.redis_keep_away(is_away=True)
        console.kill_now("redis")
        time.sleep(lasts_s)
        console.redis_keep_away(is_away=False)

    return Trouble(at_s, f"no Redis for {lasts_s:.1f} s", strike)


def _full(dice: Random, at_s: float) -> Trouble:
    lasts_s = dice.uniform(0.5, 3.0)

    def strike(console: TormentedConsole) -> None:
        console.disk_fill(is_full=True)
        threading.Timer(lasts_s, lambda: console.disk_fill(is_full=False)).start()

    return Trouble(at_s, f"full disk for {lasts_s:.1f} s", strike)


def _twice(dice: Random, at_s: float) -> Trouble:
    """Deliver steps of everything that runs once more, the right ones and those that are not due."""

    def strike(console: TormentedConsole) -> None:
        with suppress(Exception), Celery(broker=console.redis_url()) as app:
            app.conf.broker_transport_options = {"socket_timeout": 2, "socket_connect_timeout": 2}
            for name, arguments, queue in _steps(console):
                app.send_task(name, kwargs=arguments, queue=queue, retry=False)

    return Trouble(at_s, "deliver steps twice", strike)


def _steps(console: TormentedConsole) -> list[tuple[str, dict[str, Any], str]]:
    steps: list[tuple[str, dict[str, Any], str]] = []
    for row in console.rows("SELECT id FROM transfers_transfer ORDER BY id DESC LIMIT 6"):
        transfer = {"transfer_id": row["id"]}
        steps += [
            (f"apps.transfers.tasks.{task}", transfer, QUEUES.get(task, "control"))
            for task in ("copy_parts", "complete_transfer", "abort_transfer", "resume_transfer")
        ]
        steps += [
            ("apps.transfers.tasks.send_part", {**transfer, "number": number}, "slices")
            for number in (1, 2, 3, 3)
        ]
    for row in console.rows("SELECT id FROM batches_batch ORDER BY id DESC LIMIT 4"):
        batch = {"batch_id": row["id"]}
        steps += [
            (f"apps.batches.tasks.{task}", batch, queue)
            for task, queue in (
                ("run_objects", "batches"),
                ("run_objects", "batches"),
                ("list_objects", "batches"),
                ("end_canceled", "control"),
            )
        ]
    return steps


def _clock(dice: Random, at_s: float) -> Trouble:
    """Leave leases behind as a clock does that was wrong: hours ahead, or long over."""
    hours = dice.choice((-5, -1, 1, 5))

    def strike(console: TormentedConsole) -> None:
        for table in ("transfers_transfer", "batches_batch"):
            with suppress(Exception):
                console.write_rows(
                    f"UPDATE {table} SET lease_until = datetime('now', ?)",
                    f"{hours} hours",
                )

    return Trouble(at_s, f"leases {hours} hours away", strike)
