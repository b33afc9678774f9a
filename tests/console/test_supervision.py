from __future__ import annotations

import asyncio
import errno
import io
import os
import signal
import sys
from pathlib import Path

from console.supervisor.output import Terminal
from console.supervisor.process import Part
from console.supervisor.supervision import Supervision


async def _is_well() -> bool:
    return True


def test_disk_that_takes_no_process_ids_ends_nothing(tmp_path: Path) -> None:
    part = Part("one", (sys.executable, "-IS", "-c", "import time; time.sleep(600)"), _is_well)
    told: list[dict[str, int]] = []
    tries: list[dict[str, int]] = []
    is_ready = False

    def on_ready() -> str:
        nonlocal is_ready
        is_ready = True
        return "ready"

    def on_change(pids: dict[str, int]) -> None:
        tries.append(pids)
        # Full from the first death on, for two looks.
        if is_ready and len(tries) < 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        told.append(pids)

    supervision = Supervision(
        [[part]],
        cwd=tmp_path,
        logs=tmp_path,
        terminal=Terminal(io.StringIO()),
        on_ready=on_ready,
        on_change=on_change,
    )

    async def suffer() -> None:
        running = asyncio.create_task(supervision.run())
        while not is_ready:
            await asyncio.sleep(0.01)
        os.kill(tries[0]["one"], signal.SIGKILL)
        while len(told) < 2 and not running.done():
            await asyncio.sleep(0.01)
        assert not running.done()
        supervision._on_signal()
        await running

    asyncio.run(asyncio.wait_for(suffer(), 60))

    assert len(tries) >= 4
