"""What the embedded store costs: one file in parts, against hashing that file and copying it.

A lean client sends presigned parts over four connections and over one; the kernel moves its bytes, so that
what is measured is the store.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.keys import keys_insert, page_seconds, pages_of
from harness.measuring import Sample, measure, rotated
from harness.processes import python, run_client
from harness.report import MIB, Goals, load, machine, paired, spread, table
from harness.script import script_run
from harness.servers import Store
from harness.workspace import Workspace

PART_SIZE = 8 * MIB
CONNECTIONS = (4, 1)


class Parts:
    """One multipart upload of the file: begun, sent by the lean client, completed and compared."""

    def __init__(self, store: Store, file: Path, *, size: int, crc64: int, key: str) -> None:
        self._store = store
        self._file = file
        self._size = size
        self._crc64 = crc64
        self._sdk = store.sdk()
        self._where = {"Bucket": store.spec["bucket"], "Key": key}
        self._upload_id = self._sdk.create_multipart_upload(**self._where)["UploadId"]

    def send(self, connections: int) -> Sample:
        """Send all parts and return what that cost."""
        spec = {
            "port": self._store.port,
            "file": str(self._file),
            "headers": {"Host": self._store.host},
            "connections": connections,
            "pieces": [self._piece(number) for number in range(-(-self._size // PART_SIZE))],
        }
        return measure(lambda: run_client(python("sender"), spec), {"store": self._store.pids})

    def _piece(self, number: int) -> list[Any]:
        params = {"partNumber": str(number + 1), "uploadId": self._upload_id}
        url = urlsplit(self._sdk.get_presigned_url(Method="PUT", Params=params, **self._where))
        offset = number * PART_SIZE
        return [f"{url.path}?{url.query}", offset, min(PART_SIZE, self._size - offset)]

    def finish(self) -> None:
        """Complete the upload, compare the object with the file, and remove it."""
        listed = self._sdk.list_parts(UploadId=self._upload_id, **self._where)["Part"]
        parts = [{"PartNumber": int(part["PartNumber"]), "ETag": part["ETag"]} for part in listed]
        self._sdk.complete_multipart_upload(
            UploadId=self._upload_id, MultipartUpload={"Part": parts}, **self._where
        )
        self._store.verify(self._where["Key"], size=self._size, crc64=self._crc64)
        self._store.remove(self._where["Key"])


class Results:
    """The figures of all rounds."""

    def __init__(self) -> None:
        self.floors: list[dict[str, float]] = []
        self.sent: dict[int, list[Sample]] = {connections: [] for connections in CONNECTIONS}

    def floor_cpu(self) -> list[float]:
        return [floor["md5_cpu_s"] + floor["copy_cpu_s"] for floor in self.floors]

    def store_cpu(self, connections: int) -> list[float]:
        return [sample.cpu_s["store"] for sample in self.sent[connections]]

    def walls(self, connections: int) -> list[float]:
        return [sample.wall_s for sample in self.sent[connections]]


def rounds_run(space: Workspace, store: Store, *, rounds: int, size: int) -> Results:
    file, crc64 = space.random_file(size, name="parts.bin")
    results = Results()
    floor = {"file": str(file), "target": str(space.folder / "copy.bin")}
    for turn in range(rounds):
        results.floors.append(run_client(python("floor"), floor))
        for name in rotated([str(connections) for connections in CONNECTIONS], turn):
            parts = Parts(store, file, size=size, crc64=crc64, key=f"{turn}-{name}.bin")
            results.sent[int(name)].append(parts.send(int(name)))
            parts.finish()
        print(f"store round {turn + 1}", file=sys.stderr)
    return results


def show(results: Results, *, title: str) -> None:
    print(f"\n{title}")
    rows = [
        ["md5 of the file", "-", spread([floor["md5_cpu_s"] for floor in results.floors])],
        ["copy of the file", "-", spread([floor["copy_cpu_s"] for floor in results.floors])],
    ]
    for connections in CONNECTIONS:
        walls, cpu = results.walls(connections), results.store_cpu(connections)
        rows.append([f"store, {connections} at once", spread(walls), spread(cpu)])
    table(("work", "wall s", "CPU s"), rows)
    print()


def judge(results: Results, goals: Goals) -> None:
    cpu = paired(results.store_cpu(4), results.floor_cpu())
    goals.at_most("P13_cpu", cpu, 1.25, "P13 store / (md5 + copy), CPU")
    wall = paired(results.walls(4), results.walls(1))
    goals.at_most("P13_wall", wall, 0.55, "P13 four connections / one, wall")


def lists_run(space: Workspace, *, keys: int, rounds: int) -> None:
    """Show what pages of 500 lines cost in a bucket with 1,000 keys and in one with `keys`."""
    took: dict[str, list[str]] = {}
    for size in (1000, keys):
        folder = space.folder / str(size)
        folder.mkdir()
        store = space.keep(Store(folder))
        store.start()
        store.stop()
        print(f"{size} keys inserted in {keys_insert(store, folder, size):.1f} s", file=sys.stderr)
        store.start()
        for name, parameters in pages_of(size).items():
            samples = [1000 * page_seconds(store, parameters) for _ in range(rounds + 1)]
            took.setdefault(name, []).append(spread(samples[1:]))
        store.stop()
    rows = [[name, *figures] for name, figures in took.items()]
    table(("page", "ms, 1000 keys", f"ms, {keys} keys"), rows)


def run(space: Workspace, options: argparse.Namespace) -> None:
    if options.keys:
        machine()
        lists_run(space, keys=options.keys, rounds=options.rounds)
        return
    print(f"data in {space.folder.parent}")
    machine()
    before = load()
    store = space.keep(Store(space.folder))
    store.start()
    results = rounds_run(space, store, rounds=options.rounds, size=options.size * MIB)
    show(results, title=f"{options.size} MiB in parts of 8 MiB, {options.rounds} rounds")
    goals = Goals()
    judge(results, goals)
    goals.finish(benchmark="store", mib=options.size, load=[round(before, 2), round(load(), 2)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=1024, help="MiB")
    parser.add_argument("--keys", type=int, default=0, help="measure pages of a bucket of this size instead")
    return script_run(parser, run, needs_mib=lambda options: 4 * options.size)


if __name__ == "__main__":
    sys.exit(main())
