"""All parts together: started in stages, stopped in reverse, ended by one signal."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from console.supervisor.output import PartLog, Terminal
from console.supervisor.process import Part, Runner

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervision:
    """Runs stages of parts; each stage waits until the one before it is well.

    `on_ready` runs once, in a thread of its own, when everything is well, and returns what to print;
    `on_change` runs whenever a process id changed.
    """

    def __init__(
        self,
        stages: Sequence[Sequence[Part]],
        *,
        cwd: Path,
        logs: Path,
        terminal: Terminal,
        on_ready: Callable[[], str],
        on_change: Callable[[dict[str, int]], None],
    ) -> None:
        self._terminal = terminal
        self._on_ready = on_ready
        self._on_change = on_change
        self._stages = [
            [Runner(part, log=PartLog(part.name, folder=logs, terminal=terminal), cwd=cwd) for part in stage]
            for stage in stages
        ]
        self._running: list[tuple[Runner, asyncio.Task[None]]] = []
        self._signaled = asyncio.Event()

    async def run(self) -> None:
        """Run until a signal. Raises CannotStart, with all parts stopped, when one never becomes well."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            # `nohup` asks for the hang-up to be ignored.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, self._on_signal)
        signaled = asyncio.create_task(self._signaled.wait())
        work = asyncio.create_task(self._start_and_watch())
        try:
            await asyncio.wait([work, signaled], return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            work.cancel()
            signaled.cancel()
            await self._stop()

    def _on_signal(self) -> None:
        if self._signaled.is_set():
            self._terminal.say("Ending everything at once.")
            for runner, _ in self._running:
                runner.kill()
            return
        self._terminal.say("\nStopping; once more to hurry.")
        self._signaled.set()

    async def _start_and_watch(self) -> None:
        for stage in self._stages:
            for runner in stage:
                self._running.append((runner, asyncio.create_task(runner.run())))
            await self._wait_well(stage)
        self._terminal.say(await asyncio.to_thread(self._on_ready))
        await self._watch()

    async def _wait_well(self, stage: list[Runner]) -> None:
        well = asyncio.create_task(_all_well(stage))
        try:
            tasks = [well, *(task for _, task in self._running)]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            well.cancel()
        self._raise_failures()
        self._on_change(self._pids())

    async def _watch(self) -> None:
        """Report changed process ids; a part that fails for good ends the console."""
        known = self._pids()
        while True:
            await asyncio.wait([task for _, task in self._running], timeout=0.5)
            self._raise_failures()
            pids = self._pids()
            if pids != known and self._is_told(pids):
                known = pids

    def _is_told(self, pids: dict[str, int]) -> bool:
        """Tell about changed process ids. A disk that takes nothing now may do so at the next look."""
        try:
            self._on_change(pids)
        except OSError:
            return False
        return True

    def _raise_failures(self) -> None:
        for _, task in self._running:
            if task.done():
                task.result()

    def _pids(self) -> dict[str, int]:
        return {runner.part.name: runner.pid for runner, _ in self._running if runner.pid is not None}

    async def _stop(self) -> None:
        for runner, task in reversed(self._running):
            await runner.stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _all_well(stage: Sequence[Runner]) -> None:
    for runner in stage:
        await runner.well.wait()
