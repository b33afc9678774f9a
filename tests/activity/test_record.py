from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection as database
from django.db import transaction

from apps.accounts.models import Person
from apps.activity.models import AppendOnly, Entry
from apps.activity.rules import DOCUMENT_MAX, WITHHELD
from apps.activity.services import activity_record

pytestmark = pytest.mark.django_db

HOSTILE = "a/\0\n\u202e<script>\"'%00%2F//../é😀 "


@dataclass(frozen=True)
class Grant:
    grantee: str
    rights: frozenset[str]
    at: datetime


def only() -> Entry:
    return Entry.objects.get()


def test_entry_says_who_did_what_where(owner: Person) -> None:
    job = uuid4()

    activity_record(
        person=owner,
        verb="bucket.tags",
        connection="local",
        bucket="b-1",
        key="k",
        before={"a": "1"},
        after={"a": "2"},
        request_id="NWZ",
        job=job,
    )

    entry = only()
    assert (entry.person, entry.person_name, entry.verb) == (owner, "owner", "bucket.tags")
    assert (entry.connection, entry.bucket, entry.key) == ("local", "b-1", "k")
    assert (entry.before_value, entry.after_value) == ({"a": "1"}, {"a": "2"})
    assert (entry.request_id, entry.job_id, entry.sequence) == ("NWZ", job, 1)


def test_entries_follow_one_another(owner: Person) -> None:
    for number in range(3):
        activity_record(person=owner, verb="bucket.acl", after=number)

    entries = list(Entry.objects.order_by("sequence"))
    assert [entry.sequence for entry in entries] == [1, 2, 3]
    assert [entry.previous_digest for entry in entries] == ["", entries[0].digest, entries[1].digest]


def test_hostile_key_comes_back_as_it_was_and_is_stored_as_plain_text(owner: Person) -> None:
    for key in (HOSTILE, "half a pair \ud800"):
        activity_record(person=owner, verb="object.acl", key=key, before={key: key}, bucket="b\0")

    for entry, key in zip(Entry.objects.order_by("sequence"), (HOSTILE, "half a pair \ud800"), strict=True):
        assert entry.key == key
        assert entry.before_value == {key: key}
        for text in (entry.packed_key, entry.before, entry.bucket):
            assert "\0" not in text
        assert entry.packed_key.isascii()
        assert entry.before.isascii()


def test_nothing_that_looks_like_a_secret_is_kept(owner: Person) -> None:
    url = "https://b.cos.example/k?q-sign-algorithm=sha1&q-ak=AKID&q-signature=abcdef"

    activity_record(
        person=owner,
        verb="share.create",
        before={"SecretKey": "s3cr3t", "token": "t0k3n", "url": url, "list": [{"Authorization": "q-x"}]},
        after=url,
        key=url,
        request_id=url,
    )

    kept = json.dumps([only().before, only().after, only().packed_key, only().request_id])
    for secret in ("s3cr3t", "t0k3n", "abcdef", "q-x"):
        assert secret not in kept
    assert only().after_value == WITHHELD


def test_secret_id_and_a_name_with_sign_in_it_are_no_secrets(owner: Person) -> None:
    activity_record(person=owner, verb="v", after={"secret_id": "AKID…", "design": "blue", "token": ""})

    assert only().after_value == {"secret_id": "AKID…", "design": "blue", "token": ""}


def test_dataclasses_sets_and_times_become_documents(owner: Person) -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)

    activity_record(person=owner, verb="v", after=[Grant("everyone", frozenset({"WRITE", "READ"}), at)])

    expected = {"grantee": "everyone", "rights": ["READ", "WRITE"], "at": "2026-01-02T00:00:00+00:00"}
    assert only().after_value == [expected]


def test_document_of_any_size_is_kept_as_its_digest(owner: Person) -> None:
    activity_record(person=owner, verb="v", after="x" * (DOCUMENT_MAX + 1))

    assert set(only().after_value) == {"size", "sha256"}


def test_nobody_may_change_or_remove_an_entry(owner: Person) -> None:
    activity_record(person=owner, verb="v")
    entry = only()

    for change in (
        entry.save,
        entry.delete,
        Entry.objects.all().delete,
        lambda: Entry.objects.update(verb="w"),
        lambda: Entry.objects.bulk_update([entry], ["verb"]),
    ):
        with pytest.raises(AppendOnly):
            change()

    assert only().verb == "v"


def test_entry_outlives_the_person(owner: Person) -> None:
    activity_record(person=owner, verb="v")
    pk = owner.pk

    owner.delete()

    assert (only().person_id, only().person_name) == (pk, "owner")
    assert only().digest == only().digest_computed()


def test_entry_is_undone_with_what_it_tells(owner: Person) -> None:
    with transaction.atomic():
        activity_record(person=owner, verb="v")
        transaction.set_rollback(True)

    activity_record(person=owner, verb="w")

    assert (only().verb, only().sequence) == ("w", 1)


def test_log_that_cannot_be_written_stops_nobody_and_is_not_silent(
    owner: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with database.cursor() as cursor:
        cursor.execute("DROP TABLE activity_entry")

    with caplog.at_level(logging.ERROR), transaction.atomic():
        activity_record(person=owner, verb="v")
        assert Person.objects.filter(pk=owner.pk).exists()

    assert "could not be added" in caplog.text


def test_work_of_nobody_is_recorded_too() -> None:
    activity_record(person=None, verb="batch.end")

    assert (only().person_id, only().person_name) == (None, "")
