"""Several web servers and workers as one console; `docs/scaling.md` promises what is tried here."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from apps.localstore.server import LocalStore
from apps.storage.registry import store_open
from apps.storage.store import ObjectStore
from apps.storage.types import Credentials, Endpoint
from tests.conftest import ACCOUNT, REGION
from tests.console.fleet import WEBS, Fleet, wait_for

pytestmark = pytest.mark.xdist_group("fleet")

MIB = 1 << 20
SIZE = int(os.environ.get("FLEET_MIB", "40")) * MIB + 12345


@pytest.fixture(scope="module")
def fleet(_running_store: LocalStore, _running_redis: int) -> Iterator[Fleet]:
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="console-fleet-", dir=memory) as folder:
        # A database of its own: tests of this process may use Redis, too, but never this one.
        fleet = Fleet(Path(folder), redis_url=f"redis://127.0.0.1:{_running_redis}/7")
        try:
            fleet.start(
                {
                    "port": _running_store.port,
                    "region": REGION,
                    "secret_id": ACCOUNT.secret_id,
                    "secret_key": ACCOUNT.secret_key,
                }
            )
            yield fleet
        finally:
            fleet.stop()


@pytest.fixture(scope="module")
def store(_running_store: LocalStore) -> ObjectStore:
    """The store without the console: what it says is not what the console believes."""
    return store_open(
        "cos",
        credentials=Credentials(secret_id=ACCOUNT.secret_id, secret_key=ACCOUNT.secret_key),
        endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{_running_store.port}"),
    )


@pytest.fixture(scope="module")
def bucket(store: ObjectStore) -> str:
    name = f"fleet-{secrets.token_hex(4)}-{ACCOUNT.appid}"
    store.create_bucket(bucket=name, region=REGION)
    return name


@pytest.fixture(scope="module")
def content() -> bytes:
    return os.urandom(SIZE)


def started(fleet: Fleet, web: str, bucket: str, key: str, size: int) -> dict[str, Any]:
    path = f"/b/{fleet.page['connection']}/{bucket}/uploads/"
    status, answer = fleet.ask(web, "POST", path, key=key, size=size, type="application/x-test", replace=True)
    assert status == 201, answer
    found: dict[str, Any] = answer
    return found


def slices_of(upload: dict[str, Any], content: bytes) -> list[tuple[str, bytes]]:
    size = upload["part_size"]
    return [
        (f"{upload['slice_url']}{number + 1}", content[number * size : (number + 1) * size])
        for number in range(upload["parts"])
    ]


def is_stored(store: ObjectStore, bucket: str, key: str, content: bytes) -> bool:
    digest = hashlib.sha256()
    with closing(store.get_object(bucket=bucket, region=REGION, key=key)) as body:
        for data in body:
            digest.update(data)
    return digest.digest() == hashlib.sha256(content).digest()


def heard_until_done(page: HTTPResponse, job: str) -> list[str]:
    """Return the states of a job that a live page was told, up to the last one."""
    states: list[str] = []
    for line in page:
        if line.startswith(b"data: ") and (message := json.loads(line[6:]))["id"] == job:
            states.append(message["state"])
            if message["state"] == "done":
                return states
    raise AssertionError(f"the page was cut off after {states}")


def test_slices_of_one_upload_go_through_both_webs(
    fleet: Fleet, store: ObjectStore, bucket: str, content: bytes
) -> None:
    with fleet.page_open("web-2") as page:
        upload = started(fleet, "web-1", bucket, "alternating.bin", SIZE)
        for number, (url, data) in enumerate(slices_of(upload, content)):
            fleet.slice_send([WEBS[number % 2]], url, data)

        # The other web server's pages hear of it as it happens.
        assert "done" in heard_until_done(page, upload["job"])

    fleet.wait_done("web-2", upload["job"])
    assert is_stored(store, bucket, "alternating.bin", content)


def test_copy_in_parts_started_on_one_web_is_seen_on_the_other(
    fleet: Fleet, store: ObjectStore, bucket: str, content: bytes
) -> None:
    upload = started(fleet, "web-2", bucket, "source.bin", SIZE)
    for url, data in slices_of(upload, content):
        fleet.slice_send(["web-1"], url, data)
    fleet.wait_done("web-1", upload["job"])

    path = f"/b/{fleet.page['connection']}/{bucket}/object/copy/?key=source.bin"
    status, location = fleet.ask("web-1", "POST", path, form={"bucket": bucket, "key": "copied.bin"})
    assert status == 302, location
    found = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", location)
    assert found is not None, location

    fleet.wait_done("web-2", found[0])
    assert is_stored(store, bucket, "copied.bin", content)


def test_upload_survives_the_loss_of_a_web_and_a_worker(
    fleet: Fleet, store: ObjectStore, bucket: str, content: bytes
) -> None:
    upload = started(fleet, "web-2", bucket, "survivor.bin", SIZE)
    slices = slices_of(upload, content)
    for url, data in slices[:2]:
        fleet.slice_send(["web-2"], url, data)
    fleet.kill("web-2")
    fleet.kill("slices")
    fleet.worker_start("slices")

    for url, data in slices[2:]:
        fleet.slice_send(["web-2", "web-1"], url, data)

    fleet.wait_done("web-1", upload["job"])
    assert is_stored(store, bucket, "survivor.bin", content)
    wait_for(lambda: not list(fleet.spool.iterdir()), "the spool was not emptied")
    fleet.web_start("web-2")
    fleet.web_wait("web-2")
