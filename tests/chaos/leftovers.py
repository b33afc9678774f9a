"""What may be left when everything has ended: nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

from redis.exceptions import RedisError

from tests.chaos.console import TormentedConsole
from tests.chaos.person import Stuck

SETTLES_S = 60.0
LOOK_EVERY_S = 0.5
QUEUES = (b"control", b"slices", b"copies", b"batches")
# Names that the broker keeps for ever, however many tasks there were.
KEPT = (b"_kombu.binding", b"unacked", *QUEUES)
# The sweeps' own messages come and go.
MESSAGES_MAX = 30


def require_none(console: TormentedConsole) -> None:
    """Raise Stuck with what is left, unless it goes away by itself within a minute."""
    until = time.monotonic() + SETTLES_S
    while left := list(leftovers(console)):
        if time.monotonic() > until:
            raise Stuck("Left behind:\n  " + "\n  ".join(left))
        time.sleep(LOOK_EVERY_S)


def leftovers(console: TormentedConsole) -> Iterator[str]:
    """Yield all that is left, in words."""
    for row in console.rows(
        "SELECT id, kind, state, title, error_code FROM jobs_job WHERE state NOT IN ('done', 'canceled')"
    ):
        yield f"job {tuple(row)}"
    for row in console.stored_rows("SELECT id, bucket, key FROM uploads WHERE key LIKE 'chaos-%'"):
        yield f"unfinished upload {tuple(row)}"
    spool = console.folder / "spool"
    for path in spool.rglob("*") if spool.exists() else ():
        yield f"in the spool: {path.relative_to(spool)}"
    for table in ("transfers_transfer", "batches_batch"):
        held = console.rows(
            # What a wrong clock left hours ahead counts as free.
            f"SELECT id, lease_until FROM {table} "
            "WHERE lease_until BETWEEN datetime('now') AND datetime('now', '1 minute')"
        )
        yield from (f"lease of {table} {tuple(row)}" for row in held)
    yield from _in_redis(console)


def _in_redis(console: TormentedConsole) -> Iterator[str]:
    try:
        with console.redis() as client:
            messages = sum(client.llen(queue) for queue in QUEUES) + client.hlen("unacked")
            kept = [key for key in client.scan_iter() if client.ttl(key) == -1]
    except RedisError as error:
        yield f"Redis does not answer: {error}"
        return
    if messages > MESSAGES_MAX:
        yield f"{messages} messages"
    for key in kept:
        if not key.startswith(KEPT):
            yield f"a key of Redis that never expires: {key!r}"
