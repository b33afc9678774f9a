"""Favorites and recent places: the folders that a person comes back to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from apps.connections.models import Connection, Place
from apps.storage.keys import key_pack

if TYPE_CHECKING:
    from apps.accounts.models import Person

# Who pages through a folder visits it once.
VISIT_FRESH = timedelta(minutes=1)
RECENT_MAX = 30
FAVORITES_MAX = 100


class TooManyFavorites(Exception):
    """A person has as many favorites as a list can show."""


def place_visit(*, person: Person, connection: Connection, bucket: str, prefix: str, now: datetime) -> Place:
    """This will remember that a person looked into a folder; at most one write a minute and folder.

    Beyond RECENT_MAX the places that were not visited for longest are forgotten, favorites never.
    """
    place = place_find(person=person, connection=connection, bucket=bucket, prefix=prefix)
    if place is None:
        place, _ = Place.objects.get_or_create(
            person=person,
            connection=connection,
            digest=_digest(bucket, prefix),
            defaults={"bucket": bucket, "packed_prefix": key_pack(prefix), "visited_at": now},
        )
        _forget_old(person)
    elif place.visited_at < now - VISIT_FRESH:
        Place.objects.filter(pk=place.pk).update(visited_at=now)
    return place


def place_star(
    *, person: Person, connection: Connection, bucket: str, prefix: str, is_favorite: bool, now: datetime
) -> Place:
    """This will put a star on a folder or take it away; done twice it stays as it is.

    Raises TooManyFavorites.
    """
    favorites = Place.objects.filter(person=person, is_favorite=True)
    if is_favorite and favorites.count() >= FAVORITES_MAX:
        raise TooManyFavorites
    place = place_visit(person=person, connection=connection, bucket=bucket, prefix=prefix, now=now)
    Place.objects.filter(pk=place.pk).update(is_favorite=is_favorite)
    place.is_favorite = is_favorite
    return place


def place_find(*, person: Person, connection: Connection, bucket: str, prefix: str) -> Place | None:
    return Place.objects.filter(person=person, connection=connection, digest=_digest(bucket, prefix)).first()


def places_of(person: Person) -> Sequence[Place]:
    """Return favorites by name and then recent places, latest first, of connections that are still theirs."""
    places = Place.objects.filter(person=person, connection__in=Connection.objects.visible_to(person))
    found = list(places.select_related("connection"))
    favorites = sorted(
        (place for place in found if place.is_favorite), key=lambda place: (place.bucket, place.packed_prefix)
    )
    return [*favorites, *(place for place in found if not place.is_favorite)]


def _forget_old(person: Person) -> None:
    recent = Place.objects.filter(person=person, is_favorite=False)
    old = list(recent.values_list("pk", flat=True)[RECENT_MAX:])
    if old:
        Place.objects.filter(pk__in=old).delete()


def _digest(bucket: str, prefix: str) -> str:
    return sha256(f"{bucket}\0{key_pack(prefix)}".encode()).hexdigest()
