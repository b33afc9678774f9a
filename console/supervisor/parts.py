"""The processes that make up the console on one machine, in the order in which they need each other."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from console import heartbeat
from console.supervisor.datafolder import DataFolder
from console.supervisor.health import heartbeat_health, http_health
from console.supervisor.process import Part

QUEUES = "control,slices,copies,batches"


@dataclass(frozen=True)
class Layout:
    """What one `up` runs, and where. `environ` holds what every part has to know."""

    base: Path
    folder: DataFolder
    host: str
    port: int
    host_name: str
    https: bool
    workers: int
    worker_threads: int
    log_level: str
    environ: dict[str, str] = field(repr=False)

    @property
    def address(self) -> str:
        """Return where a browser finds the console: behind its proxy, else on this machine."""
        if self.https:
            return f"https://{self.host_name}/"
        host = _reachable(self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"


def store_part(layout: Layout, *, port: int) -> Part:
    """The embedded store."""
    command = (
        sys.executable, "manage.py", "localstore",
        "--host", "127.0.0.1", "--port", str(port), "--data", str(layout.folder.path / "store"),
    )  # fmt: skip
    return Part("store", command, http_health(port=port, path="/-/health"), layout.environ)


def worker_part(layout: Layout, *, number: int) -> Part:
    """One Celery worker. A task that outlasts the warm stop comes again: it is acknowledged late."""
    name = "worker" if layout.workers == 1 else f"worker-{number}"
    return _celery_part(
        layout,
        name,
        (
            "worker", "-P", "threads", "-c", str(layout.worker_threads), "-Q", QUEUES, "-l", layout.log_level,
            "-n", f"{name}@%h", "--without-gossip", "--without-mingle",
        ),
        stop_s=15.0,
    )  # fmt: skip


def beat_part(layout: Layout) -> Part:
    """The one clock: two would start every scheduled task twice."""
    # At "info" it writes a line per scheduled task, which buries everything else.
    return _celery_part(
        layout, "beat", ("beat", "-s", str(layout.folder.run / "beat"), "-l", "warning"), stop_s=5.0
    )


def web_part(layout: Layout) -> Part:
    """The web server."""
    command = (sys.executable, "-m", "gunicorn", "-c", "console/gunicorn.py", "console.wsgi:application")
    health = http_health(
        host=_reachable(layout.host), port=layout.port, path="/healthz", name=layout.host_name
    )
    return Part("web", command, health, layout.environ, stop_s=8.0)


def _celery_part(layout: Layout, name: str, arguments: tuple[str, ...], *, stop_s: float) -> Part:
    alive = layout.folder.run / f"{name}.alive"
    return Part(
        name,
        (sys.executable, "-m", "celery", "-A", "console", "-q", *arguments),
        heartbeat_health(alive),
        {**layout.environ, heartbeat.VARIABLE: str(alive)},
        stop_s=stop_s,
        heartbeat=alive,
    )


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
