"""The store as anyone starts it: the command, a port of its own, a folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Served:
    """What the command prints when it is started on an empty folder."""

    port: int
    secret_id: str
    secret_key: str


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """`manage.py localstore` on an empty folder, in memory where there is such a place."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="clients-", dir=memory) as folder:
        command = [sys.executable, "manage.py", "localstore", "--port", "0", "--data", folder]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield _told(process)
            finally:
                process.terminate()


def _told(process: subprocess.Popen[str]) -> Served:
    printed = ""
    for line in process.stdout or ():
        printed += line
        if " listens on " in line:
            break
    found = re.search(r"SecretId (\S+)\nSecretKey (\S+)\n(?:.*\n)*.*127\.0\.0\.1:(\d+) ", printed)
    if found is None:
        pytest.fail(f"The command did not start; it printed: {printed}")
    return Served(port=int(found[3]), secret_id=found[1], secret_key=found[2])
