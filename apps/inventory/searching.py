"""Search and sort over the whole index of a bucket, a page at a time.

Pages continue after a row and never skip any by number, so that the last page costs what the first one
does. Text is compared as bytes and never becomes a pattern: nothing in it has a meaning of its own. A scan
of a million rows takes a quarter of a second, which is why there is no index for every order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import BinaryField, F, Func, IntegerField, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from apps.connections.models import Connection
from apps.inventory.columns import key_bytes
from apps.inventory.entries import numbers_below
from apps.inventory.models import IndexEntry, Walk

PAGE_ROWS = 100
# What each order sorts by; the number breaks ties, and is the order of keys.
ORDERS = {"name": "number", "size": "size", "changed": "modified_ms", "class": "storage_class"}


@dataclass(frozen=True)
class Wanted:
    """What is searched for. `words` and `endings` are folded; None and '' ask for nothing.

    Times are milliseconds since 1970, from `after_ms` up to and without `before_ms`; sizes are bytes, both
    ends included. `sort` is a name of ORDERS, with `-` before it the other way round.
    """

    words: tuple[str, ...] = ()
    prefix: str = ""
    endings: tuple[str, ...] = ()
    storage_class: str = ""
    min_size: int | None = None
    max_size: int | None = None
    after_ms: int | None = None
    before_ms: int | None = None
    sort: str = "name"


@dataclass(frozen=True)
class Cursor:
    """A row that a page begins after; with `is_back` the page ends before it. Rows belong to a walk."""

    walk_id: int
    number: int
    value: str
    is_back: bool = False

    def __str__(self) -> str:
        return f"{self.walk_id}.{self.number}.{'b' if self.is_back else 'f'}.{self.value}"


@dataclass(frozen=True)
class Found:
    """One object that the index holds."""

    number: int
    key: str
    size: int
    modified_at: datetime | None
    storage_class: str


@dataclass(frozen=True)
class Page:
    """Rows, and where the pages around them begin; None at either end."""

    rows: list[Found]
    next: Cursor | None
    previous: Cursor | None


@dataclass(frozen=True)
class Matches:
    """How many objects match, and their bytes."""

    objects: int
    size: int


class _Place(Func):
    """Where bytes begin in others, counted from 1; 0 where they do not occur."""

    function = "INSTR"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        turned = self.copy()
        turned.set_source_expressions(list(reversed(self.get_source_expressions())))
        return turned.as_sql(
            compiler, connection, template="POSITION(%(expressions)s)", arg_joiner=" IN ", **extra
        )


class _Tail(Func):
    """The last `length` bytes."""

    output_field = BinaryField()
    template = "SUBSTR(%(expressions)s, -%(length)s)"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # PostgreSQL knows no negative places, and would count them as being in front of the first byte.
        template = "SUBSTRING(%(expressions)s FROM GREATEST(LENGTH(%(expressions)s) - %(length)s + 1, 1))"
        return self.as_sql(compiler, connection, template=template, **extra)


def index_walk(connection: Connection, *, bucket: str) -> Walk | None:
    """Return the walk whose keys can be searched: the last whole one, else the one that is being made."""
    walks = Walk.objects.of_scope(connection_id=connection.pk, bucket=bucket).defer("figures")
    usable = walks.filter(Q(is_current=True) | Q(is_open=True, kept__gt=0)).select_related("job")
    return usable.order_by("-is_current").first()


def index_search(walk: Walk, wanted: Wanted, *, cursor: Cursor | None = None) -> Page:
    """Return a page of what matches. A cursor of another walk is a way into nothing: the first page then."""
    if cursor is not None and cursor.walk_id != walk.pk:
        cursor = None
    column, is_down = ORDERS[wanted.sort.removeprefix("-")], wanted.sort.startswith("-")
    is_back = cursor is not None and cursor.is_back
    entries = _matching(walk, wanted)
    if cursor is not None:
        entries = entries.filter(_beyond(column, cursor, is_below=is_down != is_back))
    sign = "-" if is_down != is_back else ""
    order = [f"{sign}{name}" for name in dict.fromkeys([column, "number"])]
    rows = list(entries.order_by(*order)[: PAGE_ROWS + 1])
    has_more = len(rows) > PAGE_ROWS
    rows = rows[:PAGE_ROWS]
    if is_back:
        rows.reverse()
    return Page(
        rows=[_found(row) for row in rows],
        next=_cursor(walk, column, rows[-1:]) if has_more or is_back else None,
        previous=_cursor(walk, column, rows[:1], is_back=True)
        if cursor and (has_more or not is_back)
        else None,
    )


def index_matches(walk: Walk, wanted: Wanted) -> Matches:
    """Return how many objects match, from a look at every one of them."""
    found = _matching(walk, wanted).aggregate(objects=Sum(Value(1)), size=Sum("size"))
    return Matches(int(found["objects"] or 0), int(found["size"] or 0))


def cursor_of(text: str) -> Cursor | None:
    """Return the cursor that became this text; None for one that was cut or edited."""
    parts = text.split(".", 3)
    if len(parts) < 4 or not all(_is_number(part) for part in parts[:2]):
        return None
    return Cursor(int(parts[0]), int(parts[1]), parts[3][:40], is_back=parts[2] == "b")


def classes_of(walk: Walk) -> Iterable[str]:
    """Return the storage classes that the index may hold."""
    return sorted(walk.tally().classes)


def _matching(walk: Walk, wanted: Wanted) -> QuerySet[IndexEntry]:
    # Both ends of the numbers are named, since it keeps SQLite from leaving the order of the rows.
    numbers = numbers_below(walk, wanted.prefix)
    entries = IndexEntry.objects.filter(
        walk_id=walk.pk, number__gte=numbers.start, number__lt=numbers.stop, **_limits(wanted)
    )
    text = Coalesce(F("folded"), F("key"), output_field=BinaryField())
    for place, word in enumerate(wanted.words):
        entries = entries.alias(**{f"place{place}": _Place(text, _bytes(word))})
        entries = entries.filter(**{f"place{place}__gt": 0})
    endings = Q()
    for place, ending in enumerate(wanted.endings):
        entries = entries.alias(**{f"tail{place}": _Tail(text, length=len(key_bytes(ending)))})
        endings |= Q(**{f"tail{place}": _bytes(ending)})
    return entries.filter(endings)


def _limits(wanted: Wanted) -> dict[str, Any]:
    limits = {
        "size__gte": wanted.min_size,
        "size__lte": wanted.max_size,
        "modified_ms__gte": wanted.after_ms,
        "modified_ms__lt": wanted.before_ms,
        "storage_class": wanted.storage_class or None,
    }
    return {name: limit for name, limit in limits.items() if limit is not None}


def _beyond(column: str, cursor: Cursor, *, is_below: bool) -> Q:
    """Return the condition for rows after the cursor in the order that is asked for."""
    side = "lt" if is_below else "gt"
    later = Q(**{f"number__{side}": cursor.number})
    if column == "number":
        return later
    value: str | int = cursor.value
    if column != "storage_class":
        value = int(cursor.value) if _is_number(cursor.value) else 0
    return Q(**{f"{column}__{side}": value}) | (Q(**{column: value}) & later)


def _cursor(walk: Walk, column: str, rows: list[IndexEntry], *, is_back: bool = False) -> Cursor | None:
    return Cursor(walk.pk, rows[0].number, str(getattr(rows[0], column)), is_back=is_back) if rows else None


def _found(row: IndexEntry) -> Found:
    modified_at = datetime.fromtimestamp(row.modified_ms / 1000, UTC) if row.modified_ms else None
    return Found(row.number, str(row.key), row.size, modified_at, row.storage_class)


def _bytes(text: str) -> Value:
    return Value(key_bytes(text), output_field=BinaryField())


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
