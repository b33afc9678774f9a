"""A task that does nothing: what Celery and Redis cost by themselves."""

from __future__ import annotations

from typing import Any

from celery import shared_task


@shared_task(queue="slices")
def noop(*, transfer_id: int, number: int, **_: Any) -> None:
    """Take the arguments of a slice and do nothing with them."""
