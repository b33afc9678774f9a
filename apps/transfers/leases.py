"""Who is at work on a transfer: a worker that is killed loses its lease by not renewing it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import DatabaseError, connections
from django.db.models import Q
from django.utils import timezone

from apps.transfers.models import Transfer

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=10)
RENEW_EVERY_S = 2.5


def is_free(now: datetime) -> Q:
    """Return the condition for a transfer that nobody holds.

    A lease further ahead than any worker sets it was written before the clock was set back.
    """
    return Q(lease_until__lte=now) | Q(lease_until__gt=now + 2 * LEASE)


@contextmanager
def transfer_lease(transfer_id: int) -> Iterator[bool]:
    """Give True to exactly one worker at a time; the others get False and leave the transfer alone.

    A thread renews it for as long as the block runs: Complete of a very large object takes minutes. Only
    the value that this worker wrote last is renewed or released, so that a lease which was lost to another
    worker, by a suspended machine for instance, stays with that one.
    """
    now = timezone.now()
    lease = Lease(transfer_id, now + LEASE)
    if not Transfer.objects.filter(is_free(now), pk=transfer_id).update(lease_until=lease.until):
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

    def __init__(self, transfer_id: int, until: datetime) -> None:
        self.transfer_id = transfer_id
        self.until = until
        self.ended = threading.Event()

    def move_to(self, until: datetime) -> bool:
        held = Transfer.objects.filter(pk=self.transfer_id, lease_until=self.until)
        moved = held.update(lease_until=until)
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
            logger.warning("A lease was not renewed.", extra={"transfer": self.transfer_id}, exc_info=True)
            return True
