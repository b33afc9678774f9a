"""The servers under measurement: the embedded store, the whole console, store-and-forward."""

from __future__ import annotations

import json
import secrets
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from qcloud_cos.cos_exception import CosServiceError

from harness import procfs
from harness.as_sdk import sdk_open
from harness.processes import BenchFailed, Child, answers, free_port, python, run_client

APPID = "1250000000"
REGION = "ap-guangzhou"
DIRECT_RULES = {
    "CORSRule": [
        {
            "AllowedOrigin": ["*"],
            "AllowedMethod": ["PUT"],
            "ExposeHeader": ["ETag", "x-cos-hash-crc64ecma"],
        }
    ]
}


class Store:
    """The embedded store on a folder of its own; it can be started again with another speed limit."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.spec: dict[str, Any] = {
            "port": self.port,
            "region": REGION,
            "bucket": f"bench-{APPID}",
            # The same store lets browsers send to this one.
            "direct_bucket": f"bench-direct-{APPID}",
            "secret_id": f"AKID{secrets.token_hex(16)}",
            "secret_key": secrets.token_urlsafe(24),
        }
        self._folder = folder
        self._control = secrets.token_urlsafe(16)
        self._child: Child | None = None

    @property
    def host(self) -> str:
        """Return the name under which the bucket is asked for."""
        return self.host_of(self.spec["bucket"])

    def host_of(self, bucket: str) -> str:
        return f"{bucket}.cos.{REGION}.myqcloud.com"

    @property
    def pids(self) -> list[int]:
        return procfs.tree(self._child.pid) if self._child else []

    def start(self, *, bytes_per_second: float = 0.0) -> None:
        """Start, or start again, and make sure that the bucket is there."""
        self.stop()
        command = [
            sys.executable, "manage.py", "localstore",
            "--port", str(self.port), "--data", str(self._folder / "store"),
            "--bytes-per-second", str(bytes_per_second),
        ]  # fmt: skip
        environ = {
            "LOCALSTORE_SECRET_ID": self.spec["secret_id"],
            "LOCALSTORE_SECRET_KEY": self.spec["secret_key"],
            "DATA_DIR": str(self._folder / "store-settings"),
            "LOCALSTORE_CONTROL": self._control,
        }
        self._child = Child("store", command, log=self._folder / "store.log", environ=environ)
        self._child.wait_until(lambda: answers(self.port, "/-/health"))
        for bucket in (self.spec["bucket"], self.spec["direct_bucket"]):
            try:
                self.sdk().create_bucket(Bucket=bucket)
            except CosServiceError as error:
                if error.get_error_code() not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                    raise
        self.sdk().put_bucket_cors(Bucket=self.spec["direct_bucket"], CORSConfiguration=DIRECT_RULES)

    def delay(self, seconds: float) -> None:
        """Have every answer come `seconds` later, or with 0 at once again."""
        line = HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"x-localstore-control": self._control}
        rule = {"kind": "delay", "seconds": seconds, "count": None}
        asked = ("POST", json.dumps(rule)) if seconds else ("DELETE", None)
        try:
            line.request(asked[0], "/-/faults", body=asked[1], headers=headers)
            if line.getresponse().status >= 300:
                raise BenchFailed("the store takes no delay")
        finally:
            line.close()

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None

    def sdk(self) -> Any:
        """Return the official SDK's client: what checks objects shares no code with what sent them."""
        return sdk_open(self.spec)

    def verify(self, key: str, *, size: int, crc64: int, bucket: str = "") -> None:
        """Compare an object's size and CRC-64 with the file's. Raises BenchFailed."""
        headers = self.sdk().head_object(Bucket=bucket or self.spec["bucket"], Key=key)
        found = (int(headers["Content-Length"]), int(headers["x-cos-hash-crc64ecma"]))
        if found != (size, crc64):
            raise BenchFailed(f"{key} is {found} in the store, ({size}, {crc64}) was sent")

    def compare(self, key: str, file: Path, *, bucket: str = "") -> None:
        """Compare an object with the file byte for byte. Raises BenchFailed."""
        answer = self.sdk().get_object(Bucket=bucket or self.spec["bucket"], Key=key)
        stream = answer["Body"].get_raw_stream()
        with file.open("rb") as expected:
            while True:
                data = expected.read(1 << 20)
                if stream.read(1 << 20) != data:
                    raise BenchFailed(f"{key} differs from the file")
                if not data:
                    return

    def remove(self, key: str, *, bucket: str = "") -> None:
        self.sdk().delete_object(Bucket=bucket or self.spec["bucket"], Key=key)


class Console:
    """The console as `manage.py up` runs it, without its own store."""

    def __init__(self, folder: Path, store: Store, *, workers: int = 1, name: str = "console") -> None:
        self.data = folder / name
        self.port = free_port()
        self._store = store
        environ = {
            "DATA_DIR": str(self.data),
            "PORT": str(self.port),
            "LOCALSTORE": "false",
            "WORKERS": str(workers),
        }
        self._child = Child(
            name, [sys.executable, "manage.py", "up"], log=folder / f"{name}.log", environ=environ
        )
        self.page: dict[str, Any] = {}

    def wait(self) -> None:
        """Wait until every part is well, then sign in and connect the store."""
        self._child.wait_until(lambda: "link" in self._read("up"))
        prepared = run_client(python("prepare"), self._store.spec, environ={"DATA_DIR": str(self.data)})
        self.page = {**prepared, "port": self.port, "bucket": self._store.spec["bucket"]}

    @property
    def direct_page(self) -> dict[str, Any]:
        """Return the page of the bucket to which browsers send by themselves."""
        bucket = self._store.spec["direct_bucket"]
        place = {"store_port": self._store.port, "store_host": self._store.host_of(bucket)}
        return {**self.page, **place, "bucket": bucket, "path": "direct"}

    def _read(self, name: str) -> dict[str, Any]:
        try:
            value: dict[str, Any] = json.loads((self.data / "run" / f"{name}.json").read_text())
        except (OSError, ValueError):
            return {}
        return value

    @property
    def redis_url(self) -> str:
        password, port = self._read("redis")["password"], self._read("ports")["redis"]
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def groups(self) -> dict[str, list[int]]:
        """Return the process ids by what they do; "rest" is the supervisor and the clock."""
        up = self._read("up")
        pids = {name: procfs.tree(pid) for name, pid in up["pids"].items()}
        rest = [up["supervisor"], *pids.pop("beat", [])]
        return {**pids, "rest": rest}

    def last_lines(self) -> str:
        return self._child.last_lines()

    def stop(self) -> None:
        self._child.stop()


class Forward:
    """Store and forward under the same web server, with as many threads."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.port = free_port()
        spool = folder / "forward"
        spool.mkdir()
        command = [
            sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--worker-class", "gthread",
            "--threads", "16", "--timeout", "120", "--no-control-socket", "harness.forward_app:application",
        ]  # fmt: skip
        environ = {"BENCH_STORE": json.dumps(store.spec), "BENCH_FOLDER": str(spool)}
        self._child = Child("forward", command, log=folder / "forward.log", environ=environ)

    def wait(self) -> None:
        self._child.wait_until(lambda: answers(self.port, "/"))

    @property
    def pids(self) -> list[int]:
        return procfs.tree(self._child.pid)

    def stop(self) -> None:
        self._child.stop()


class Canned:
    """A store that knows its answers by heart, `delay_s` after each request; see `harness.canned`."""

    def __init__(self, folder: Path, *, delay_s: float = 0.0, keys: int = 1, **stored: Any) -> None:
        self.port = free_port()
        name = f"canned-{self.port}"
        spec = {"port": self.port, "delay_s": delay_s, "keys": keys, **stored}
        self._child = Child(name, [*python("canned"), json.dumps(spec)], log=folder / f"{name}.log")

    def wait(self) -> None:
        self._child.wait_until(lambda: answers(self.port, "/k?acl"))

    @property
    def pids(self) -> list[int]:
        return procfs.tree(self._child.pid)

    def stop(self) -> None:
        self._child.stop()
