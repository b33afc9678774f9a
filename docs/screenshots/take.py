"""Take the pictures of the README from a fresh console with its demo: `make screenshots`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CHROMIUM = "/usr/bin/chromium"
SIZE: ViewportSize = {"width": 1280, "height": 800}
PORT = "8790"


def main() -> None:
    data = Path(tempfile.mkdtemp(prefix="console-pictures-"))
    environ = {**os.environ, "DATA_DIR": str(data), "PORT": PORT, "LOCALSTORE_PORT": "8791"}
    process = subprocess.Popen([sys.executable, "manage.py", "up"], cwd=ROOT, env=environ)
    try:
        state = wait_ready(data / "run" / "up.json", process)
        with sync_playwright() as playwright:
            binary = CHROMIUM if Path(CHROMIUM).exists() else None
            browser = playwright.chromium.launch(executable_path=binary)
            take(browser, state)
            browser.close()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        shutil.rmtree(data)


def wait_ready(path: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    while process.poll() is None:
        state = json.loads(path.read_text()) if path.exists() else {}
        if "link" in state:
            return dict(state)
        time.sleep(0.2)
    raise SystemExit("The console did not start.")


def take(browser: Browser, state: dict[str, Any]) -> None:
    page = browser.new_page(viewport=SIZE, locale="en-US")
    page.goto(state["link"])
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(lambda url: "sign-in" not in url)
    bucket = f"{state['address'].rstrip('/')}/b/demo-store/team-files-1250000000"
    objects = f"{bucket}/objects/"
    picture(page, f"{objects}?prefix=projects/aurora/", "objects")
    overview(page, f"{bucket}/")
    picture(page, f"{bucket}/cors/lab/?live=1", "cors-lab", height=960)
    plan(page, f"{objects}?prefix=projects/")
    upload(page, objects)
    page.emulate_media(color_scheme="dark")
    picture(page, objects, "objects-dark")


def overview(page: Page, address: str) -> None:
    """Count a bucket, and show what was found."""
    page.goto(address)
    page.get_by_role("button", name="Count now").click()
    page.wait_for_selector("svg.treemap", timeout=30_000)
    picture(page, address, "overview", height=1240)


def plan(page: Page, address: str) -> None:
    """Have a folder's deletion planned, and leave it at that."""
    page.goto(address)
    page.locator("#object-list thead input[type=checkbox]").check()
    page.locator("[data-bulk] button[value=delete]").click()
    page.wait_for_selector("main .btn-danger", timeout=30_000)
    picture(page, page.url, "plan", height=1240)


def upload(page: Page, objects: str) -> None:
    """Send a file, so that there is a job to show."""
    page.goto(objects)
    field = page.locator("input[type=file]").first
    if field.count():
        field.set_input_files(
            {"name": "holiday.mp4", "mimeType": "video/mp4", "buffer": os.urandom(40 << 20)}
        )
        page.wait_for_timeout(5000)


def picture(page: Page, address: str, name: str, *, height: int = SIZE["height"]) -> None:
    page.set_viewport_size({**SIZE, "height": height})
    page.goto(address)
    page.wait_for_load_state("load")
    page.wait_for_timeout(500)
    page.screenshot(path=HERE / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    main()
