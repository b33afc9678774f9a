"""`python manage.py up` as a person starts it: real processes, real signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings

from tests.settings import free_port

PARTS = {"redis", "store", "worker", "beat", "web"}
PATIENCE_S = 60


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing is configured, with ports that no other test uses."""
    ours = ("REDIS_URL", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "SPOOL_DIR")
    environ = {
        name: value for name, value in os.environ.items() if name not in ours and not name.startswith("COS_")
    }
    data = tmp_path / "data"
    (data / "run").mkdir(parents=True)
    (data / "run" / "ports.json").write_text(json.dumps({"store": free_port()}))
    return environ | {"DATA_DIR": str(data), "PORT": str(free_port()), "HOST": "127.0.0.1"}


def up(environ: dict[str, str], **changed: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=settings.BASE_DIR,
        env={**environ, **changed},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def refused(environ: dict[str, str], **changed: str) -> str:
    """Return the one sentence that a refused start prints."""
    process = up(environ, **changed)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "Traceback" not in out
    assert len(out.strip().splitlines()) == 1
    return out


@pytest.fixture
def console(environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A console that is ready."""
    process = up(environ)
    wait_until(lambda: "link" in state(environ) or process.poll() is not None)
    assert process.poll() is None, process.communicate()[0]
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def state(environ: dict[str, str]) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(Path(environ["DATA_DIR"], "run", "up.json").read_text())
    except FileNotFoundError:
        return {}
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def left_over(environ: dict[str, str]) -> list[str]:
    found = []
    for one in psutil.process_iter():
        try:
            if one.environ().get("DATA_DIR") == environ["DATA_DIR"] and one.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(one.cmdline()))
        except psutil.Error:
            continue
    return found


def all_replaced(old: dict[str, int], new: dict[str, int]) -> bool:
    return set(new) == set(old) and not set(new.values()) & set(old.values())


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address + "healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_console_repairs_itself_and_stops_cleanly(
    console: subprocess.Popen[str], environ: dict[str, str]
) -> None:
    first = state(environ)
    assert set(first["pids"]) == PARTS
    assert first["address"] == f"http://127.0.0.1:{environ['PORT']}/"
    assert first["link"].startswith(first["address"] + "sign-in/link/")
    assert answers(first["address"])

    assert f"already running at {first['address']}" in refused(environ, PORT=str(free_port()))
    for name in PARTS:
        os.kill(first["pids"][name], signal.SIGKILL)
    wait_until(lambda: all_replaced(first["pids"], state(environ)["pids"]))
    wait_until(lambda: answers(first["address"]))
    console.send_signal(signal.SIGINT)
    out, _ = console.communicate(timeout=PATIENCE_S)

    assert console.returncode == 0
    assert first["link"] in out
    assert out.rstrip().endswith("Stopped.")
    assert "Traceback" not in out
    wait_until(lambda: not left_over(environ))
    assert not state(environ)
    assert {path.stem for path in Path(environ["DATA_DIR"], "logs").glob("*.log")} == PARTS


def test_nothing_survives_a_killed_supervisor(
    console: subprocess.Popen[str], environ: dict[str, str]
) -> None:
    console.kill()
    console.wait()

    wait_until(lambda: not left_over(environ))


def test_ctrl_c_while_starting_stops_what_runs_already(environ: dict[str, str]) -> None:
    process = up(environ)
    wait_until(lambda: len(left_over(environ)) > 1)

    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0
    assert "Traceback" not in out
    wait_until(lambda: not left_over(environ))


def test_part_that_cannot_start_ends_the_others(environ: dict[str, str]) -> None:
    store = Path(environ["DATA_DIR"], "store")
    store.mkdir()
    (store / "index.sqlite3").write_text("This is not a database.")

    process = up(environ)
    out, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 1
    assert "store ended with exit code 1. Its last lines:" in out
    assert "asyncio" not in out
    wait_until(lambda: not left_over(environ))


def test_taken_port_gets_one_sentence(environ: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(environ["PORT"])))
        other.listen()

        assert f"Port {environ['PORT']} on 127.0.0.1 is taken" in refused(environ)

    wait_until(lambda: not left_over(environ))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"REDIS_URL": "redis://:hunter2@127.0.0.1:1/0"}, "Redis at redis://:***@127.0.0.1:1/0 does not"),
        ({"DATA_DIR": "/proc/nowhere"}, "The data folder /proc/nowhere cannot be written"),
        ({"DATABASE_URL": "sqlite:////proc/nowhere/db"}, "The database /proc/nowhere/db cannot be used"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL is not an address of a database"),
        ({"COS_SECRET_ID": "AKID"}, "COS_SECRET_ID and COS_SECRET_KEY belong together"),
        ({"PORT": "eighty"}, "PORT must be a whole number"),
        ({"LOCALSTORE_PORT": "99999"}, "LOCALSTORE_PORT must be between 1 and 65535"),
        ({"LOCALSTORE": "perhaps"}, "LOCALSTORE must be true or false"),
    ],
    ids=lambda value: "-".join(*value.items()) if isinstance(value, dict) else "",
)  # fmt: skip
def test_wrong_configuration_gets_one_sentence(
    environ: dict[str, str], changed: dict[str, str], sentence: str
) -> None:
    assert sentence in refused(environ, **changed)
