from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person
from apps.connections.models import Connection, ConnectionMember
from apps.sharing.models import ShareLink

URL = "/links/"
FORGET = "/links/forget/"


@pytest.fixture
def made(connection: Connection) -> Callable[..., ShareLink]:
    def make(person: Person, key: str, *, hours: int = 1) -> ShareLink:
        now = timezone.now()
        return ShareLink.objects.create(
            person=person,
            made_by=person.username,
            connection=connection,
            bucket="b-1250000000",
            key=key,
            signed_by="AKID…1234",
            created_at=now,
            expires_at=now + timedelta(hours=hours),
        )

    return make


def shown(client: Client, **query: str) -> str:
    return unescape(client.get(URL, query).content.decode())


def test_members_see_their_own_links(
    owner: Person, member: Person, member_client: Client, made: Callable[..., ShareLink]
) -> None:
    made(member, "mine.txt")
    made(owner, "theirs.txt")

    for who in ("mine", "all"):
        page = shown(member_client, who=who)

        assert "mine.txt" in page
        assert "theirs.txt" not in page
    assert 'name="who"' not in page


def test_administrators_see_all_links_of_their_connections(
    member: Person, owner_client: Client, made: Callable[..., ShareLink]
) -> None:
    made(member, "members.txt")

    assert "members.txt" not in shown(owner_client)
    assert "members.txt" in shown(owner_client, who="all")


def test_stranger_sees_none(owner: Person, stranger_client: Client, made: Callable[..., ShareLink]) -> None:
    made(owner, "secret.txt")

    assert "secret.txt" not in shown(stranger_client, who="all", state="all")


def test_person_who_was_shut_out_sees_the_own_ones_no_more(
    member: Person, member_client: Client, made: Callable[..., ShareLink]
) -> None:
    made(member, "mine.txt")
    ConnectionMember.objects.all().delete()

    assert "mine.txt" not in shown(member_client, state="all")


def test_expired_links_are_apart_and_said_to_be(
    owner: Person, owner_client: Client, made: Callable[..., ShareLink]
) -> None:
    made(owner, "working.txt")
    made(owner, "over.txt", hours=-1)

    active, expired, both = (shown(owner_client, state=state) for state in ("active", "expired", "all"))

    assert "working.txt" in active
    assert "over.txt" not in active
    assert "over.txt" in expired
    assert "working.txt" not in expired
    assert "working.txt" in both
    assert "over.txt" in both
    assert "key AKID…1234 is disabled" in active


def test_only_expired_links_are_forgotten_and_only_once(
    owner: Person, member: Person, member_client: Client, made: Callable[..., ShareLink]
) -> None:
    working = made(member, "working.txt")
    made(member, "over.txt", hours=-1)
    others = made(owner, "others.txt", hours=-1)

    first = unescape(member_client.post(FORGET, follow=True).content.decode())
    second = unescape(member_client.post(FORGET, follow=True).content.decode())

    assert "Forgot 1 expired link." in first
    assert "Forgot 0 expired links." in second
    assert set(ShareLink.objects.all()) == {working, others}


def test_links_of_a_person_who_is_gone_keep_the_name(
    member: Person, owner_client: Client, made: Callable[..., ShareLink]
) -> None:
    made(member, "left.txt")
    member.delete()

    page = shown(owner_client, who="all")

    assert "left.txt" in page
    assert "member" in page


def test_filters_are_in_the_address(
    owner: Person, owner_client: Client, connection: Connection, made: Callable[..., ShareLink]
) -> None:
    made(owner, "a/one.txt")
    made(owner, "a/two.txt")

    page = shown(owner_client, q="two", connection=connection.slug, state="nonsense")
    part = owner_client.get(URL, {"q": "zzz"}, headers={"HX-Request": "true"}).content.decode()

    assert "a/two.txt" in page
    assert "a/one.txt" not in page
    assert "No link matches these filters." in part
    assert "<html" not in part


def test_forgetting_is_posted(owner_client: Client) -> None:
    assert owner_client.get(FORGET).status_code == 405
