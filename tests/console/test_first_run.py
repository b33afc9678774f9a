from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from apps.accounts.models import Person
from apps.connections.models import Connection
from console.first_run import connections_prepare, embedded_store, sign_in_path
from console.supervisor.datafolder import DataFolder
from console.supervisor.failures import CannotStart

COS = {"COS_SECRET_ID": "AKIDENVIRONMENT", "COS_SECRET_KEY": "key", "COS_REGION": "ap-beijing"}


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.prepare()
    return folder


def test_link_signs_the_administrator_in_once(db: None) -> None:
    path = sign_in_path()

    first, second = Client(), Client()

    assert first.post(path).status_code == 302
    assert Person.objects.get(pk=first.session["_auth_user_id"]).is_superuser
    assert second.post(path).status_code != 302
    assert sign_in_path() != path


def test_environment_makes_one_connection_and_no_demo(db: None, folder: DataFolder) -> None:
    for _ in range(2):
        connections_prepare(folder, store=None, environ=COS)

    connection = Connection.objects.get()
    assert (connection.secret_id, connection.default_region) == ("AKIDENVIRONMENT", "ap-beijing")
    assert connection.owner.is_superuser


def test_store_keeps_its_account_and_its_port(folder: DataFolder) -> None:
    first = embedded_store(folder, wanted_port=0)

    second = embedded_store(folder, wanted_port=0)

    assert first == second
    assert first.account.secret_key not in repr(first)
    assert (folder.path / "store" / "accounts.json").stat().st_mode & 0o077 == 0


def test_unreadable_accounts_get_a_sentence(folder: DataFolder) -> None:
    (folder.path / "store").mkdir()
    (folder.path / "store" / "accounts.json").write_text(json.dumps({"not": "a list"}))

    with pytest.raises(CannotStart, match="repair or remove it"):
        embedded_store(folder, wanted_port=0)
