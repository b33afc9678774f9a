"""A worker and beat touch a file while they live: `celery inspect ping` would cost a process per question."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import signals

VARIABLE = "HEARTBEAT_FILE"


def heartbeat_connect() -> None:
    """Touch the file that the environment names: a worker with every heartbeat, beat with every task."""
    if not os.environ.get(VARIABLE):
        return
    for signal in (
        signals.worker_ready,
        signals.heartbeat_sent,
        signals.beat_init,
        signals.after_task_publish,
    ):
        signal.connect(_touch)


def _touch(**_: Any) -> None:
    Path(os.environ[VARIABLE]).touch()
