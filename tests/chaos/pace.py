"""The pace of a console that is tormented: small parts, short leases, and a disk that can be full."""

from __future__ import annotations

import errno
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings

MIB = 1 << 20
PART_SIZE = MIB
IDLE_S = 1.5
# While this file exists in the data folder, the spool's disk takes nothing.
FULL = "disk-is-full"

PACE: dict[str, dict[str, Any]] = {
    "apps.jobs.leases": {"LEASE": timedelta(seconds=4), "RENEW_EVERY_S": 1.0},
    "apps.transfers.sweeping": {
        "HAND_OVER_AGAIN_S": 2,
        "STEP_AGAIN_S": 3,
        "STILLBORN": timedelta(seconds=8),
    },
    "apps.transfers.finishing": {"LOST_WINDOW": timedelta(seconds=3)},
    "apps.transfers.tasks": {"ATTEMPTS": 3, "LONGEST_PAUSE_S": 2, "TURN_S": 2},
    "apps.transfers.receiver": {"WAIT_FOR_ROOM_S": 3.0},
    "apps.transfers.services.copies": {"COPY_IN_PARTS_FROM": 2 * MIB, "COPY_PART_SIZE": PART_SIZE},
    "apps.transfers.copying": {"BATCH_S": 2.0},
    "apps.batches.sweeping": {"STEP_AGAIN_S": 3},
    "apps.batches.tasks": {"ATTEMPTS": 3, "LONGEST_PAUSE_S": 2, "TURN_S": 2},
    "apps.batches.actions.copying": {"COPY_IN_PARTS_FROM": 2 * MIB},
    "apps.batches.actions.large": {"COPY_PART_SIZE": PART_SIZE},
    "console.supervisor.backoff": {"LONGEST_S": 1.0},
}


class Faster(AppConfig):
    """Loaded last, in every process of the console."""

    name = "tests.chaos"
    label = "chaos"

    def ready(self) -> None:
        for name, values in PACE.items():
            module = import_module(name)
            for constant, value in values.items():
                # A name that is gone would be set in vain, and the harness would wait for minutes.
                assert hasattr(module, constant), f"{name}.{constant}"
                setattr(module, constant, value)
        uploads: Any = import_module("apps.transfers.services.uploads")
        uploads.plan_parts = partial(uploads.plan_parts, part_size_min=PART_SIZE)
        running: Any = import_module("apps.batches.running")
        running.run_batch.__kwdefaults__["seconds"] = 2.0
        spool: Any = import_module("apps.transfers.spool")
        _fill_disk_on_demand(spool)


def _fill_disk_on_demand(spool: Any) -> None:
    full = Path(settings.DATA_DIR) / FULL
    has_room, write = spool.has_room, spool.Draft.write

    def has_room_now(length: int) -> bool:
        return not full.exists() and bool(has_room(length))

    def write_if_room(draft: Any, view: memoryview) -> None:
        if full.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        write(draft, view)

    spool.has_room = has_room_now
    spool.Draft.write = write_if_room
