"""Workers are killed and Redis is flushed while bytes move; nothing may be lost or left behind."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from apps.storage.cos import CosClient
from apps.storage.digest import crc64_update
from apps.storage.types import Credentials, Endpoint
from tests.journeys.running import RunningConsole, Visitor, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

MIB = 1 << 20
CONNECTION = "demo-store"
REGION = "ap-guangzhou"
BUCKET = "team-files-1250000000"
SLOW_PARTS = {"kind": "delay", "operation": "UploadPart*", "seconds": 0.4, "count": None}


@pytest.fixture
def client(console: RunningConsole) -> CosClient:
    account = json.loads((console.folder / "store" / "accounts.json").read_text())[0]
    return CosClient(
        credentials=Credentials(account["secret_id"], account["secret_key"]),
        endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{console.store_port}"),
    )


def begin_upload(visitor: Visitor, key: str, size: int) -> dict[str, Any]:
    path = f"/b/{CONNECTION}/{BUCKET}/uploads/"
    started: dict[str, Any] = json.loads(visitor.post(path, {"key": key, "size": size}, as_json=True))
    return started


def send_slices(visitor: Visitor, started: dict[str, Any], content: bytes) -> None:
    size = started["part_size"]
    with ThreadPoolExecutor(4) as pool:
        sent = [
            pool.submit(visitor.slice_put, f"{started['slice_url']}{number}", content[start : start + size])
            for number, start in enumerate(range(0, len(content), size), 1)
        ]
        for future in sent:
            future.result()


def wait_until_done(visitor: Visitor, job: str, console: RunningConsole, *, seconds: float = 90) -> None:
    def state() -> bool:
        now = visitor.json(f"/transfers/{job}/")["state"]
        assert now not in {"parked", "canceled"}, console.log()
        return now == "done"

    wait_for(state, seconds=seconds, why=f"The job did not end: {console.log()}")


def assert_whole(client: CosClient, key: str, content: bytes) -> None:
    head = client.head_object(Bucket=BUCKET, Region=REGION, Key=key)
    assert int(head["content-length"]) == len(content)
    assert head["CRC64"] == str(crc64_update(content))
    left = client.multipart_list(Bucket=BUCKET, Region=REGION, Prefix=key)
    assert not left.get("Upload")


def test_worker_killed_in_the_middle_of_an_upload(
    console: RunningConsole, visitor: Visitor, client: CosClient
) -> None:
    content = os.urandom(64 * MIB)
    others = set((console.folder / "spool").iterdir()) if (console.folder / "spool").exists() else set()
    console.faults(SLOW_PARTS)
    started = begin_upload(visitor, "survival/upload.bin", len(content))
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send_slices, visitor, started, content)
        wait_for(lambda: visitor.json(started["state_url"])["done"] > 0, seconds=30, why="Nothing was sent.")

        console.kill("worker")
        sending.result()

    console.faults()
    wait_until_done(visitor, started["job"], console)
    assert_whole(client, "survival/upload.bin", content)
    assert set((console.folder / "spool").iterdir()) <= others


def test_worker_killed_in_the_middle_of_a_copy(
    console: RunningConsole, visitor: Visitor, client: CosClient
) -> None:
    content = os.urandom(96 * MIB)
    client.put_object(Bucket=BUCKET, Region=REGION, Key="survival/source.bin", Body=content)
    console.faults({**SLOW_PARTS, "seconds": 3})
    job = begin_copy(visitor, "survival/source.bin", "survival/copy.bin")
    wait_for(
        lambda: visitor.json(f"/transfers/{job}/")["state"] == "running", seconds=30, why="No part is copied."
    )

    console.kill("worker")

    console.faults()
    wait_until_done(visitor, job, console)
    assert_whole(client, "survival/copy.bin", content)


def begin_copy(visitor: Visitor, source: str, target: str) -> str:
    path = f"/b/{CONNECTION}/{BUCKET}/object/copy/?key={source}"
    page = visitor.post(path, {"bucket": BUCKET, "key": target}).decode()
    return page.split('data-job="')[1].split('"')[0]


def test_redis_flushed_while_an_upload_runs(
    console: RunningConsole, visitor: Visitor, client: CosClient
) -> None:
    content = os.urandom(40 * MIB)
    console.faults(SLOW_PARTS)
    started = begin_upload(visitor, "survival/flushed.bin", len(content))
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send_slices, visitor, started, content)
        before = wait_for(
            lambda: visitor.json(started["state_url"])["done"], seconds=30, why="Nothing was sent."
        )

        console.redis_flush()
        after = visitor.json(started["state_url"])["done"]
        sending.result()

    assert after >= before - 4 * started["part_size"]
    assert after > 0
    wait_until_done(visitor, started["job"], console)
    assert_whole(client, "survival/flushed.bin", content)
