"""Is a part well? Each check is quick, and answers rather than raises."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

Health = Callable[[], Awaitable[bool]]
PATIENCE_S = 5.0
HEARTBEAT_STALE_S = 60.0


def http_health(*, port: int, path: str, host: str = "127.0.0.1", name: str = "localhost") -> Health:
    """Return a check that asks for a page; `name` is what the Host header says."""
    request = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()

    async def ask() -> bool:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(request)
            status = await reader.readline()
        finally:
            writer.close()
        return status.split(b" ")[1:2] == [b"200"]

    return _patient(ask)


def redis_health(url: str) -> Health:
    """Return a check that Redis answers PING; while it loads its file it does not."""

    async def ask() -> bool:
        async with Redis.from_url(url) as client:
            return bool(await client.ping())

    return _patient(ask)


def heartbeat_health(path: Path) -> Health:
    """Return a check that a file was touched within the last minute."""

    async def ask() -> bool:
        return time.time() - path.stat().st_mtime < HEARTBEAT_STALE_S

    return _patient(ask)


def _patient(ask: Health) -> Health:
    async def check() -> bool:
        try:
            return await asyncio.wait_for(ask(), PATIENCE_S)
        except (OSError, TimeoutError, RedisError):
            return False

    return check
