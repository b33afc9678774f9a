"""The gauge: where running jobs are right now, kept in Redis and published to every web process.

Nothing here is a record. Redis may be flushed or restarted at any second: the next report of any part, or
the next look at the rows, fills the gauge again. That is why every failure to reach Redis is logged and
forgotten, and why `base` is always an absolute number taken from the rows.

One hash per job holds `base` (bytes that rows confirm), `f:<part>` (bytes of a part under way), and ten
seconds of ticks in sixteen slots (`s:<slot>` the second, `t:<slot>` the bytes moved in it).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import redis
from django.conf import settings

from apps.storage import accounting

logger = logging.getLogger(__name__)

CHANNEL = "console:jobs"
KEEP_S = 24 * 3600
PUBLISH_EVERY_MS = 200
TICK_SLOTS = 16
# Deaths further apart have other reasons than the step.
DEATHS_KEPT_S = 3600
# No pause of `once_in` is longer.
LONGEST_ONCE_S = 300

# One round trip per report. Answers 1 when enough time has passed to tell the pages about it.
_REPORT = """
local key, part, sent, base = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local second, slot, delta = ARGV[4], ARGV[5], tonumber(ARGV[6])
if part ~= '' then
  if sent > 0 then redis.call('HSET', key, 'f:' .. part, sent) else redis.call('HDEL', key, 'f:' .. part) end
end
if base ~= '' then redis.call('HSET', key, 'base', base) end
if redis.call('HGET', key, 's:' .. slot) ~= second then
  redis.call('HSET', key, 's:' .. slot, second, 't:' .. slot, 0)
end
redis.call('HINCRBY', key, 't:' .. slot, delta)
redis.call('EXPIRE', key, ARGV[7])
if redis.call('SET', key .. ':gate', 1, 'NX', 'PX', ARGV[8]) then return 1 end
return 0
"""


@dataclass(frozen=True)
class Gauge:
    """What Redis knows of a job, in what the job counts; `done` is None when it knows nothing.

    `bytes_rate` is known of jobs that count objects and know their bytes as well.
    """

    done: int | None
    rate: float | None
    bytes_rate: float | None = None


@lru_cache(maxsize=1)
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2, health_check_interval=30
    )


def _key(job_id: UUID) -> str:
    return f"console:job:{job_id}"


def _bytes_key(job_id: UUID) -> str:
    return f"console:job:{job_id}:bytes"


def report(
    job_id: UUID, *, part: int | None = None, sent: int = 0, base: int | None = None, delta: int = 0
) -> bool:
    """Record that `part` has `sent` bytes under way and `delta` bytes moved since the last report.

    `base` sets the bytes that rows confirm. A finished part reports `sent=0` together with the new base, a
    part that starts again a negative delta. Return whether the pages should be told now.
    """
    second = int(time.time())
    arguments = (
        "" if part is None else part,
        sent,
        "" if base is None else base,
        second,
        second % TICK_SLOTS,
        delta,
        KEEP_S,
        PUBLISH_EVERY_MS,
    )
    try:
        return bool(_client().eval(_REPORT, 1, _key(job_id), *(str(argument) for argument in arguments)))
    except redis.RedisError:
        logger.warning("The progress of a job was not recorded.", extra={"job": str(job_id)}, exc_info=True)
        return False


def report_bytes(job_id: UUID, *, delta: int) -> None:
    """Record that a job which counts objects moved `delta` bytes since the last report."""
    second = int(time.time())
    arguments = ("", 0, "", second, second % TICK_SLOTS, delta, KEEP_S, PUBLISH_EVERY_MS)
    try:
        _client().eval(_REPORT, 1, _bytes_key(job_id), *(str(argument) for argument in arguments))
    except redis.RedisError:
        logger.warning("The bytes of a job were not recorded.", extra={"job": str(job_id)}, exc_info=True)


def read_many(job_ids: Iterable[UUID], *, with_bytes: Iterable[UUID] = ()) -> dict[UUID, Gauge]:
    """Return the gauge of each job in one round trip; jobs that Redis does not know are left out.

    Those `with_bytes` count objects and are asked for the rate of their bytes as well.
    """
    ids, counting = list(job_ids), list(with_bytes)
    if not ids:
        return {}
    pipeline = _client().pipeline(transaction=False)
    for key in [*map(_key, ids), *map(_bytes_key, counting)]:
        pipeline.hgetall(key)
    try:
        hashes = pipeline.execute()
    except redis.RedisError:
        logger.warning("Redis does not answer: pages show the figures of the rows.", exc_info=True)
        return {}
    now = time.time()
    of_bytes = zip(counting, hashes[len(ids) :], strict=True)
    rates = {job_id: _rate_of(fields, now) for job_id, fields in of_bytes}
    found = zip(ids, hashes[: len(ids)], strict=True)
    return {job_id: _gauge_of(fields, now, rates.get(job_id)) for job_id, fields in found if fields}


def _gauge_of(fields: dict[bytes, bytes], now: float, bytes_rate: float | None) -> Gauge:
    under_way = sum(int(value) for name, value in fields.items() if name.startswith(b"f:"))
    base = fields.get(b"base")
    return Gauge(
        done=None if base is None else int(base) + under_way,
        rate=_rate_of(fields, now),
        bytes_rate=bytes_rate,
    )


def _rate_of(fields: dict[bytes, bytes], now: float) -> float | None:
    ticks = [
        (float(fields[b"s:%d" % slot]), int(fields[b"t:%d" % slot]))
        for slot in range(TICK_SLOTS)
        if b"s:%d" % slot in fields and float(fields[b"s:%d" % slot]) > now - TICK_SLOTS
    ]
    return accounting.rate_of(ticks, now=now) if ticks else None


def announce(message: dict[str, Any]) -> None:
    """Publish one job's figures to the live pages of every web process."""
    try:
        _client().publish(CHANNEL, json.dumps(message))
    except redis.RedisError:
        logger.warning("Live pages were not told about a job.", exc_info=True)


def once_in(name: str, *, seconds: int) -> bool:
    """Return True for the first caller in `seconds`; always True when Redis cannot answer."""
    key = f"console:once:{name}"
    try:
        if _client().set(key, 1, nx=True, ex=seconds):
            return True
        if _client().ttl(key) <= LONGEST_ONCE_S:
            return False
        # Redis ends a key at a time of the clock: when that was set back, all would stand still till then.
        return bool(_client().set(key, 1, ex=seconds))
    except redis.RedisError:
        return True


def deaths_before(name: str) -> int:
    """Count one more beginning of a step; return how many before it never came to `step_survived`.

    That many workers were killed by it, or while they were at it: 0 when Redis cannot answer.
    """
    key = f"console:deaths:{name}"
    try:
        with _client().pipeline(transaction=False) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, DEATHS_KEPT_S)
            begun, _expires = pipeline.execute()
    except redis.RedisError:
        return 0
    return int(begun) - 1


def step_survived(name: str) -> None:
    """Forget the beginnings of a step: it has ended, well or with an error."""
    try:
        _client().delete(f"console:deaths:{name}")
    except redis.RedisError:
        logger.warning("The end of a step was not recorded.", extra={"step": name}, exc_info=True)


def listen(*, on_subscribed: Callable[[], None]) -> Iterator[dict[str, Any] | None]:
    """Yield published messages for ever, and None about once a second while there are none.

    `on_subscribed` is called whenever a subscription stands, the client's silent second ones among them: what
    was published before that moment was told to nobody. Raises ConnectionError when Redis goes away; the
    caller subscribes again.
    """
    try:
        with _client().pubsub() as subscription:  # type: ignore[no-untyped-call]
            subscription.subscribe(CHANNEL)
            while True:
                message = subscription.get_message(timeout=1.0)
                if message is not None and message["type"] == "subscribe":
                    on_subscribed()
                is_news = message is not None and message["type"] == "message"
                yield json.loads(message["data"]) if is_news else None
    except redis.RedisError as error:
        raise ConnectionError("Redis closed the subscription.") from error
