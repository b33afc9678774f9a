"""Further accounts, users and temporary keys, made over the control channel."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from apps.localstore import Account, LocalStore
from apps.localstore.accounts import Directory
from apps.localstore.control_accounts import Register
from apps.localstore.serve import ServeError, ServeOptions, store_start
from tests.localstore.conftest import CONTROL, OWNER, Connect
from tests.localstore.test_faults import control
from tests.localstore.wire import Wire

Make = Callable[..., tuple[Account, dict[str, Any]]]


@pytest.fixture
def make(store: LocalStore, connect: Connect) -> Make:
    def one(**wanted: object) -> tuple[Account, dict[str, Any]]:
        reply = control(store, connect, "POST", "/-/accounts", {"kept": False} | wanted)
        assert reply.status == 200, reply.body
        row = json.loads(reply.body)
        return Account(**{name: value for name, value in row.items() if name != "grantee"}), row

    return one


def test_new_root_has_buckets_of_its_own(make: Make, connect: Connect, wire: Wire) -> None:
    root, _ = make()
    name = f"own-{root.appid}"
    theirs = connect(root, to=name)

    assert theirs.call("PUT", "/").status == 200

    assert [b.findtext("Name") for b in connect(root, to="").call("GET", "/").xml.iter("Bucket")] == [name]
    assert wire.call("GET", "/").status == 200
    assert connect(root).call("GET", "/").code == "AccessDenied"
    assert connect(OWNER, to=name).call("GET", "/").code == "AccessDenied"
    assert connect(OWNER, to=name).call("PUT", "/").code == "BucketAlreadyExists"
    assert theirs.call("DELETE", "/").status == 204


def test_grant_reaches_the_user_and_not_its_root(make: Make, connect: Connect, wire: Wire) -> None:
    root, _ = make()
    user, shown = make(root_uin=root.root_uin, sub_uin="100000000777")

    wire.call("PUT", "/?acl", x_cos_grant_read=f'id="{shown["grantee"]}"')

    assert shown["grantee"] == f"qcs::cam::uin/{root.root_uin}:uin/100000000777"
    assert connect(user).call("GET", "/").status == 200
    assert connect(root).call("GET", "/").status == 403


def test_grant_to_a_root_does_not_reach_its_users(make: Make, connect: Connect, wire: Wire) -> None:
    root, _ = make()
    user, _ = make(root_uin=root.root_uin)

    wire.call("PUT", "/?acl", x_cos_grant_read=f'id="{root.root_uin}"')

    assert connect(root).call("GET", "/").status == 200
    assert connect(user).call("GET", "/").status == 403


@pytest.mark.parametrize(
    ("canned", "statuses"), [("public-read", [200, 200]), ("authenticated-read", [200, 403])]
)
def test_groups_hold_users_and_strangers(
    make: Make, connect: Connect, wire: Wire, canned: str, statuses: list[int]
) -> None:
    root, _ = make()
    user, _ = make(root_uin=root.root_uin)

    wire.call("PUT", "/?acl", x_cos_acl=canned)

    assert [connect(who).call("GET", "/").status for who in (user, None)] == statuses


def test_temporary_keys_work_with_their_token_until_they_end(
    make: Make, connect: Connect, wire: Wire
) -> None:
    lasting, _ = make(secret_id=OWNER.secret_id, seconds=600)
    ended, _ = make(secret_id=OWNER.secret_id, seconds=-1)
    assert lasting.token is not None
    assert ended.token is not None

    assert connect(lasting).call("PUT", "/k", b"x", x_cos_security_token=lasting.token).status == 200
    assert connect(lasting).call("GET", "/k").code == "InvalidAccessKeyId"
    assert connect(lasting).call("GET", "/k", x_cos_security_token=ended.token).code == "ExpiredToken"
    reply = connect(ended).call("GET", "/k", x_cos_security_token=ended.token)
    assert (reply.status, reply.code) == (400, "ExpiredToken")


def test_forgotten_keys_are_unknown(store: LocalStore, make: Make, connect: Connect) -> None:
    root, _ = make()
    target = f"/-/accounts?secret_id={root.secret_id}"

    assert control(store, connect, "DELETE", target).status == 204

    assert connect(root, to="").call("GET", "/").code == "InvalidAccessKeyId"
    assert control(store, connect, "DELETE", target).status == 404


def test_list_tells_no_secret(store: LocalStore, make: Make, connect: Connect) -> None:
    root, _ = make()

    reply = control(store, connect, "GET", "/-/accounts")

    assert root.secret_id in [row["secret_id"] for row in json.loads(reply.body)]
    assert root.secret_key.encode() not in reply.body
    assert OWNER.secret_key.encode() not in reply.body


@pytest.mark.parametrize(
    "wanted",
    [
        [],
        {"name": "somebody"},
        {"root_uin": "42"},
        {"root_uin": OWNER.root_uin, "sub_uin": "x"},
        {"secret_id": "AKIDNOBODY"},
        {"secret_id": OWNER.secret_id, "seconds": "soon"},
        {"secret_id": OWNER.secret_id, "seconds": 1e999},
    ],
)
def test_nonsense_makes_nobody(store: LocalStore, connect: Connect, wanted: object) -> None:
    before = control(store, connect, "GET", "/-/accounts").body

    assert control(store, connect, "POST", "/-/accounts", wanted).status == 400

    assert control(store, connect, "GET", "/-/accounts").body == before
    assert control(store, connect, "PUT", "/-/accounts", {}).status == 405


def test_accounts_need_the_control_token(store: LocalStore, connect: Connect) -> None:
    wrong = {"x-localstore-control": "wrong"}

    assert control(store, connect, "POST", "/-/accounts", {}, **wrong).status == 404


def test_accounts_are_still_there_after_a_restart(folder: Path) -> None:
    options = ServeOptions(folder, port=0, control_token=CONTROL, secret_id="a", secret_key="b")
    said: list[str] = []
    store = store_start(options, said.append)
    with Wire(store.port, None, "") as wire:
        named = {"Host": "127.0.0.1", "x-localstore-control": CONTROL}
        row = json.loads(wire.request("POST", "/-/accounts", named).body)
    store.stop()
    assert (folder / "accounts-added.json").stat().st_mode & 0o777 == 0o600

    store = store_start(options, said.append)
    account = Account(**{name: value for name, value in row.items() if name != "grantee"})
    with Wire(store.port, account, "") as wire:
        assert wire.call("GET", "/").status == 200
    store.stop()

    (folder / "accounts-added.json").write_text("[1]")
    with pytest.raises(ServeError, match=r"accounts-added\.json is not a list of accounts"):
        store_start(options, said.append)


@pytest.fixture
def busy_threads() -> Iterator[None]:
    """Let threads take turns so often that whatever may come between two steps does."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("busy_threads")
def test_adding_and_forgetting_at_once_neither_loses_nor_brings_back() -> None:
    old = [f"old{number}" for number in range(1000)]
    register = Register(directory := Directory(Account(secret_id=name) for name in old))

    with ThreadPoolExecutor(4) as threads:
        forgotten = threads.map(register.forget, old)
        made = threads.map(lambda _: register.make({})["secret_id"], range(200))

    assert all(forgotten)
    assert {account.secret_id for account in directory} == set(made)
