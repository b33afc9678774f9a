"""What survives: restarts, kills in the middle of a write, and second servers on one folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.localstore import LocalStore
from apps.localstore.accounts import Account, accounts_load, accounts_save
from apps.localstore.engine import DataFolderError
from apps.localstore.serve import ServeError, ServeOptions, accounts_of, store_start
from tests.localstore.conftest import OWNER
from tests.localstore.wire import Wire, authorization, complete_xml, part_put, upload_begin

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024


SERVE = """
import sys
from pathlib import Path
from apps.localstore.serve import ServeOptions, serve
say = lambda text: print(text, flush=True)
serve(ServeOptions(Path(sys.argv[1]), port=0, secret_id="AKIDOWNER", secret_key="owner-key"), say)
"""


class Process:
    """The store as its own process, as the command runs it but without waiting for Django."""

    def __init__(self, data: Path) -> None:
        command = [sys.executable, "-c", SERVE, str(data)]
        self.child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def port(self) -> int:
        assert self.child.stdout is not None
        return int(self.child.stdout.readline().split("127.0.0.1:")[1].split()[0])

    def end(self, number: signal.Signals) -> int:
        self.child.send_signal(number)
        return self.child.wait(30)


@pytest.fixture
def process(folder: Path) -> Iterator[Process]:
    running = Process(folder)
    with running.child:
        yield running
        running.child.kill()


def test_kill_in_the_middle_of_a_write_keeps_the_old_object(process: Process, folder: Path) -> None:
    old = os.urandom(MIB)
    with Wire(process.port(), OWNER) as wire:
        wire.call("PUT", "/")
        assert wire.call("PUT", "/k", old).status == 200
        upload = upload_begin(wire, "/m")
        etag = part_put(wire, "/m", upload, 1, old)
        headers = {"Host": wire.host, "Content-Length": str(4 * MIB)}
        headers["Authorization"] = authorization(OWNER, "PUT", "/k", headers)
        wire.sock.sendall(wire.head_bytes("PUT", "/k", headers) + bytes(3 * MIB))
        while sum(1 for _ in files(folder)) < 3:
            pass
        process.end(signal.SIGKILL)

    assert sum(1 for _ in files(folder)) == 3
    store = LocalStore(data=folder, accounts=[OWNER])
    store.start()
    try:
        assert sum(1 for _ in files(folder)) == 2
        with Wire(store.port, OWNER) as wire:
            assert wire.call("GET", "/k").body == old
            assert wire.call("POST", f"/m?uploadId={upload}", complete_xml([(1, etag)])).status == 200
            assert wire.call("GET", "/m").body == old
    finally:
        store.stop()


def files(folder: Path) -> Iterator[Path]:
    return (path for path in (folder / "blobs").rglob("*") if path.is_file())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(process: Process, number: signal.Signals) -> None:
    with Wire(process.port(), OWNER) as wire:
        wire.call("PUT", "/")

        assert process.end(number) == 0
        assert wire.is_closed()


def test_restart_shows_the_same_content(folder: Path) -> None:
    for expected in (404, 200, 200):
        store = LocalStore(data=folder, accounts=[OWNER])
        store.start()
        with Wire(store.port, OWNER) as wire:
            wire.call("PUT", "/")
            assert wire.call("GET", "/k").status == expected
            wire.call("PUT", "/k", b"x")
        store.stop()


def test_folder_in_use_is_refused(folder: Path) -> None:
    store = LocalStore(data=folder, accounts=[OWNER])
    store.start()
    try:
        with pytest.raises(DataFolderError, match="in use by another process"):
            LocalStore(data=folder, accounts=[OWNER]).start()
        with pytest.raises(ServeError, match="in use by another process"):
            store_start(ServeOptions(folder, port=0, secret_id="a", secret_key="b"), print)
    finally:
        store.stop()


def test_taken_port_is_one_sentence(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ServeError, match=f"Port {port} on 127.0.0.1 is taken"):
            store_start(ServeOptions(folder, port=port), lambda _: None)


def test_port_that_cannot_be_is_one_sentence(folder: Path) -> None:
    with pytest.raises(ServeError, match="between 0 and 65535, not 99999"):
        store_start(ServeOptions(folder, port=99999), lambda _: None)

    # The folder is free again.
    store_start(ServeOptions(folder, port=0), lambda _: None).stop()


def test_command_ends_with_the_sentence(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(CommandError, match="is taken"):
            call_command("localstore", "--port", str(port), "--data", str(folder), "--control", "token")


@pytest.mark.parametrize("path", ["/proc/none", "/dev/null/x"])
def test_unusable_folder_is_one_sentence(path: str) -> None:
    with pytest.raises(ServeError, match="cannot be used"):
        store_start(ServeOptions(Path(path), port=0), lambda _: None)


def test_first_start_makes_a_key_pair_and_says_it_once(folder: Path) -> None:
    said: list[str] = []

    first = accounts_of(ServeOptions(folder), said.append)
    second = accounts_of(ServeOptions(folder), said.append)

    assert first == second
    assert len(said) == 1
    assert first[0].secret_key in said[0]
    assert (folder / "accounts.json").stat().st_mode & 0o777 == 0o600


def test_given_key_pair_beats_the_saved_one(folder: Path) -> None:
    folder.mkdir()
    saved = [Account(root_uin="7", secret_id="a", secret_key="b"), OWNER]
    accounts_save(folder / "accounts.json", saved)

    accounts = accounts_of(ServeOptions(folder, secret_id="x", secret_key="y"), print)

    assert accounts == [Account(root_uin="7", secret_id="x", secret_key="y"), OWNER]
    assert accounts_load(folder / "accounts.json") == saved
    with pytest.raises(ServeError, match="together"):
        accounts_of(ServeOptions(folder, secret_id="x"), print)


def test_broken_accounts_file_is_one_sentence(folder: Path) -> None:
    folder.mkdir()
    (folder / "accounts.json").write_text("{", "utf-8")

    with pytest.raises(ServeError, match="not a list of accounts"):
        accounts_of(ServeOptions(folder), print)


def test_secrets_stay_out_of_representations() -> None:
    assert "owner-key" not in repr(OWNER)
