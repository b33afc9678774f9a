"""A benchmark that nobody can start is found out here, at a size at which it measures nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def last_line_of(*command: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, *command, "--folder", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_client_benchmark_runs_to_its_end(tmp_path: Path) -> None:
    options = ("--rounds=1", "--only", "listing", "--keys=2000")

    assert last_line_of("bench/client.py", *options, folder=tmp_path)["benchmark"] == "client"
    assert list(tmp_path.iterdir()) == []


def test_transfers_benchmark_sends_the_same_file_every_way(tmp_path: Path) -> None:
    options = ("--rounds=1", "--size=16", "--no-node", "--only", "unpaced")

    ratios = last_line_of("bench/transfers.py", *options, folder=tmp_path)

    assert {"P2_wall", "P2_cpu", "P4", "P5_wall"} <= set(ratios)
    assert list(tmp_path.iterdir()) == []
