"""One part of the console: a process that is started, watched, started again and stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from console.supervisor import tether
from console.supervisor.backoff import Backoff
from console.supervisor.failures import CannotStart
from console.supervisor.health import Health
from console.supervisor.output import PartLog

READ_BYTES = 64 * 1024
START_S = 60.0
# Longer than a store's outage or a full set of busy threads lasts: a restart would only add to those.
SILENT_S = 90.0


@dataclass(frozen=True)
class Part:
    """What to run, how to tell that it is well, and how long it may take to stop."""

    name: str
    command: tuple[str, ...]
    health: Health
    environ: Mapping[str, str] = field(default_factory=dict)
    stop_s: float = 10.0
    heartbeat: Path | None = None


class Runner:
    """Keeps one part running.

        starting ──(well)──> well <──> silent ──(90 s)──┐
           └──(dies, or 60 s)──> CannotStart            │
        starting <──(back-off)── died <──(dies)── well ─┘

    Only a part that has never been well ends the console; later deaths are repaired.
    """

    def __init__(self, part: Part, *, log: PartLog, cwd: Path, check_s: float = 5.0) -> None:
        self.part = part
        self.log = log
        self.well = asyncio.Event()
        self.pid: int | None = None
        self._cwd = cwd
        self._check_s = check_s
        self._process: asyncio.subprocess.Process | None = None
        self._pipe: int | None = None
        self._stopping = False
        self._well_since: float | None = None

    async def run(self) -> None:
        """Run the part until `stop`. Raises CannotStart when it never becomes well."""
        backoff = Backoff()
        while True:
            reason = await self._live_once()
            if self._stopping:
                return
            if not self.well.is_set():
                raise CannotStart(f"{self.part.name} {reason}. Its last lines:\n{self.log.tail()}")
            lived_s = time.monotonic() - self._well_since if self._well_since else 0.0
            delay_s = backoff.delay_after(healthy_s=lived_s)
            self.log.line(f"{self.part.name} {reason}; it starts again in {delay_s:.0f} s.")
            await asyncio.sleep(delay_s)

    async def stop(self) -> None:
        """Ask the part to end, and end it when it takes too long."""
        self._stopping = True
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self.part.stop_s)
        await self._bury()

    def kill(self) -> None:
        """End the part and all that it started, at once."""
        self._stopping = True
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    async def _live_once(self) -> str:
        if self.part.heartbeat:
            self.part.heartbeat.unlink(missing_ok=True)
        pipe = self._open_pipe()
        try:
            process = await self._spawn(pipe)
        finally:
            os.close(pipe)
        self._process, self.pid, self._well_since = process, process.pid, None
        exited = asyncio.create_task(process.wait())
        reason = await self._watch(exited)
        if not self._stopping:
            await self._bury()
        await exited
        return reason

    async def _spawn(self, output: int) -> asyncio.subprocess.Process:
        # Isolated and without site-packages, the tether costs some ten milliseconds.
        return await asyncio.create_subprocess_exec(
            sys.executable, "-IS", tether.__file__, str(os.getpid()), *self.part.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self._cwd,
            env={**os.environ, **self.part.environ},
            # Ctrl-C at the terminal is for the supervisor alone, which stops the parts in order.
            start_new_session=True,
        )  # fmt: skip

    async def _watch(self, exited: asyncio.Task[int]) -> str:
        """Return why the process is of no more use."""
        deadline = time.monotonic() + START_S
        while True:
            is_well = await self._is_well(exited)
            if exited.done():
                return f"ended with {_cause(exited.result())}"
            now = time.monotonic()
            if is_well:
                self._well_since = self._well_since or now
                self.well.set()
                deadline = now + SILENT_S
            if now > deadline:
                return "does not answer"
            await asyncio.wait([exited], timeout=self._check_s if self._well_since else 0.1)

    async def _is_well(self, exited: asyncio.Task[int]) -> bool:
        check = asyncio.ensure_future(self.part.health())
        await asyncio.wait([check, exited], return_when=asyncio.FIRST_COMPLETED)
        if check.done():
            return check.result()
        check.cancel()
        return False

    async def _bury(self) -> None:
        """Remove what is left of the process group: workers outlive a killed master for seconds."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.pid = None
        if self._process:
            await self._process.wait()
        self._close_pipe()
        self.log.close()

    def _open_pipe(self) -> int:
        """Return where the part writes to.

        With a pipe of asyncio's own, a process counts as running until all that it started has ended, too.
        """
        self._pipe, output = os.pipe()
        os.set_blocking(self._pipe, False)
        asyncio.get_running_loop().add_reader(self._pipe, self._read)
        return output

    def _read(self) -> bool:
        """Pass on what was written; tell whether there was something."""
        if self._pipe is None:
            return False
        try:
            data = os.read(self._pipe, READ_BYTES)
        except BlockingIOError:
            return False
        self.log.feed(data)
        if not data:
            asyncio.get_running_loop().remove_reader(self._pipe)
        return bool(data)

    def _close_pipe(self) -> None:
        if self._pipe is None:
            return
        while self._read():
            pass
        asyncio.get_running_loop().remove_reader(self._pipe)
        os.close(self._pipe)
        self._pipe = None


def _cause(returncode: int) -> str:
    if returncode < 0:
        return f"signal {signal.Signals(-returncode).name}"
    return f"exit code {returncode}"
