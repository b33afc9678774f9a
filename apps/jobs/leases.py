"""Who is at work on a row: a worker that is killed loses its lease by not renewing it.

A row that can be leased has a column `lease_until`: how long the worker that holds it may be believed to be
alive.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connections
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=10)
RENEW_EVERY_S = 2.5


def is_free(now: datetime) -> Q:
    """Return the condition for a row that nobody holds.

    A lease further ahead than any worker sets it was written before the clock was set back.
    """
    return Q(lease_until__lte=now) | Q(lease_until__gt=now + 2 * LEASE)


@contextmanager
def row_lease(model: type[Model], pk: int) -> Iterator[bool]:
    """Give True to exactly one worker at a time; the others get False and leave the row alone.

    A thread renews it for as long as the block runs: Complete of a very large object takes minutes. Only
    the value that this worker wrote last is renewed or released, so that a lease which was lost to another
    worker, by a suspended machine for instance, stays with that one.
    """
    now = timezone.now()
    lease = Lease(model._default_manager.filter(pk=pk), now + LEASE)
    if not lease.row.filter(is_free(now)).update(lease_until=lease.until):
        yield False
        return
    renewer = threading.Thread(target=lease.keep, daemon=True)
    renewer.start()
    try:
        yield True
    finally:
        lease.ended.set()
        renewer.join()
        lease.move_to(timezone.now())


class Lease:
    """The lease that this worker holds, until it has ended or was lost."""

    def __init__(self, row: QuerySet[Any], until: datetime) -> None:
        self.row = row
        self.until = until
        self.ended = threading.Event()

    def move_to(self, until: datetime) -> bool:
        moved = self.row.filter(lease_until=self.until).update(lease_until=until)
        if moved:
            self.until = until
        return bool(moved)

    def keep(self) -> None:
        try:
            while not self.ended.wait(RENEW_EVERY_S):
                if not self._renew():
                    return
        finally:
            connections.close_all()

    def _renew(self) -> bool:
        try:
            return self.move_to(timezone.now() + LEASE)
        except DatabaseError:
            # The next round may succeed; if none does, the lease passes on, as it should.
            logger.warning("A lease was not renewed.", exc_info=True)
            return True
