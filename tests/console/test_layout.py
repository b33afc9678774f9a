from __future__ import annotations

from pathlib import Path

import pytest

from console.supervisor.datafolder import DataFolder
from console.supervisor.parts import Layout, beat_part, worker_part


def layout(*, host: str = "127.0.0.1", https: bool = False, workers: int = 1) -> Layout:
    return Layout(
        base=Path("/srv/console"),
        folder=DataFolder(Path("/srv/data")),
        host=host,
        port=8000,
        host_name="console.example.com",
        https=https,
        workers=workers,
        worker_threads=8,
        log_level="INFO",
        environ={"REDIS_URL": "redis://127.0.0.1/0"},
    )


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("0.0.0.0", "http://127.0.0.1:8000/"),
        ("::", "http://[::1]:8000/"),
        ("192.0.2.7", "http://192.0.2.7:8000/"),
    ],
)
def test_address_can_be_opened(host: str, address: str) -> None:
    assert layout(host=host).address == address


def test_address_behind_a_proxy_is_the_proxy() -> None:
    # Its cookies are sent over TLS only, so that any other address would not sign anybody in.
    assert layout(https=True).address == "https://console.example.com/"


def test_several_workers_have_names_and_heartbeats_of_their_own() -> None:
    both = [worker_part(layout(workers=2), number=number) for number in (1, 2)]

    assert [part.name for part in both] == ["worker-1", "worker-2"]
    assert len({part.heartbeat for part in both}) == 2
    assert len({part.command[part.command.index("-n") + 1] for part in both}) == 2


def test_secrets_stay_out_of_the_list_of_processes() -> None:
    commands = [part.command for part in (worker_part(layout(), number=1), beat_part(layout()))]

    assert not any("redis://" in argument for command in commands for argument in command)
