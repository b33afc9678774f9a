from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Person
from apps.activity.models import Entry
from apps.activity.services import activity_record
from apps.connections.models import Connection
from tests.conftest import client_of


@pytest.fixture
def entries(owner: Person, writer: Person, stranger: Person, connection: Connection) -> None:
    """One entry of each person: of the owner and a writer in the connection, of a stranger elsewhere."""
    slug = connection.slug
    activity_record(
        person=owner,
        verb="bucket.tags",
        connection=slug,
        bucket="photos-1",
        before={"team": "red"},
        after={"team": "blue"},
        request_id="NWZ-1",
    )
    activity_record(person=writer, verb="object.acl", connection=slug, bucket="photos-1", key="a/\0<b>.txt")
    activity_record(person=stranger, verb="bucket.create", connection="elsewhere", bucket="hidden-1")


def text_of(client: Client, **query: str) -> str:
    response = client.get(reverse("activity:list"), query)
    assert response.status_code == 200
    return response.text


def test_administrator_sees_what_happened_in_the_connection(owner_client: Client, entries: None) -> None:
    text = text_of(owner_client)

    assert "changed the tags" in text
    assert "writer" in text
    assert "NWZ-1" in text
    assert "hidden-1" not in text


def test_entry_shows_what_was_before_and_after(owner_client: Client, entries: None) -> None:
    text = text_of(owner_client, verb="bucket.tags")

    assert '<del><bdi class="key">red</bdi></del>' in text
    assert '<ins><bdi class="key">blue</bdi></ins>' in text


def test_hostile_key_is_shown_as_text(owner_client: Client, entries: None) -> None:
    text = text_of(owner_client)

    assert "␀" in text
    assert "<b>.txt" not in text


def test_others_see_only_what_they_did(writer_client: Client, member_client: Client, entries: None) -> None:
    assert "object.acl" in text_of(writer_client, verb="object.acl")
    assert "NWZ-1" not in text_of(writer_client)
    assert "There is no entry that you may see." in text_of(member_client)
    assert "Nothing was changed yet." not in text_of(member_client)


def test_stranger_sees_nothing_of_the_connection(stranger_client: Client, entries: None) -> None:
    text = text_of(stranger_client)

    assert "hidden-1" in text
    assert "photos-1" not in text


def test_entries_from_before_the_connection_was_made_belong_to_another_one(
    owner_client: Client, connection: Connection, stranger: Person
) -> None:
    activity_record(person=stranger, verb="bucket.create", connection=connection.slug, bucket="theirs-1")
    Connection.objects.update(created_at=timezone.now() + timedelta(seconds=1))

    assert "theirs-1" not in text_of(owner_client)
    history = owner_client.get(reverse("activity:bucket", args=[connection.slug, "theirs-1"]))
    assert "Nothing was changed" in history.text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"person": "WRIT"}, 1),
        ({"verb": "bucket.tags"}, 1),
        ({"connection": "local"}, 2),
        ({"bucket": "photos-1"}, 2),
        ({"bucket": "b-2"}, 0),
        ({"key": "<b"}, 1),
        ({"since": "2000-01-01", "until": "2999-01-01"}, 2),
        ({"until": "2000-01-01"}, 0),
        ({"since": "0001-01-01", "until": "9999-12-31"}, 2),
    ],
)
def test_filters(owner_client: Client, entries: None, query: dict[str, str], count: int) -> None:
    response = owner_client.get(reverse("activity:list"), query)

    assert len(response.context["rows"]) == count


def test_date_that_is_none_is_said_next_to_the_field(owner_client: Client, entries: None) -> None:
    response = owner_client.get(reverse("activity:list"), {"since": "yesterday", "person": "kept"})

    assert response.status_code == 422
    assert "Enter a valid date." in response.text
    assert "kept" in response.text


def test_pages_are_turned_by_entry(owner_client: Client, owner: Person, connection: Connection) -> None:
    for number in range(120):
        activity_record(person=owner, verb="bucket.tags", bucket=f"n{number}-1", connection=connection.slug)

    first = owner_client.get(reverse("activity:list"))
    activity_record(person=owner, verb="bucket.tags", bucket="late-1")
    second = owner_client.get(reverse("activity:list") + first.context["older_url"])
    third = owner_client.get(reverse("activity:list") + second.context["older_url"])
    back = owner_client.get(reverse("activity:list") + second.context["newer_url"])

    pages = [[row.entry.sequence for row in page.context["rows"]] for page in (first, second, third)]
    assert pages == [list(range(120, 70, -1)), list(range(70, 20, -1)), list(range(20, 0, -1))]
    assert [row.entry.sequence for row in back.context["rows"]] == pages[0]
    assert third.context["older_url"] == ""


def test_fragment_is_the_list_alone(owner_client: Client, entries: None) -> None:
    text = owner_client.get(reverse("activity:list"), headers={"HX-Request": "true"}).text

    assert text.lstrip().startswith('<div id="activity-list"')


def test_csv_holds_what_the_page_shows(owner_client: Client, owner: Person, entries: None) -> None:
    activity_record(person=owner, verb="object.delete", key="=cmd|' /C calc'!A0")

    response = owner_client.get(reverse("activity:export-csv"), {"person": "owner"})

    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert [row["verb"] for row in rows] == ["bucket.tags", "object.delete"]
    assert rows[1]["key"].startswith("'=")
    assert "attachment" in response["Content-Disposition"]


def test_json_holds_documents(owner_client: Client, entries: None) -> None:
    found = json.loads(owner_client.get(reverse("activity:export-json")).getvalue())
    none = json.loads(owner_client.get(reverse("activity:export-json"), {"bucket": "no"}).getvalue())

    assert [row["sequence"] for row in found] == [1, 2]
    assert found[0]["after"] == {"team": "blue"}
    assert found[1]["key"] == "a/\0<b>.txt"
    assert none == []


def test_export_of_a_stranger_holds_nothing_of_others(stranger_client: Client, entries: None) -> None:
    assert b"photos-1" not in stranger_client.get(reverse("activity:export-json")).getvalue()


def test_reader_sees_the_history_of_a_bucket(
    member_client: Client, connection: Connection, entries: None
) -> None:
    response = member_client.get(reverse("activity:bucket", args=[connection.slug, "photos-1"]))

    assert "changed the tags" in response.text
    assert "changed the access of the object" in response.text
    assert "hidden-1" not in response.text


def test_administrator_of_the_console_checks_the_chain(entries: None) -> None:
    client = client_of(Person.objects.create_superuser("root", password="correct horse battery"))

    response = client.get(reverse("activity:check"))

    assert "The chain holds: 3 entries" in response.text
    assert Entry.objects.first().digest in response.text  # type: ignore[union-attr]


def test_nobody_else_checks_the_chain(owner_client: Client, entries: None) -> None:
    assert owner_client.get(reverse("activity:check")).status_code == 403


def test_connections_and_members_leave_entries_without_a_secret(
    owner_client: Client, connection: Connection, stranger: Person
) -> None:
    detail = reverse("connections:detail", args=[connection.slug])
    form = {"name": "Renamed", "provider": "cos", "scheme": "http", "connect_to": connection.connect_to}
    form |= {"appid": connection.appid, "secret_id": connection.secret_id, "secret_key": "another-key"}
    owner_client.post(detail, form | {"suffix": connection.suffix})
    add = reverse("connections:member-add", args=[connection.slug])
    owner_client.post(add, {"person": stranger.username, "role": "1"})

    entries = list(Entry.objects.order_by("sequence"))
    assert [entry.verb for entry in entries] == ["connection.update", "member.set"]
    assert entries[0].after_value["name"] == "Renamed"
    assert "another-key" not in entries[0].after
    assert entries[1].after_value == {"stranger": "reader"}
