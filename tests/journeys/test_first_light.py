"""The whole way of a newcomer: sign in, browse, upload, reload, download, copy, delete."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.running import RunningConsole, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

MIB = 1 << 20
FOLDER = "/b/demo-store/team-files-1250000000/objects/?prefix=inbox/"
SLOW_PARTS = {"kind": "delay", "operation": "UploadPart*", "seconds": 5, "count": None}


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / f"film 中文 {secrets.token_hex(3)}.bin"
    path.write_bytes(os.urandom(64 * MIB))
    return path


def pick(page: Page, *paths: Path) -> None:
    page.set_input_files("[data-upload-pick=files]", [str(path) for path in paths])


def job_of(page: Page, title: str) -> str:
    page.goto("/jobs/")
    row = page.locator("article.job", has_text=title).first
    return row.get_attribute("data-job") or ""


def choose_again(page: Page, job: str, path: Path) -> None:
    """Pick the file of an upload whose page was closed, on that job's page."""
    page.goto(f"/jobs/{job}/")
    expect(page.locator("#job-detail [data-waiting]")).to_be_visible(timeout=15_000)
    page.set_input_files("#job-detail [data-waiting] input[type=file]", str(path))


def bytes_sent(page: Page) -> list[tuple[int, int]]:
    """Return what has left the browser, and the size, of each file in the tray."""
    bars = page.locator("[data-upload-line] progress:first-child")
    pairs: list[tuple[int, int]] = bars.evaluate_all("bars => bars.map(bar => [bar.value, bar.max])")
    return pairs


def wait_until_received(page: Page) -> None:
    """Wait until this page has begun to send, and is not needed any more."""
    wait_for(lambda: bytes_sent(page), seconds=20, why="The page does not send.")
    wait_for(
        lambda: all(sent == size for sent, size in bytes_sent(page)), seconds=60, why="The page still sends."
    )


def wait_until_done(page: Page, job: str) -> None:
    page.goto(f"/jobs/{job}/")
    expect(page.locator(f"[data-job='{job}'][data-state='done']").first).to_be_visible(timeout=60_000)


def test_newcomer_signs_in_and_moves_real_bytes(
    context: BrowserContext, complaints: list[str], console: RunningConsole, film: Path, tmp_path: Path
) -> None:
    page = context.new_page()
    page.goto("/buckets/")
    expect(page).to_have_url(f"{console.address}/sign-in/?next=/buckets/")
    page.goto(console.link())
    page.locator("main button[type=submit]").click()
    page.goto("/buckets/")
    page.get_by_role("link", name="team-files-1250000000", exact=True).click()
    page.get_by_role("link", name="inbox/", exact=True).click()
    expect(page).to_have_url(f"{console.address}/b/demo-store/team-files-1250000000/objects/?prefix=inbox/")

    console.faults(SLOW_PARTS)
    pick(page, film)
    expect(page.locator("[data-upload-line]")).to_contain_text(film.name)
    wait_for(lambda: sum(sent for sent, _size in bytes_sent(page)), seconds=20, why="Nothing is sent.")
    job = job_of(page, film.name)
    page.reload()
    console.faults()
    choose_again(page, job, film)
    wait_until_received(page)
    wait_until_done(page, job)

    page.goto(FOLDER)
    row = page.locator("tr", has_text=film.name)
    expect(row).to_contain_text("64")
    with page.expect_download() as download:
        row.get_by_role("link", name="Download").click()
    fetched = tmp_path / "fetched"
    download.value.save_as(fetched)
    assert download.value.suggested_filename == film.name
    assert fetched.read_bytes() == film.read_bytes()

    row.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Copy to").click()
    page.locator("select[name=bucket]").select_option("archive-1250000000")
    page.get_by_role("button", name="Start", exact=True).click()
    copied = page.locator("[data-job]").first.get_attribute("data-job") or ""
    wait_until_done(page, copied)

    for bucket in ("archive-1250000000", "team-files-1250000000"):
        page.goto(f"/b/demo-store/{bucket}/objects/?prefix=inbox/")
        page.locator("tr", has_text=film.name).get_by_role("button", name="More actions").click()
        page.get_by_role("menuitem", name="Delete").click()
        page.get_by_role("button", name="Delete object").click()
        expect(page.locator("tr", has_text=film.name)).to_have_count(0)


def test_closed_page_waits_for_its_file(page: Page, console: RunningConsole, film: Path) -> None:
    console.faults(SLOW_PARTS)
    page.goto(FOLDER)
    pick(page, film)
    wait_for(lambda: sum(sent for sent, _size in bytes_sent(page)) > 8e6, seconds=20, why="Nothing is sent.")
    job = job_of(page, film.name)
    page.reload()
    console.faults()

    other = film.with_name("other.bin")
    other.write_bytes(b"not the same")
    choose_again(page, job, other)
    expect(page.get_by_role("alert")).to_contain_text("67,108,864")
    choose_again(page, job, film)
    wait_until_received(page)
    wait_until_done(page, job)


def test_paused_upload_goes_on_where_it_was(page: Page, console: RunningConsole, film: Path) -> None:
    console.faults(SLOW_PARTS)
    page.goto(FOLDER)
    pick(page, film)
    page.get_by_role("button", name="Pause").first.click()
    expect(page.get_by_role("button", name="Resume").first).to_be_visible()
    console.faults()

    page.get_by_role("button", name="Resume").first.click()

    wait_until_received(page)
    wait_until_done(page, job_of(page, film.name))


def test_canceled_upload_leaves_nothing(page: Page, console: RunningConsole, film: Path) -> None:
    console.faults(SLOW_PARTS)
    page.goto(FOLDER)
    pick(page, film)
    page.get_by_role("button", name="Cancel").first.click()

    job = job_of(page, film.name)
    page.goto(f"/jobs/{job}/")
    expect(page.locator(f"[data-job='{job}'][data-state='canceled']").first).to_be_visible(timeout=20_000)
    assert [path for path in (console.folder / "spool").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_small_and_empty_files_take_one_request(
    page: Page, console: RunningConsole, tmp_path: Path, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    small, empty = tmp_path / f"small-{width}.txt", tmp_path / f"empty-{width}.txt"
    small.write_text("hello")
    empty.touch()
    page.goto(FOLDER)
    pick(page, small, empty)

    for path in (small, empty):
        expect(page.locator("#object-list tr", has_text=path.name)).to_be_visible(timeout=30_000)


def test_key_that_is_taken_is_a_question(page: Page, complaints: list[str], tmp_path: Path) -> None:
    """The check before the upload has missed it, as when somebody else was faster."""
    path = tmp_path / "taken.txt"
    page.route("**/uploads/preflight/", lambda route: route.fulfill(json={"files": [{"state": "new"}]}))
    question = page.locator("dialog[open]")
    for content, answer, name in (
        ("first", None, "taken.txt"),
        ("second", "Keep both", "taken (1).txt"),
        ("third", "Skip", "taken.txt"),
    ):
        path.write_text(content)
        page.goto(FOLDER)
        pick(page, path)
        if answer:
            page.get_by_role("button", name=answer).click()
        expect(question).to_have_count(0)
        expect(page.locator("#object-list tr", has_text=name)).to_have_count(1)
        expect(page.locator("[data-upload-line]")).to_have_count(0)

    page.goto(FOLDER)
    expect(page.locator("tr", has_text="taken.txt")).to_have_count(1)
    expect(page.locator("tr", has_text="taken (1).txt")).to_have_count(1)
    # The browser logs every 409, and here each is the question that was asked.
    assert all("409" in words for words in complaints)
    complaints.clear()
