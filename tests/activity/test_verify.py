from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection as database

from apps.accounts.models import Person
from apps.activity.services import activity_record, activity_verify

pytestmark = pytest.mark.django_db

WRITER = """
import django; django.setup()
from apps.accounts.models import Person
from apps.activity.services import activity_record
person = Person.objects.get(username="owner")
for number in range(%d):
    activity_record(person=person, verb="bucket.tags", after=number)
"""


def change(statement: str, *values: object) -> None:
    """Change the table as somebody with the database in hand would."""
    with database.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def entries(owner: Person) -> None:
    for number in range(5):
        activity_record(person=owner, verb="bucket.acl", bucket="b-1", after={"grants": number})


def test_empty_chain_holds() -> None:
    assert activity_verify().is_whole


def test_chain_of_untouched_entries_holds(entries: None) -> None:
    found = activity_verify()

    assert (found.count, found.broken) == (5, None)
    assert found.digest


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("after", '{"grants":7}'),
        ("before", "1"),
        ("person_name", "stranger"),
        ("person_id", 99),
        ("verb", "x"),
        ("connection", "x"),
        ("bucket", "x"),
        ("packed_key", "x"),
        ("request_id", "x"),
        ("job_id", "0" * 32),
        ("at", "2020-01-01 00:00:00"),
        ("previous_digest", "x"),
        ("digest", "x"),
    ],
)
def test_entry_that_was_changed_is_the_first_that_is_broken(
    entries: None, column: str, value: object
) -> None:
    change(f"UPDATE activity_entry SET {column} = %s WHERE sequence = 3", value)

    assert activity_verify().broken == 3


def test_entry_that_was_removed_leaves_a_gap(entries: None) -> None:
    change("DELETE FROM activity_entry WHERE sequence = 2")

    assert activity_verify().broken == 2


def test_newest_entries_that_were_cut_off_are_missed(entries: None) -> None:
    change("DELETE FROM activity_entry WHERE sequence > 3")

    assert activity_verify().broken == 4


def test_entries_that_changed_places_are_noticed(entries: None) -> None:
    change("UPDATE activity_entry SET sequence = 105 - sequence WHERE sequence IN (2, 3)")
    change("UPDATE activity_entry SET sequence = sequence - 100 WHERE sequence > 100")

    assert activity_verify().broken == 2


def test_command_says_whether_the_chain_holds(entries: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("activityverify")
    assert "5 entries" in capsys.readouterr().out

    change("UPDATE activity_entry SET verb = 'x' WHERE sequence = 4")
    with pytest.raises(CommandError, match="entry 4"):
        call_command("activityverify")


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_write_at_once_make_one_chain(owner: Person, tmp_path: Path) -> None:
    copy = tmp_path / "console.sqlite3"
    with sqlite3.connect(copy) as file:
        database.connection.backup(file)
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{copy}",
        "DJANGO_SETTINGS_MODULE": "console.settings",
    }

    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER % 30], env=environment, cwd=settings.BASE_DIR)
        for _ in range(2)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]

    said = subprocess.run(
        [sys.executable, "manage.py", "activityverify"],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "60 entries" in said.stdout
