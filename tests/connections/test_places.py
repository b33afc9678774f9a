from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import Person
from apps.connections.models import Connection, ConnectionMember, Place
from apps.connections.places import FAVORITES_MAX, RECENT_MAX, place_star, place_visit, places_of

HOSTILE = "a/\0\n<script>\"'%2F/../"


def visit(person: Person, connection: Connection, prefix: str, minutes: int = 0) -> Place:
    now = timezone.now() + timedelta(minutes=minutes)
    return place_visit(person=person, connection=connection, bucket="b-1", prefix=prefix, now=now)


def test_visit_is_remembered_once(owner: Person, connection: Connection) -> None:
    first = visit(owner, connection, HOSTILE)
    second = visit(owner, connection, HOSTILE, minutes=2)

    place = Place.objects.get()
    assert first.pk == second.pk == place.pk
    assert place.prefix == HOSTILE
    assert place.packed_prefix.isascii()
    assert place.visited_at > first.visited_at


def test_visits_within_a_minute_write_nothing(
    owner: Person, connection: Connection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    visit(owner, connection, "a/")

    with django_assert_num_queries(1):
        visit(owner, connection, "a/")


def test_oldest_visits_are_forgotten_and_favorites_kept(owner: Person, connection: Connection) -> None:
    now = timezone.now()
    place_star(person=owner, connection=connection, bucket="b-1", prefix="star/", is_favorite=True, now=now)
    for number in range(RECENT_MAX + 5):
        visit(owner, connection, f"{number}/", minutes=number + 1)

    places = places_of(owner)
    assert [place.prefix for place in places][:2] == ["star/", f"{RECENT_MAX + 4}/"]
    assert len(places) == RECENT_MAX + 1


def test_places_of_a_connection_that_is_no_longer_theirs_are_not_shown(
    member: Person, connection: Connection
) -> None:
    visit(member, connection, "a/")

    ConnectionMember.objects.all().delete()

    assert places_of(member) == []


@pytest.fixture
def star_url(connection: Connection) -> str:
    return reverse("places:toggle", args=[connection.slug, "b-1"]) + "?prefix=a%2Fb/"


def test_star_is_put_and_taken_away(owner_client: Client, star_url: str) -> None:
    for value in ("1", "1"):
        response = owner_client.post(star_url, {"is_favorite": value})
        assert response.status_code == 302
        assert response["Location"].endswith("/objects/?prefix=a/b/")
        assert Place.objects.get().is_favorite

    response = owner_client.post(star_url, {"is_favorite": "0"}, headers={"HX-Request": "true"})
    assert 'aria-pressed="false"' in response.text
    assert not Place.objects.get().is_favorite


def test_reader_may_have_favorites_too(member_client: Client, star_url: str) -> None:
    assert member_client.post(star_url, {"is_favorite": "1"}).status_code == 302


def test_stranger_learns_nothing_from_a_star(stranger_client: Client, star_url: str) -> None:
    assert stranger_client.post(star_url, {"is_favorite": "1"}).status_code == 404
    assert not Place.objects.exists()


def test_page_learns_its_star_and_leaves_a_visit(
    owner_client: Client, connection: Connection, star_url: str
) -> None:
    owner_client.post(star_url, {"is_favorite": "1"})

    url = reverse("places:visit", args=[connection.slug, "b-1"]) + "?prefix=a%2Fb/"
    response = owner_client.post(url, headers={"HX-Request": "true"})

    assert 'aria-pressed="true"' in response.text
    assert "<html" not in response.text


def test_more_favorites_than_fit_are_refused_in_words(
    owner: Person, owner_client: Client, connection: Connection, star_url: str
) -> None:
    now = timezone.now()
    Place.objects.bulk_create(
        Place(
            person=owner, connection=connection, bucket="b", digest=str(n), is_favorite=True, visited_at=now
        )
        for n in range(FAVORITES_MAX)
    )

    response = owner_client.post(star_url, {"is_favorite": "1"}, headers={"HX-Request": "true"})

    assert response.status_code == 409
    assert "as many favorites as fit" in response.text
    assert Place.objects.count() == FAVORITES_MAX
