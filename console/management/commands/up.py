"""`python manage.py up`: the whole console on this machine, in one terminal."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection, connections

from console.first_run import (
    EmbeddedStore,
    connections_prepare,
    embedded_store,
    environment_require_whole,
    sign_in_path,
)
from console.settings import env_bool, env_int
from console.supervisor.broker import redis_part, redis_require_reachable, url_masked
from console.supervisor.datafolder import DataFolder
from console.supervisor.failures import CannotStart
from console.supervisor.output import Terminal
from console.supervisor.parts import Layout, beat_part, store_part, web_part, worker_part
from console.supervisor.ports import port_require_free
from console.supervisor.process import Part
from console.supervisor.supervision import Supervision


class Command(BaseCommand):
    help = (
        "Run Redis, the embedded store, the workers and the web server, and keep them running until Ctrl-C."
    )
    # What the checks would say, the parts say; and an unreachable database deserves a sentence.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            _up()
        except CannotStart as failure:
            self.stderr.write(str(failure), self.style.ERROR)
            sys.exit(1)


def _up() -> None:
    layout = _layout()
    environment_require_whole(os.environ)
    layout.folder.prepare()
    layout.folder.lock()
    port_require_free(layout.host, layout.port)
    _migrate()
    store = _store(layout)
    stages = _stages(layout, store=store)
    terminal = Terminal()
    terminal.say(f"Starting. Logs: {layout.folder.logs}")
    try:
        asyncio.run(_supervision(layout, stages, store=store, terminal=terminal).run())
    finally:
        layout.folder.forget("up")
    terminal.say("Stopped.")


def _layout() -> Layout:
    known = [host.lstrip(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    return Layout(
        base=settings.BASE_DIR,
        folder=DataFolder(settings.DATA_DIR),
        host=os.environ.get("HOST", "127.0.0.1"),
        port=env_int("PORT", 8000),
        host_name=known[0] if known else "localhost",
        https=settings.USE_HTTPS,
        workers=env_int("WORKERS", 1),
        worker_threads=env_int("WORKER_THREADS", 8),
        log_level=os.environ.get("LOG_LEVEL", "INFO"),
        environ={
            "DATA_DIR": str(settings.DATA_DIR),
            "PYTHONUNBUFFERED": "1",
            # Threads that pass megabytes around would otherwise keep an arena each.
            "MALLOC_ARENA_MAX": "2",
        },
    )


def _migrate() -> None:
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except (DatabaseError, ImproperlyConfigured) as error:
        raise CannotStart(
            f"The database {_database_name()} cannot be used ({' '.join(url_masked(str(error)).split())}). "
            "Check DATABASE_URL and DATA_DIR."
        ) from None
    finally:
        connections.close_all()


def _database_name() -> str:
    values = connection.settings_dict
    return f"{values['NAME']} on {values['HOST']}" if values["HOST"] else str(values["NAME"])


def _store(layout: Layout) -> EmbeddedStore | None:
    if not env_bool("LOCALSTORE", True):
        return None
    return embedded_store(layout.folder, wanted_port=settings.LOCALSTORE_PORT)


def _stages(layout: Layout, *, store: EmbeddedStore | None) -> list[list[Part]]:
    ground: list[Part] = []
    if url := os.environ.get("REDIS_URL"):
        redis_require_reachable(url)
    else:
        redis, url = redis_part(layout.folder)
        ground.append(redis)
    layout.environ["REDIS_URL"] = url
    if store:
        layout.environ["LOCALSTORE_PORT"] = str(store.port)
        ground.append(store_part(layout, port=store.port))
    workers = [worker_part(layout, number=number + 1) for number in range(layout.workers)]
    return [ground, [*workers, beat_part(layout), web_part(layout)]]


def _supervision(
    layout: Layout, stages: list[list[Part]], *, store: EmbeddedStore | None, terminal: Terminal
) -> Supervision:
    """Tie the parts to what is done once they run, and to the file that says where they are."""
    state: dict[str, Any] = {"address": layout.address, "supervisor": os.getpid(), "pids": {}}

    def on_change(pids: dict[str, int]) -> None:
        layout.folder.write("up", state | {"pids": pids})
        state["pids"] = pids

    def on_ready() -> str:
        try:
            state["link"] = layout.address.rstrip("/") + sign_in_path()
            notes = connections_prepare(layout.folder, store=store, environ=os.environ)
        finally:
            # The supervisor needs the database never again.
            connections.close_all()
        on_change(state["pids"])
        return "\n".join([*notes, "", *_ready_lines(state), ""])

    return Supervision(
        stages,
        cwd=layout.base,
        logs=layout.folder.logs,
        terminal=terminal,
        on_ready=on_ready,
        on_change=on_change,
    )


def _ready_lines(state: dict[str, Any]) -> list[str]:
    return [
        f"COS Console is ready:               {state['address']}",
        f"Sign in once as administrator:      {state['link']}",
    ]
