"""The rows of the index: added a page at a time, found by number, deleted in batches.

Statements are written out: a million rows pass here, and building each through the ORM took longer than
running it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from django.db import connection, transaction

from apps.inventory.columns import key_bytes
from apps.inventory.folding import folded_bytes
from apps.inventory.models import IndexEntry, Walk
from apps.inventory.tally import Sum, modified_ms_of
from apps.storage.types import ObjectSummary

# Few enough that nobody who writes meanwhile waits for longer than a moment.
DELETED_AT_ONCE = 20_000
# The first byte that no UTF-8 text holds: below every key that begins with a prefix lies prefix + this.
_ABOVE = b"\xff"

_INSERT = """
INSERT INTO inventory_indexentry (walk_id, number, key, folded, size, modified_ms, storage_class)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def entries_add(walk: Walk, summaries: Sequence[ObjectSummary], *, first: int) -> None:
    """This will add a page of objects, of which the first gets the number `first`.

    Call it in the transaction that moves the walk's marker. Raises IntegrityError if a number is taken.
    """
    rows = [
        (
            walk.pk,
            number,
            key_bytes(summary.key),
            folded_bytes(summary.key),
            summary.size,
            modified_ms_of(summary),
            summary.storage_class[:40],
        )
        for number, summary in enumerate(summaries, first)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, rows)


def numbers_below(walk: Walk, prefix: str) -> range:
    """Return the numbers of the entries whose key begins with `prefix`."""
    if not prefix:
        return range(walk.kept)
    begin = key_bytes(prefix)
    return range(_first_at_least(walk, begin), _first_at_least(walk, begin + _ABOVE))


def entries_sum(walk: Walk, prefix: str) -> Sum:
    """Return how many entries lie below a prefix, and their bytes."""
    numbers = numbers_below(walk, prefix)
    sql = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM inventory_indexentry WHERE walk_id = %s"
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} AND number >= %s AND number < %s", [walk.pk, numbers.start, numbers.stop])
        objects, size = cursor.fetchone()
    return Sum(objects, int(size))


def entries_prune(*, may_go_on: Callable[[], bool]) -> int:
    """This will delete rows that no open or current walk owns, in batches, while `may_go_on()` is true.

    Return how many were deleted. Safe to repeat and to stop anywhere.
    """
    deleted = 0
    for walk_id in _walk_ids():
        if Walk.objects.filter(pk=walk_id).filter(is_open=True).exists():
            continue
        if Walk.objects.filter(pk=walk_id, is_current=True).exists():
            continue
        while may_go_on() and (gone := _delete_some(walk_id)):
            deleted += gone
    return deleted


def _first_at_least(walk: Walk, key: bytes) -> int:
    """Return the number of the first entry whose key is not below `key`.

    Numbers follow the order of keys, so that some twenty looks find one among a million without an index
    on keys, which would be as large as the keys themselves.
    """
    low, high = 0, walk.kept
    with connection.cursor() as cursor:
        while low < high:
            middle = (low + high) // 2
            cursor.execute(
                "SELECT key FROM inventory_indexentry WHERE walk_id = %s AND number = %s", [walk.pk, middle]
            )
            row = cursor.fetchone()
            if row is not None and bytes(row[0]) < key:
                low = middle + 1
            else:
                high = middle
    return low


def _walk_ids() -> Iterable[int]:
    """Yield the walks that own rows, one look at the index for each instead of one for each row."""
    after = 0
    while True:
        ids = (
            IndexEntry.objects.filter(walk_id__gt=after).order_by("walk_id").values_list("walk_id", flat=True)
        )
        found = ids.first()
        if found is None:
            return
        yield found
        after = found


def _delete_some(walk_id: int) -> int:
    rows = IndexEntry.objects.filter(walk_id=walk_id)
    lowest = rows.order_by("number").values_list("number", flat=True).first()
    if lowest is None:
        return 0
    with transaction.atomic():
        gone, _per_model = rows.filter(number__lt=lowest + DELETED_AT_ONCE).delete()
    return gone
