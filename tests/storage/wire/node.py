"""The Node SDK in a process of its own, asked over a pipe."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.node import node_command, node_environment

from tests.storage.identity import SECRET_ID, SECRET_KEY

SCRIPT = Path(__file__).with_name("node_sdk.cjs")
PATIENCE_S = 60


class NodeSdk:
    """One node for many calls, because starting it costs more than all of them.

    Raises NodeMissing where there is none.
    """

    def __init__(self) -> None:
        command = node_command(SCRIPT)
        # Where the SDK remembers upload ids: without a folder of ours, in the home of whoever runs the tests.
        self._memory = tempfile.TemporaryDirectory()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **node_environment()},
        )

    def call(
        self,
        port: int,
        method: str,
        params: Mapping[str, Any],
        *,
        clock: int | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return `error`, `data` and `progress` of one call to the server at `port`.

        The SDK keeps the real host names: only the address is replaced. `clock` is what it takes for now.
        """
        settings = {
            "SecretId": SECRET_ID,
            "SecretKey": SECRET_KEY,
            "Protocol": "http:",
            "Ip": f"127.0.0.1:{port}",
            "ConfCwd": self._memory.name,
            **(options or {}),
        }
        request: dict[str, Any] = {"options": settings, "method": method, "params": params}
        if clock is not None:
            request["clock"] = clock
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request, default=_marked).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._line(), object_hook=_revived)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()
        self._errors.close()
        self._memory.cleanup()

    def _line(self) -> bytes:
        output = self._process.stdout
        assert output is not None
        readable, _, _ = select.select([output], [], [], PATIENCE_S)
        line = output.readline() if readable else b""
        if not line:
            self._errors.seek(0)
            raise AssertionError(f"node did not answer: {self._errors.read().decode()[-2000:]}")
        return line


def _marked(value: Any) -> Any:
    if isinstance(value, Path):
        return {"$stream": str(value)}
    return {"$bytes": base64.b64encode(value).decode()}


def _revived(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["$bytes"]) if "$bytes" in value else value
