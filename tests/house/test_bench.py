"""A benchmark that nobody can start is found out here, at a size at which it measures nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_client_benchmark_runs_to_its_end(tmp_path: Path) -> None:
    command = [sys.executable, "bench/client.py", "--rounds=1", "--only", "listing", "--keys=2000"]

    done = subprocess.run(
        [*command, "--folder", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["benchmark"] == "client"
    assert list(tmp_path.iterdir()) == []
