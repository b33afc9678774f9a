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
from typing import Any

import pytest
from qcloud_cos import CosConfig, CosS3Client

from apps.localstore.accounts import Account
from tests.conftest import REGION

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Served:
    """What the command prints when it is started on an empty folder."""

    port: int
    account: Account


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
    return Served(int(found[3]), Account(secret_id=found[1], secret_key=found[2]))


def python_sdk(port: int, account: Account, **options: Any) -> Any:
    """Return the official SDK with the store as its HTTP proxy, as docs/localstore.md recommends it."""
    settings = {
        "Region": REGION,
        "SecretId": account.secret_id,
        "SecretKey": account.secret_key,
        "Scheme": "http",
        "Proxies": {"http": f"http://127.0.0.1:{port}"},
    }
    return CosS3Client(CosConfig(**settings | options), retry=0)


def bucket_put(port: int, account: Account, bucket: str) -> None:
    """Create a bucket with a client that is not the one under test."""
    python_sdk(port, account).create_bucket(Bucket=bucket)
