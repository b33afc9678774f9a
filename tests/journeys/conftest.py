from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.journeys.running import RunningConsole, Visitor

# Chromium's own calls home are refused by a closed network, many at a time, and would fill the log.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What is there is found at once; only a journey that fails, or a machine that is busy, takes so long.
PATIENCE_MS = 20_000


@pytest.fixture(scope="session")
def _running_console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningConsole]:
    console = RunningConsole(folder=tmp_path_factory.mktemp("console") / "data")
    console.start()
    yield console
    console.stop()
    shutil.rmtree(console.folder, ignore_errors=True)


@pytest.fixture
def console(_running_console: RunningConsole) -> Iterator[RunningConsole]:
    """A whole console, the same for all journeys, without faults at the start and end of each."""
    _running_console.faults()
    yield _running_console
    _running_console.faults()


@pytest.fixture(scope="session")
def visitor(_running_console: RunningConsole) -> Visitor:
    """The administrator, signed in by a link."""
    visitor = Visitor(_running_console)
    visitor.sign_in(_running_console.link())
    return visitor


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Playwright's loop would otherwise make Django refuse the database in the tests that share the process.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, console: RunningConsole) -> Iterator[BrowserContext]:
    """A fresh browser profile with no session."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, base_url=console.address, locale="en-US"
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


def is_complaint(message: ConsoleMessage) -> bool:
    # htmx reports a request that a newer one or the next page took back. One that failed it reports as well.
    return message.type == "error" and not message.text.startswith(("htmx:afterRequest", "htmx:sendAbort"))


@pytest.fixture
def complaints(context: BrowserContext) -> Iterator[list[str]]:
    """What the browser complains about; a journey ends with none."""
    heard: list[str] = []
    context.on("weberror", lambda error: heard.append(str(error.error)))
    context.on("console", lambda message: heard.append(message.text) if is_complaint(message) else None)
    yield heard
    assert heard == []


@pytest.fixture
def page(context: BrowserContext, complaints: list[str], visitor: Visitor) -> Page:
    """A page of the administrator, signed in already."""
    context.add_cookies(
        [
            {"name": item.name, "value": item.value or "", "domain": "127.0.0.1", "path": "/"}
            for item in visitor.cookies
        ]
    )
    return context.new_page()
