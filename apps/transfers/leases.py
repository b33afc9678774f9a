"""Who is at work on a transfer: a worker that is killed loses its lease by not renewing it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connections
from django.utils import timezone

from apps.transfers.models import Transfer

LEASE = timedelta(seconds=10)
RENEW_EVERY_S = 2.5


@contextmanager
def transfer_lease(transfer_id: int) -> Iterator[bool]:
    """Give True to exactly one worker at a time; the others get False and leave the transfer alone.

    A thread renews it for as long as the block runs: Complete of a very large object takes minutes.
    """
    now = timezone.now()
    is_ours = Transfer.objects.filter(pk=transfer_id, lease_until__lte=now).update(lease_until=now + LEASE)
    if not is_ours:
        yield False
        return
    ended = threading.Event()
    renewer = threading.Thread(target=_renew, args=(transfer_id, ended), daemon=True)
    renewer.start()
    try:
        yield True
    finally:
        ended.set()
        renewer.join()
        Transfer.objects.filter(pk=transfer_id).update(lease_until=timezone.now())


def _renew(transfer_id: int, ended: threading.Event) -> None:
    while not ended.wait(RENEW_EVERY_S):
        try:
            Transfer.objects.filter(pk=transfer_id).update(lease_until=timezone.now() + LEASE)
        finally:
            connections.close_all()
