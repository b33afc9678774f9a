"""The sheet before an upload: how files stand, what can be done about it, and when it begins by itself."""

from __future__ import annotations

import secrets
from urllib.parse import quote

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.journeys.running import RunningConsole, Visitor, shot, wait_for
from tests.journeys.test_accessibility import assert_readable

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(120)]

BUCKET = "/b/demo-store/team-files-1250000000/"


@pytest.fixture
def folder() -> str:
    return f"sheet-{secrets.token_hex(3)}/"


@pytest.fixture
def sheet(page: Page, folder: str) -> Page:
    page.goto(f"{BUCKET}objects/?prefix={folder}")
    return page


def text(name: str, content: str, kind: str = "text/plain") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content.encode()}


def pick(page: Page, *files: FilePayload) -> None:
    page.set_input_files("[data-upload-pick=files]", list(files))


def upload(page: Page, *files: FilePayload) -> None:
    """Send a few new files, which needs no decision, and wait until the list shows them."""
    pick(page, *files)
    for file in files:
        expect(page.locator("#object-list tr", has_text=file["name"])).to_be_visible(timeout=40_000)


def stored(visitor: Visitor, folder: str, name: str) -> bytes:
    return visitor.get(f"{BUCKET}object/download?key={folder}{quote(name)}")


def test_new_identical_and_different_files(
    sheet: Page, console: RunningConsole, visitor: Visitor, folder: str
) -> None:
    upload(sheet, text("same.txt", "12345"), text("other.txt", "abc"), text("as-long.txt", "abc"))
    expect(sheet.locator("dialog")).to_have_count(0)

    pick(
        sheet,
        text("same.txt", "12345"),
        text("other.txt", "changed"),
        text("as-long.txt", "xyz"),
        text("new.html", "<p>", "text/html"),
    )
    dialog = sheet.get_by_role("dialog")
    expect(dialog.locator("tr[data-row]", has_text="same.txt")).to_contain_text("Identical")
    expect(dialog.locator("tr[data-row]", has_text="as-long.txt")).to_contain_text("Different")
    expect(dialog.locator("tr[data-row]", has_text="other.txt")).to_contain_text("There: 3 B, changed")
    expect(dialog.get_by_role("button", name="Send 1 file")).to_be_disabled()
    shot(sheet, "upload-sheet")
    dialog.get_by_role("button", name="Keep both of all").first.click()
    dialog.get_by_label("What to do with as-long.txt").select_option("replace")
    dialog.get_by_role("button", name="Send 3 files").click()

    expect(sheet.locator("#object-list tr", has_text="other (1).txt")).to_be_visible(timeout=40_000)
    expect(sheet.locator("#object-list tr", has_text="new.html")).to_be_visible(timeout=40_000)
    wait_for(
        lambda: stored(visitor, folder, "as-long.txt") == b"xyz",
        seconds=40,
        why="Nothing was replaced.",
    )
    assert stored(visitor, folder, "other.txt") == b"abc"
    assert stored(visitor, folder, "other (1).txt") == b"changed"


def test_bad_names_become_better_ones(sheet: Page, console: RunningConsole) -> None:
    pick(
        sheet,
        text("tab\tname.txt", "1"),
        text("trail.txt ", "2"),
        text("Twin.txt", "3"),
        text("twin.txt", "4"),
    )
    dialog = sheet.get_by_role("dialog")
    expect(dialog.locator("[data-group=problem]")).to_contain_text("3 with a name that needs a look")
    shot(sheet, "upload-sheet-names")
    # A button that is still changing its color is nothing to measure.
    sheet.emulate_media(reduced_motion="reduce")
    dialog.get_by_role("button", name="Edit name and type of Twin.txt", exact=True).click()
    assert_readable(sheet)
    dialog.get_by_text("What the objects get").click()
    dialog.get_by_label("Access").select_option("public-read")
    assert_readable(sheet)
    dialog.get_by_role("button", name="Clear all").click()

    dialog.get_by_role("button", name="Use better names").click()
    dialog.get_by_role("button", name="Send 4 files").click()

    for name in ("tab_name.txt", "trail.txt", "Twin.txt", "twin (1).txt"):
        expect(sheet.locator("#object-list tr", has_text=name)).to_be_visible(timeout=40_000)


def test_public_objects_take_a_typed_word_and_mistakes_lose_nothing(
    sheet: Page, console: RunningConsole, complaints: list[str]
) -> None:
    sheet.get_by_text("Upload", exact=True).click()
    sheet.get_by_label("Ask before a few new files, too").check()
    pick(sheet, text("page.html", "<p>", "text/html"))
    dialog = sheet.get_by_role("dialog")
    dialog.get_by_text("What the objects get").click()
    dialog.get_by_role("button", name="Web file that never changes").click()
    dialog.get_by_label("Expires").fill("some day")
    dialog.get_by_label("Access").select_option("public-read")
    dialog.get_by_role("button", name="Send 1 file").click()
    expect(dialog.get_by_text("This is no date that the console can read.")).to_be_visible()
    expect(dialog.get_by_text("Type the word public: strangers")).to_be_visible()
    # The browser reports each answer of 422 by itself.
    complaints.clear()
    shot(sheet, "upload-sheet-mistakes")

    dialog.get_by_label("Expires").fill("2027-01-31")
    dialog.get_by_label("Type the word public to confirm").fill("public")
    dialog.get_by_role("button", name="Send 1 file").click()

    found = sheet.locator("#object-list tr", has_text="page.html")
    expect(found).to_contain_text("Public", timeout=40_000)
    pick(sheet, text("next.html", "<p>", "text/html"))
    expect(dialog.get_by_label("Cache-Control")).to_have_value("public, max-age=31536000, immutable")
    expect(dialog.get_by_label("Type the word public to confirm")).to_have_value("")
    sheet.keyboard.press("Escape")
    expect(sheet.get_by_role("dialog")).to_have_count(0)
    expect(sheet.locator("#object-list tr", has_text="next.html")).to_have_count(0)


def test_keyboard_alone_is_enough(
    sheet: Page, console: RunningConsole, visitor: Visitor, folder: str
) -> None:
    upload(sheet, text("a.txt", "1"))
    pick(sheet, text("a.txt", "22"))
    expect(sheet.get_by_role("button", name="Keep both of all").first).to_be_focused()

    sheet.keyboard.press("Tab")
    sheet.keyboard.press("Enter")
    expect(sheet.get_by_role("button", name="Replace all").first).to_have_attribute("aria-pressed", "true")
    start = sheet.get_by_role("button", name="Send 1 file")
    for _step in range(30):
        if start.evaluate("button => button === document.activeElement"):
            break
        sheet.keyboard.press("Tab")
    sheet.keyboard.press("Enter")

    expect(sheet.get_by_role("dialog")).to_have_count(0)
    wait_for(lambda: stored(visitor, folder, "a.txt") == b"22", seconds=40, why="Nothing was replaced.")


def test_dropped_on_a_folder_pasted_and_on_a_phone(
    sheet: Page, console: RunningConsole, visitor: Visitor, folder: str
) -> None:
    sheet.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(['x'], '', { type: 'image/png' }));
            document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
        }"""
    )
    name = sheet.get_by_role("dialog").get_by_label("Name in the bucket")
    expect(name).to_be_focused()
    name.fill(f"{folder}sub/picture.png")
    sheet.keyboard.press("Enter")
    sheet.set_viewport_size({"width": 390, "height": 844})
    shot(sheet, "upload-sheet-phone")
    sheet.get_by_role("button", name="Send 1 file").click()
    expect(sheet.get_by_role("dialog")).to_have_count(0)
    sheet.set_viewport_size({"width": 1280, "height": 800})
    wait_for(
        lambda: sheet.reload() and sheet.locator("#object-list a", has_text="sub/").count(),
        seconds=40,
        why="The pasted picture did not arrive.",
    )

    drop = """(row, type) => {
        const data = new DataTransfer();
        data.items.add(new File(['y'], 'dropped.txt', { type: 'text/plain' }));
        row.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    target = sheet.locator("#object-list tbody tr", has_text="sub/")
    target.evaluate(drop, "dragover")
    expect(sheet.locator(".drop-veil")).to_contain_text(f"{folder}sub/")
    target.evaluate(drop, "drop")
    expect(sheet.locator("#tray")).to_contain_text("dropped.txt", timeout=40_000)
    wait_for(
        lambda: f"{folder}sub/dropped.txt".encode() in visitor.get(f"{BUCKET}objects/?prefix={folder}sub/"),
        seconds=40,
        why="The dropped file did not arrive.",
    )
