"""The ways of one large file into the embedded store: ours, and those of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.measuring import Sample, measure
from harness.node import NodeMissing, node_command, node_environment
from harness.processes import BENCH, python, run_client
from harness.report import MIB
from harness.servers import Console, Forward, Store

AS_NODE = BENCH / "harness" / "as_node.cjs"
PART_SIZE = 8 * MIB
THREADS = 4


@dataclass
class Ways:
    """The servers, the file, and how each variant sends it."""

    store: Store
    console: Console
    forward: Forward
    file: Path
    size: int
    crc64: int
    bytes_per_second: float = 0.0
    is_node_wanted: bool = True
    compared: set[str] = field(default_factory=set)

    def variants(self) -> dict[str, Callable[[str], Sample]]:
        found: dict[str, Callable[[str], Sample]] = {
            "console": self.by_console,
            "direct": self.by_direct,
            "library": self.by_library,
            "sdk": self.by_sdk,
            "forward": self.by_forward,
        }
        if self.bytes_per_second:
            # With the store's limit alone it would not be the same race.
            found.pop("library")
        if self._has_node():
            found["node"] = self.by_node
        return found

    def _has_node(self) -> bool:
        if not self.is_node_wanted:
            return False
        try:
            node_command(AS_NODE)
        except NodeMissing as missing:
            print(f"Without the Node SDK: {missing}")
            return False
        return True

    def by_console(self, key: str) -> Sample:
        spec = {**self.console.page, **self._file(key)}
        return measure(lambda: run_client(python("as_browser"), spec), self.groups())

    def by_direct(self, key: str) -> Sample:
        spec = {**self.console.direct_page, **self._file(key)}
        return measure(lambda: run_client(python("as_browser"), spec), self.groups())

    def by_library(self, key: str) -> Sample:
        """Our client alone, as a script would use it; it gives the object a name of its own."""
        arguments = {"count": 0, "file": str(self.file), "part_size": PART_SIZE, "threads": THREADS}
        spec = {"client": "ours", "work": "upload", "arguments": arguments, **self.client()}
        return measure(lambda: run_client(python("as_client"), spec), {"store": self.store.pids})

    def by_sdk(self, key: str) -> Sample:
        spec = {"store": self.store.spec, **self._file(key)}
        return measure(lambda: run_client(python("as_sdk"), spec), {"store": self.store.pids})

    def by_node(self, key: str) -> Sample:
        spec = {"store": self.store.spec, **self._file(key)}
        command = node_command(AS_NODE)
        return measure(
            lambda: run_client(command, spec, environ=node_environment()), {"store": self.store.pids}
        )

    def by_forward(self, key: str) -> Sample:
        spec = {
            **self._file(key),
            "port": self.forward.port,
            "pieces": [[f"/{key}", 0, self.size]],
            "connections": 1,
        }
        groups = {"web": self.forward.pids, "store": self.store.pids}
        return measure(lambda: run_client(python("sender"), spec), groups)

    def by_many(self, key: str, files: Sequence[tuple[Path, int]]) -> Sample:
        """Several uploads through the console at once; the wall is from the first begin to the last end."""
        specs = [
            {**self.console.page, "key": f"{key}-{number}", "file": str(file)}
            for number, (file, _crc64) in enumerate(files)
        ]

        def work() -> dict[str, Any]:
            with ThreadPoolExecutor(len(specs)) as pool:
                done = list(pool.map(lambda spec: run_client(python("as_browser"), spec), specs))
            begun, ended = min(_begun(one) for one in done), max(_begun(one) + one["wall_s"] for one in done)
            return {
                "wall_s": ended - begun,
                "cpu_s": sum(one["cpu_s"] for one in done),
                "peak_bytes": max(one["peak_bytes"] for one in done),
                "slowest_s": max(one["wall_s"] for one in done),
            }

        return measure(work, self.groups())

    def groups(self) -> dict[str, list[int]]:
        return {**self.console.groups(), "store": self.store.pids}

    def client(self) -> dict[str, Any]:
        """Return what a client of the store has to know."""
        spec = self.store.spec
        return {
            **{name: spec[name] for name in ("port", "bucket", "region")},
            "keys": [spec["secret_id"], spec["secret_key"]],
        }

    def _file(self, key: str) -> dict[str, Any]:
        return {"key": key, "file": str(self.file), "bytes_per_second": self.bytes_per_second}

    def check(self, name: str, key: str) -> None:
        """Compare what arrived with what was sent; the first object of our ways byte for byte."""
        key = "upload-0" if name == "library" else key
        bucket = self.store.spec["direct_bucket" if name == "direct" else "bucket"]
        self.store.verify(key, size=self.size, crc64=self.crc64, bucket=bucket)
        if name in ("console", "direct") and name not in self.compared:
            self.store.compare(key, self.file, bucket=bucket)
            self.compared.add(name)
        self.store.remove(key, bucket=bucket)


def _begun(done: Mapping[str, Any]) -> float:
    begun: float = done["begun_at"]
    return begun
