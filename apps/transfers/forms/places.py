"""Where a copy may go: any bucket of any connection that the person may write to, by connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.connections.models import Connection, Role
from apps.connections.rules import explain
from apps.connections.services import bucket_region, buckets_ask, buckets_remember

if TYPE_CHECKING:
    from apps.accounts.models import Person

# A page does not wait longer for the buckets of connections that nobody has looked into yet.
ASK_TIMEOUT_S = 3.0


@dataclass(frozen=True)
class Place:
    """A bucket of a connection."""

    connection: Connection
    bucket: str

    @property
    def region(self) -> str:
        """Where the bucket is, as far as it was seen, else from the store. Raises StorageError."""
        return bucket_region(self.connection, self.bucket)


@dataclass
class Offer:
    """Buckets as a field offers them: what cannot be chosen stays to be seen, with the reason."""

    places: dict[str, Place] = field(default_factory=dict)
    groups: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)


def places_offer(person: Person, *, own: Connection, bucket: str, region: str) -> Offer:
    """Return the buckets that this person may copy into, those of the own connection first.

    A value is the bucket's name, with the connection's slug before it where it is another one.
    """
    offer = Offer()
    others = list(Connection.objects.visible_to(person).exclude(pk=own.pk).prefetch_related("members"))
    problems = buckets_learn([one for one in others if may_write(one, person)])
    for connection in (own, *others):
        known = {bucket: region} if connection.pk == own.pk else {}
        problem = problems.get(connection.pk, "")
        if may_write(connection, person):
            known |= dict(connection.known_buckets.values_list("name", "region"))
        else:
            problem = _("needs the role “%(role)s” there") % {"role": Role.WRITER.label}
        _group_add(
            offer, connection, known, problem, prefix="" if connection == own else f"{connection.slug}/"
        )
    return offer


def _group_add(
    offer: Offer, connection: Connection, known: dict[str, str], problem: str, *, prefix: str
) -> None:
    """Add the buckets of a connection, or the one line that says why there are none to choose."""
    if known and not problem:
        places = {f"{prefix}{name}": Place(connection, name) for name in sorted(known)}
        offer.places |= places
        labels = [(value, f"{place.bucket} · {known[place.bucket]}") for value, place in places.items()]
    else:
        offer.refused.add(f"{connection.slug}/")
        labels = [(f"{connection.slug}/", problem or _("has no buckets"))]
    offer.groups.append((connection.name, labels))


class PlaceSelect(forms.Select):
    """Buckets by connection; those that are refused cannot be chosen."""

    refused: frozenset[str] = frozenset()

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(*args, **kwargs)
        if str(option["value"]) in self.refused:
            option["attrs"]["disabled"] = True
        return option


class PlaceField(forms.ChoiceField):
    """One of the buckets of an offer; its clean value is a Place."""

    widget = PlaceSelect

    def offer(self, offer: Offer) -> None:
        self.offered = offer
        self.choices = offer.groups
        self.widget.refused = frozenset(offer.refused)

    def clean(self, value: Any) -> Place:
        name = super().clean(value)
        place = self.offered.places.get(name)
        if place is None:
            raise ValidationError(_("Nothing can be stored there. Choose another bucket."))
        return place


def may_write(connection: Connection, person: Person) -> bool:
    role = connection.role_of(person)
    return role is not None and role >= Role.WRITER


def buckets_learn(connections: list[Connection]) -> dict[int, str]:
    """Ask connections of which no bucket is known yet; return why, of those that did not answer."""
    unknown = [one for one in connections if not one.known_buckets.exists()]
    problems: dict[int, str] = {}
    for reading in buckets_ask(unknown, timeout_s=ASK_TIMEOUT_S) if unknown else ():
        if reading.error is not None:
            problems[reading.connection.pk] = explain(reading.error).title
            continue
        buckets_remember(reading.connection, reading.buckets, seen_at=timezone.now())
    return problems
