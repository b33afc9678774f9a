"""The product's settings with a data folder and ports of this process's own."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import tempfile


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


TEST_DIR = tempfile.mkdtemp(prefix="console-test-")
atexit.register(shutil.rmtree, TEST_DIR, ignore_errors=True)
REDIS_PORT = free_port()
os.environ["DATA_DIR"] = TEST_DIR
os.environ["REDIS_URL"] = f"redis://127.0.0.1:{REDIS_PORT}/0"
os.environ.pop("DATABASE_URL", None)

from console.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
