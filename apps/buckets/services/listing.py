"""Buckets of all connections as one table, filtered by what was read and by what is remembered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.core.paginator import Page, Paginator

from apps.access.rules.acl import AccessKind
from apps.buckets.models import BucketFacts
from apps.buckets.services.facts import Place, facts_of
from apps.connections.models import Connection
from apps.connections.services import Reading, buckets_ask, buckets_remember
from apps.inventory.services import Figures, figures_for
from apps.storage.types import Bucket

# A page should not wait longer for one slow account than a person would for the page.
LIST_TIMEOUT_S = 6.0
PAGE_SIZE = 100
LONG_AGO = datetime.min.replace(tzinfo=UTC)

ACCESS_FILTERS: dict[str, frozenset[str]] = {
    "private": frozenset({AccessKind.PRIVATE}),
    "public": frozenset({AccessKind.PUBLIC_READ, AccessKind.PUBLIC_WRITE}),
    "signed-in": frozenset({AccessKind.SIGNED_IN}),
    "shared": frozenset({AccessKind.SHARED}),
    "unknown": frozenset({AccessKind.UNKNOWN}),
}


@dataclass(frozen=True)
class Filters:
    """How the list is narrowed and sorted; empty text narrows nothing."""

    q: str = ""
    connection: str = ""
    region: str = ""
    tag: str = ""
    access: str = ""
    sort: str = "name"

    @property
    def need_facts(self) -> bool:
        return bool(self.tag or self.access)

    def __bool__(self) -> bool:
        return bool(self.q or self.connection or self.region or self.tag or self.access)


@dataclass(frozen=True)
class Row:
    """One bucket in the list, and what is remembered about it.

    `is_remembered` when the store did not list it now: then it is not asked about it either.
    """

    connection: Connection
    bucket: Bucket
    is_remembered: bool = False
    facts: BucketFacts | None = None
    figures: Figures | None = None

    @property
    def place(self) -> Place:
        return Place(self.connection, self.bucket.name, self.bucket.region)


@dataclass(frozen=True)
class Table:
    """One page of the list. `unread` are buckets of which nothing is known, whether they are shown or not.

    `judged` are those whose figures decided whether they are shown, where a filter needs figures.
    """

    page: Page[Row]
    regions: Sequence[str]
    total: int
    unread: Sequence[Row]
    judged: Sequence[Row] = ()

    @property
    def oldest_read_at(self) -> datetime | None:
        """When the oldest figures that a filter went by were read."""
        return min((row.facts.read_at for row in self.judged if row.facts), default=None)

    def to_read(self, now: datetime) -> list[Place]:
        """Return the buckets to be read next: unknown ones, then shown ones that were read long ago."""
        old = [row for row in self.page.object_list if row.facts and not row.facts.is_fresh(now)]
        return [row.place for row in [*self.unread, *old] if not row.is_remembered][:PAGE_SIZE]

    def to_read_again(self) -> list[Place]:
        """Return what is shown, and then what a filter went by, the oldest first."""
        rest = sorted((row for row in self.judged if row.facts), key=_read_at)
        wanted = [row.place for row in [*self.page.object_list, *rest] if not row.is_remembered]
        return list(dict.fromkeys(wanted))[:PAGE_SIZE]


def buckets_read(connections: Iterable[Connection], *, now: datetime) -> list[Reading]:
    """Ask all connections for their buckets at the same time, and remember what they answered.

    One that fails or does not answer in time has its error in its reading, with the buckets that it listed
    before.
    """
    readings = buckets_ask(connections, timeout_s=LIST_TIMEOUT_S)
    for reading in readings:
        if reading.error is None:
            buckets_remember(reading.connection, reading.buckets, seen_at=now)
    return [_with_remembered(reading) if reading.error else reading for reading in readings]


def _with_remembered(reading: Reading) -> Reading:
    known = reading.connection.known_buckets.all()
    return replace(reading, buckets=[Bucket(one.name, one.region, one.created_at) for one in known])


def table_of(readings: Sequence[Reading], *, filters: Filters, number: str) -> Table:
    """Return a page of the buckets that were read, with what is remembered about them."""
    rows = [
        Row(reading.connection, bucket, is_remembered=reading.error is not None)
        for reading in readings
        for bucket in reading.buckets
    ]
    regions = sorted({row.bucket.region for row in rows})
    found = [row for row in rows if _is_found(row, filters)]
    unread: list[Row] = []
    judged: list[Row] = []
    if filters.need_facts:
        found = _with_facts(found)
        unread = [row for row in found if row.facts is None]
        judged = [row for row in found if row.facts]
        found = [row for row in found if row.facts and _is_like(row.facts, filters)]
    page = Paginator(_sorted(found, filters.sort), PAGE_SIZE).get_page(number)
    shown = _with_figures(list(page.object_list))
    if not filters.need_facts:
        shown = _with_facts(shown)
        unread = [row for row in shown if row.facts is None]
    page.object_list = shown
    return Table(page=page, regions=regions, total=len(rows), unread=unread, judged=judged)


def _read_at(row: Row) -> datetime:
    return row.facts.read_at if row.facts else LONG_AGO


def _with_facts(rows: Sequence[Row]) -> list[Row]:
    names = [row.bucket.name for row in rows] if len(rows) <= PAGE_SIZE else None
    known = facts_of({row.connection for row in rows}, buckets=names)
    return [replace(row, facts=known.get((row.connection.pk, row.bucket.name))) for row in rows]


def _with_figures(rows: Sequence[Row]) -> list[Row]:
    names: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        names[row.connection.pk].append(row.bucket.name)
    counted = {pk: figures_for(pk, there) for pk, there in names.items()}
    return [replace(row, figures=counted[row.connection.pk].get(row.bucket.name)) for row in rows]


def _is_found(row: Row, filters: Filters) -> bool:
    return filters.q.lower() in row.bucket.name and filters.region in ("", row.bucket.region)


def _is_like(facts: BucketFacts, filters: Filters) -> bool:
    is_tagged = not filters.tag or facts.has_tag(filters.tag)
    return is_tagged and (not filters.access or facts.access in ACCESS_FILTERS[filters.access])


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    keys = {
        "name": lambda row: (row.bucket.name,),
        "connection": lambda row: (row.connection.name, row.bucket.name),
        "region": lambda row: (row.bucket.region, row.bucket.name),
        "created": lambda row: (row.bucket.created_at or LONG_AGO, row.bucket.name),
    }
    return sorted(rows, key=keys[sort.removeprefix("-")], reverse=sort.startswith("-"))
