"""What `up` checks before it starts anything."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.supervisor.broker import redis_require_reachable, url_masked
from console.supervisor.datafolder import DataFolder
from console.supervisor.failures import CannotStart
from console.supervisor.ports import port_keep, port_require_free


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    return folder


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_taken_port_is_named_with_a_way_out(taken_port: int) -> None:
    with pytest.raises(
        CannotStart, match=rf"Port {taken_port} on 127\.0\.0\.1 is taken\..*PORT=\d+ make run"
    ):
        port_require_free("127.0.0.1", taken_port)


@pytest.mark.parametrize("port", [-1, 70_000])
def test_impossible_port_is_refused(port: int) -> None:
    with pytest.raises(CannotStart, match="PORT must be between 1 and 65535"):
        port_require_free("127.0.0.1", port)


def test_foreign_address_is_refused() -> None:
    with pytest.raises(CannotStart, match="Check HOST and PORT"):
        port_require_free("192.0.2.1", 8000)


def test_parts_keep_their_port_until_it_is_taken(folder: DataFolder, taken_port: int) -> None:
    first = port_keep(folder, "redis", wanted=taken_port)

    assert first != taken_port
    assert port_keep(folder, "redis", wanted=taken_port) == first
    with socket.socket() as other:
        other.bind(("127.0.0.1", first))
        other.listen()
        assert port_keep(folder, "redis", wanted=taken_port) not in {first, taken_port}


def test_folder_that_is_a_file_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(CannotStart, match=r"data folder .* cannot be written \(.*\)\. Set DATA_DIR"):
        DataFolder(tmp_path / "file" / "data").prepare()


def test_folder_that_takes_no_files_gets_a_sentence() -> None:
    # Root may write everywhere but here.
    with pytest.raises(CannotStart, match="Set DATA_DIR"):
        DataFolder(Path("/proc/self")).prepare()


def test_second_console_is_told_where_the_first_is(folder: DataFolder) -> None:
    folder.lock()
    folder.write("up", {"address": "http://127.0.0.1:8123/"})

    with pytest.raises(CannotStart, match=r"already running at http://127\.0\.0\.1:8123/"):
        DataFolder(folder.path).lock()


def test_notes_are_private_and_survive_nonsense(folder: DataFolder) -> None:
    folder.write("up", {"link": "secret"})

    assert (folder.run / "up.json").stat().st_mode & 0o077 == 0
    (folder.run / "up.json").write_text("[1, 2")
    assert folder.read("up") == {}


def test_unreachable_redis_is_named_without_its_password(taken_port: int) -> None:
    url = "redis://console:hunter2@127.0.0.1:1/0"

    with pytest.raises(CannotStart, match="REDIS_URL") as failure:
        redis_require_reachable(url)

    assert "redis://console:***@127.0.0.1:1/0" in str(failure.value)
    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1/", "redis://127.0.0.1:port/0"])
def test_url_that_is_none_gets_a_sentence(url: str) -> None:
    with pytest.raises(CannotStart, match="Correct REDIS_URL"):
        redis_require_reachable(url)


def test_masked_address_keeps_what_helps() -> None:
    assert url_masked("redis://:p@ss:w@rd@cache:6379/1") == "redis://:***@cache:6379/1"
    assert url_masked("redis://cache:6379/1") == "redis://cache:6379/1"
