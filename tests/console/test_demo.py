from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.connections.services import connection_delete, store_for
from apps.localstore.accounts import Account
from apps.localstore.server import LocalStore
from console.demo import demo_ensure
from console.demo.contents import EVERYBODY, demo_buckets
from console.supervisor.datafolder import DataFolder

OWNER = Account(secret_id="AKIDDEMODEMODEMODEMODEMODEMO", secret_key="demo-secret-key-of-the-tests")


@pytest.fixture
def demo_store(tmp_path: Path) -> Any:
    server = LocalStore(data=tmp_path / "store", accounts=[OWNER], host="127.0.0.1", port=0)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.prepare()
    return folder


def test_first_run_fills_three_buckets_in_two_regions(
    demo_store: LocalStore, folder: DataFolder, owner: Person
) -> None:
    told = demo_ensure(folder, owner=owner, port=demo_store.port, account=OWNER)

    connection = Connection.objects.get()
    buckets = store_for(connection).list_buckets()
    assert told == []
    assert connection.owner == owner
    assert Counter(bucket.region for bucket in buckets) == {"ap-guangzhou": 2, "ap-singapore": 1}
    for bucket in demo_buckets():
        listing = store_for(connection).list_objects(bucket=bucket.name, region=bucket.region)
        assert {item.key for item in listing.objects} == {item.key for item in bucket.objects}
        assert {item.key: item.size for item in listing.objects} == {
            item.key: len(item.data) for item in bucket.objects
        }


def test_second_run_changes_nothing(demo_store: LocalStore, folder: DataFolder, owner: Person) -> None:
    demo_ensure(folder, owner=owner, port=demo_store.port, account=OWNER)

    demo_ensure(folder, owner=owner, port=demo_store.port, account=OWNER)

    assert Connection.objects.count() == 1


def test_deleted_demo_stays_away(demo_store: LocalStore, folder: DataFolder, owner: Person) -> None:
    demo_ensure(folder, owner=owner, port=demo_store.port, account=OWNER)
    connection_delete(Connection.objects.get())

    demo_ensure(folder, owner=owner, port=demo_store.port, account=OWNER)

    assert not Connection.objects.exists()


def test_new_database_gets_the_demo_again(demo_store: LocalStore, folder: DataFolder, owner: Person) -> None:
    demo_ensure(folder, owner=owner, port=demo_store.port, account=OWNER)
    Person.objects.all().delete()
    newcomer = Person.objects.create_user("newcomer")

    demo_ensure(folder, owner=newcomer, port=demo_store.port, account=OWNER)

    assert Connection.objects.get().owner == newcomer


def test_demo_follows_the_store_to_another_port(
    demo_store: LocalStore, folder: DataFolder, owner: Person
) -> None:
    demo_ensure(folder, owner=owner, port=demo_store.port, account=OWNER)

    demo_ensure(folder, owner=owner, port=4711, account=OWNER)

    assert Connection.objects.get().connect_to == "127.0.0.1:4711"


def test_store_that_is_away_gets_a_sentence_and_another_try(folder: DataFolder, owner: Person) -> None:
    told = demo_ensure(folder, owner=owner, port=1, account=OWNER)

    assert len(told) == 1
    assert "next start tries again" in told[0]
    assert not Connection.objects.exists()
    assert not folder.read("demo")


def test_there_is_something_to_find() -> None:
    website, team, archive = demo_buckets()

    assert website.grants == {"ACL": "public-read"}
    assert any(rule["AllowedOrigins"] == ["*"] for rule in website.cors)
    assert EVERYBODY in json.dumps(archive.grants)
    assert not team.grants
    assert sum(len(bucket.objects) for bucket in demo_buckets()) > 300
    assert max(len(item.data) for item in team.objects) >= 20 * 1024 * 1024
    assert len({item.key.rpartition(".")[2] for item in (*website.objects, *team.objects)}) > 15
    assert all(len(item.key.encode()) <= 850 for bucket in demo_buckets() for item in bucket.objects)
