"""Which objects are about to leave their keys: a move to such a key must not count on what is there.

Of two moves to each other's keys both may find that the other's source is as good as a copy, and then delete
the only two there are. Each asks here before it looks at its copy a last time: the row of the other one is
older than the other's own question, so that one of the two at least sees the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db.models import QuerySet

from apps.transfers.models import Transfer

LeavesElsewhere = Callable[[str, str], bool]

_elsewhere: list[LeavesElsewhere] = []


def leaves_elsewhere(ask: LeavesElsewhere) -> LeavesElsewhere:
    """Have `ask` be asked as well whether a key of a bucket loses its object."""
    _elsewhere.append(ask)
    return ask


def moves_from(bucket: str, keys: Sequence[str]) -> QuerySet[Transfer]:
    """Return the moves of single objects, ended ones included, with their source at one of these keys."""
    return Transfer.objects.filter(is_move=True, source_bucket=bucket, source_key__in=keys)


def target_leaves(transfer: Transfer) -> bool:
    """Return whether a job that has not ended takes away what has the key of this copy."""
    others = moves_from(transfer.bucket, [transfer.key]).filter(job__finished_at=None).exclude(pk=transfer.pk)
    return others.exists() or any(ask(transfer.bucket, transfer.key) for ask in _elsewhere)
