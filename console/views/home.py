"""The first page: what needs a person, what runs, where they were, what is open to everybody.

Everything comes from the database: nobody waits for a store to see the first page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.access.rules.acl import AccessKind
from apps.activity.models import Entry
from apps.buckets.models import BucketFacts
from apps.connections.models import Connection, KnownBucket
from apps.connections.places import places_of
from apps.jobs.models import Job
from apps.jobs.services import rows_of

if TYPE_CHECKING:
    from apps.accounts.models import Person

JOBS_MAX = 6
PLACES_MAX = 12
FIRST_MAX = 6
PUBLIC_MAX = 12
ENTRIES_MAX = 8
ATTENTION = (Job.State.PARKED, Job.State.PLANNED)
OPEN = (AccessKind.PUBLIC_WRITE, AccessKind.PUBLIC_READ, AccessKind.SIGNED_IN)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    person = cast("Person", request.user)
    if request.headers.get("HX-Request"):
        return render(request, "home.html#home-jobs", _jobs(person))
    connections = Connection.objects.visible_to(person)
    count = connections.count()
    context = {"now": timezone.now(), "connection_count": count}
    if count:
        context |= _jobs(person) | _places(person) | _open_buckets(person) | _entries(person)
    return render(request, "home.html", context)


def _jobs(person: Person) -> dict[str, Any]:
    """Return what waits for the person and what runs; those of others are on the page of jobs."""
    active = Job.objects.filter(owner=person).active().topmost().select_related("owner")
    waiting, running = active.filter(state__in=ATTENTION), active.exclude(state__in=ATTENTION)
    return {
        "attention": rows_of(waiting[:JOBS_MAX]),
        "attention_count": waiting.count(),
        "running": rows_of(running[:JOBS_MAX]),
        "running_count": running.count(),
        "read_at": timezone.now(),
    }


def _places(person: Person) -> dict[str, Any]:
    """Return where the person was, and for whoever was nowhere yet some buckets to begin with."""
    places = places_of(person)
    known = KnownBucket.objects.filter(connection__in=Connection.objects.visible_to(person))
    return {
        "first": [] if places else known.select_related("connection").order_by("name")[:FIRST_MAX],
        "favorites": [place for place in places if place.is_favorite],
        "recent": [place for place in places if not place.is_favorite][:PLACES_MAX],
    }


def _open_buckets(person: Person) -> dict[str, Any]:
    """Return the buckets that people outside get into, by what was last read of them."""
    visible = Connection.objects.visible_to(person)
    facts = BucketFacts.objects.filter(connection__in=visible)
    found = facts.filter(access__in=OPEN).select_related("connection").order_by("read_at")
    oldest = facts.order_by("read_at").values_list("read_at", flat=True).first()
    return {
        "public": found[:PUBLIC_MAX],
        "public_count": found.count(),
        "facts_count": facts.count(),
        "facts_oldest": oldest,
        "bucket_count": KnownBucket.objects.filter(connection__in=visible).count(),
    }


def _entries(person: Person) -> dict[str, Any]:
    administered = Connection.objects.administered_by(person).values_list("slug", "created_at")
    return {"entries": Entry.objects.visible_to(person, administered=administered)[:ENTRIES_MAX]}
