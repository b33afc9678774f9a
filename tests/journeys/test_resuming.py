"""Uploads go on with their file: after the tab is gone, on another computer, beside somebody else's."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.storage.cos import CosClient
from apps.storage.digest import crc64_update
from tests.journeys.running import RunningConsole, Visitor, shot, wait_for
from tests.journeys.test_survival import BUCKET, REGION, assert_whole, client, wait_until_done

__all__ = ["client"]

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

MIB = 1 << 20
FOLDER = f"/b/demo-store/{BUCKET}/objects/?prefix=resuming/"
# Parts that take so long that a closed tab leaves the upload unfinished for sure.
SLOW_PARTS = {"kind": "delay", "operation": "UploadPart*", "seconds": 3, "count": None}


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / f"film 中文 {secrets.token_hex(3)}.bin"
    path.write_bytes(os.urandom(64 * MIB))
    return path


def pick(page: Page, path: Path) -> None:
    page.set_input_files("[data-upload-pick=files]", str(path))


def begun(visitor: Visitor, name: str) -> str:
    """Return the job of an upload of which the console has slices, and not all."""

    def job() -> str:
        found = [one for one in visitor.json("/transfers/waiting/")["uploads"] if one["name"] == name]
        state = visitor.json(found[0]["state_url"]) if found else {"received": []}
        return str(found[0]["job"]) if len(state["received"]) > 1 else ""

    return str(wait_for(job, seconds=30, why="Nothing was received."))


def test_file_is_compared_when_it_is_picked_again(
    page: Page,
    context: BrowserContext,
    console: RunningConsole,
    visitor: Visitor,
    client: CosClient,
    film: Path,
) -> None:
    console.faults(SLOW_PARTS)
    page.goto(FOLDER)
    pick(page, film)
    job = begun(visitor, film.name)
    page.close(run_before_unload=False)
    console.faults()
    content = film.read_bytes()

    later = context.new_page()
    later.goto(f"/jobs/{job}/")
    waits = later.locator("#job-detail [data-waiting]")
    expect(waits).to_be_visible(timeout=15_000)
    held = visitor.json(f"/transfers/{job}/digests/")["parts"]
    changed = bytearray(content)
    changed[held[-1]["first_byte"] + 5] ^= 1
    film.write_bytes(changed)
    waits.locator("input[type=file]").set_input_files(str(film))
    expect(waits.get_by_role("alert")).to_contain_text(f"part {held[-1]['number']} differs")
    shot(later, "resuming-changed")
    assert visitor.json(f"/transfers/{job}/digests/")["parts"] == held

    film.write_bytes(content)
    os.utime(film, (1, 1))
    waits.locator("input[type=file]").set_input_files(str(film))
    wait_until_done(visitor, job, console)
    assert_whole(client, f"resuming/{film.name}", content)


def foreign_upload(client: CosClient, key: str, parts: dict[int, bytes]) -> str:
    """Begin an upload as some program does, with these parts, and return its id."""
    at: dict[str, Any] = {"Bucket": BUCKET, "Region": REGION, "Key": key}
    upload = client.multipart_init(**at)["UploadId"]
    for number, body in parts.items():
        client.multipart_upload(**at, UploadId=upload, PartNumber=number, Body=body)
    return str(upload)


def unfinished(page: str, key: str, upload: str) -> str:
    return f"/b/demo-store/{BUCKET}/unfinished/{page}/?{urlencode({'key': key, 'upload': upload})}"


def test_upload_of_a_program_goes_on_with_its_file(
    page: Page, console: RunningConsole, visitor: Visitor, client: CosClient, tmp_path: Path
) -> None:
    content = os.urandom(5 * MIB + 9)
    key = f"resuming/foreign {secrets.token_hex(3)}.bin"
    # The second part is another's: it is sent again once the person says so.
    upload = foreign_upload(client, key, {1: content[: 2 * MIB], 2: bytes(2 * MIB)})
    path = tmp_path / "anything.bin"
    path.write_bytes(content)

    page.goto(unfinished("upload", key, upload))
    shot(page, "unfinished-upload")
    page.set_input_files("[data-continue] input[type=file]", str(path))
    expect(page.get_by_role("alert")).to_contain_text("Part 2 does not fit this file")
    shot(page, "unfinished-doubtful")
    page.get_by_role("button", name="Send again").click()

    expect(page.get_by_role("status").filter(has_text="The upload goes on")).to_be_visible()
    (job,) = wait_for(lambda: jobs_of(visitor, key), seconds=20, why="No job.")
    wait_until_done(visitor, job, console)
    assert_whole(client, key, content)


def jobs_of(visitor: Visitor, key: str) -> list[str]:
    """Return the jobs that upload to a key, the latest first."""
    page = visitor.get("/jobs/").decode()
    uploads = re.findall(r'data-job="([0-9a-f-]+)"[^>]*data-kind="upload"', page)
    return [job for job in uploads if visitor.json(f"/transfers/{job}/")["key"] == key]


def test_parts_that_are_there_become_the_object(
    page: Page, console: RunningConsole, visitor: Visitor, client: CosClient
) -> None:
    content = os.urandom(3 * MIB)
    key = f"resuming/complete {secrets.token_hex(3)}.bin"
    upload = foreign_upload(client, key, {1: content[: 2 * MIB], 2: content[2 * MIB :]})

    page.goto(unfinished("upload", key, upload))
    page.get_by_role("link", name="Complete").click()
    shot(page, "unfinished-complete")
    page.get_by_role("button", name="Complete the upload").click()

    page.wait_for_url("**/jobs/*-*/")
    wait_until_done(visitor, page.url.rstrip("/").rpartition("/")[2], console)
    assert_whole(client, key, content)


def test_two_people_on_one_key_do_not_meet(
    page: Page, browser: Browser, console: RunningConsole, visitor: Visitor, client: CosClient, tmp_path: Path
) -> None:
    name = f"same {secrets.token_hex(3)}.bin"
    key = f"resuming/{name}"
    first, second = tmp_path / "first" / name, tmp_path / "second" / name
    for path in (first, second):
        path.parent.mkdir()
        path.write_bytes(os.urandom(24 * MIB))
    other = browser.new_context(base_url=console.address, storage_state=page.context.storage_state())
    beside = other.new_page()
    console.faults(SLOW_PARTS)

    page.goto(FOLDER)
    pick(page, first)
    wait_for(lambda: len(jobs_of(visitor, key)) == 1, seconds=20, why="The first did not begin.")
    beside.goto(FOLDER)
    pick(beside, second)
    wait_for(lambda: len(jobs_of(visitor, key)) == 2, seconds=20, why="The second did not begin.")
    jobs = jobs_of(visitor, key)
    uploads = client.multipart_list(Bucket=BUCKET, Region=REGION, Prefix=key)["Upload"]
    assert len({one["UploadId"] for one in uploads}) == 2
    console.faults()

    ended = wait_for(lambda: ends(visitor, jobs), seconds=60, why="They did not end.")
    assert sorted(ended) == ["done", "parked"]
    stored = client.head_object(Bucket=BUCKET, Region=REGION, Key=key)["CRC64"]
    assert stored in {str(crc64_update(path.read_bytes())) for path in (first, second)}
    late = jobs[ended.index("parked")]
    beside.goto(f"/jobs/{late}/")
    expect(beside.get_by_role("alert").first).to_contain_text("Somebody stored an object with this key")
    shot(beside, "two-people")
    beside.locator("#job-detail").get_by_role("button", name="Try again").click()
    wait_until_done(visitor, late, console)
    now = client.head_object(Bucket=BUCKET, Region=REGION, Key=key)["CRC64"]
    assert {stored, now} == {str(crc64_update(path.read_bytes())) for path in (first, second)}
    other.close()


def ends(visitor: Visitor, jobs: list[str]) -> list[str]:
    states = [visitor.json(f"/transfers/{job}/")["state"] for job in jobs]
    return states if set(states) <= {"done", "parked"} else []
