"""Uploads go on with their file: after the tab is gone, on another computer, beside somebody else's."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.running import RunningConsole, Visitor, shot, wait_for
from tests.journeys.test_survival import BUCKET, assert_whole, client, wait_until_done

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
    page: Page, context: BrowserContext, console: RunningConsole, visitor: Visitor, client: object, film: Path
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
    assert_whole(client, f"resuming/{film.name}", content)  # type: ignore[arg-type]
