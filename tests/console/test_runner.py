"""One part: started, watched, started again, stopped."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from console.supervisor import process, tether
from console.supervisor.failures import CannotStart
from console.supervisor.health import heartbeat_health
from console.supervisor.output import PartLog, Terminal
from console.supervisor.process import Part, Runner

T = TypeVar("T")
SLEEP = "import time; time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); {SLEEP}"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); {SLEEP}"


async def well() -> bool:
    return True


async def unwell() -> bool:
    return False


def run_alone(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a thread: a browser in the same process keeps a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, asyncio.wait_for(work, 20)).result()


def runner_of(
    program: str, folder: Path, *, health: Callable[[], Awaitable[bool]] = well, stop_s: float = 5.0
) -> Runner:
    part = Part("part", (sys.executable, "-c", program), health, {"MARK": str(folder)}, stop_s=stop_s)
    return Runner(part, log=PartLog("part", folder=folder, terminal=Terminal(io.StringIO())), cwd=folder)


def left_over(folder: Path) -> list[int]:
    """Return the processes that carry this test's mark."""
    found = []
    for one in psutil.process_iter():
        try:
            if one.environ().get("MARK") == str(folder) and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one.pid)
        except psutil.Error:
            continue
    return found


def assert_nothing_left(folder: Path) -> None:
    """A killed process may take a moment to be gone."""
    deadline = time.monotonic() + 10
    while left_over(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left_over(folder) == []


def test_killed_part_comes_back_with_a_new_process(tmp_path: Path) -> None:
    async def scenario() -> None:
        runner = runner_of(SLEEP, tmp_path)
        task = asyncio.create_task(runner.run())
        await runner.well.wait()
        first = runner.pid
        assert first is not None

        os.kill(first, signal.SIGKILL)
        while runner.pid in (first, None):
            await asyncio.sleep(0.05)

        assert "part ended with signal SIGKILL; it starts again in 1 s." in runner.log.path.read_text()
        await runner.stop()
        await task

    run_alone(scenario())
    assert_nothing_left(tmp_path)


def test_part_that_never_starts_says_its_last_words(tmp_path: Path) -> None:
    runner = runner_of("raise SystemExit('no such folder: /nowhere')", tmp_path, health=unwell)

    with pytest.raises(CannotStart, match=r"part ended with exit code 1\. (?s:.*)no such folder: /nowhere"):
        run_alone(runner.run())


def test_part_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "START_S", 0.5)
    runner = runner_of(SLEEP, tmp_path, health=unwell)

    with pytest.raises(CannotStart, match="part does not answer"):
        run_alone(runner.run())

    assert_nothing_left(tmp_path)


def test_part_that_stops_answering_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SILENT_S", 0.2)
    answers = iter([True])

    async def health() -> bool:
        return next(answers, False)

    async def scenario() -> None:
        part = Part("part", (sys.executable, "-c", SLEEP), health)
        log = PartLog("part", folder=tmp_path, terminal=Terminal(io.StringIO()))
        runner = Runner(part, log=log, cwd=tmp_path, check_s=0.1)
        task = asyncio.create_task(runner.run())
        while not log.path.exists():
            await asyncio.sleep(0.05)
        await runner.stop()
        task.cancel()

    run_alone(scenario())

    assert "part does not answer; it starts again in 1 s." in (tmp_path / "part.log").read_text()


def test_stubborn_part_is_ended_after_its_time(tmp_path: Path) -> None:
    async def up() -> bool:
        return "up" in runner.log.tail()

    runner = runner_of(STUBBORN, tmp_path, health=up, stop_s=0.3)

    async def scenario() -> float:
        task = asyncio.create_task(runner.run())
        await runner.well.wait()
        began = time.monotonic()
        await runner.stop()
        await task
        return time.monotonic() - began

    assert 0.3 <= run_alone(scenario()) < 3
    assert_nothing_left(tmp_path)


def test_what_a_part_started_ends_with_it(tmp_path: Path) -> None:
    async def two() -> bool:
        return len(left_over(tmp_path)) == 2

    async def scenario() -> None:
        runner = runner_of(PARENT, tmp_path, health=two)
        task = asyncio.create_task(runner.run())
        await runner.well.wait()
        await runner.stop()
        await task

    run_alone(scenario())

    assert_nothing_left(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the death of a parent")
def test_part_cannot_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    supervisor = (
        "import os, subprocess, sys, time;"
        f"subprocess.Popen([sys.executable, {tether.__file__!r}, str(os.getpid()), 'sleep', '60']);"
        "time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", supervisor], env={**os.environ, "MARK": str(tmp_path)})
    while not any(psutil.Process(pid).name() == "sleep" for pid in left_over(tmp_path)):
        time.sleep(0.05)

    parent.kill()
    parent.wait()

    assert_nothing_left(tmp_path)


def test_heartbeat_goes_stale(tmp_path: Path) -> None:
    file = tmp_path / "worker.alive"
    check = heartbeat_health(file)

    async def ask() -> bool:
        return await check()

    assert not run_alone(ask())
    file.touch()
    assert run_alone(ask())
    os.utime(file, (time.time() - 61,) * 2)
    assert not run_alone(ask())
