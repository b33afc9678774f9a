"""From corner to corner of the console: by keyboard, by thumb, and back to where one was."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.running import shot

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("console"), pytest.mark.timeout(180)]

TEAM = "team-files-1250000000"
PHONE = {"width": 390, "height": 780}


def test_keyboard_alone_leads_to_a_bucket_and_to_a_key(page: Page) -> None:
    page.goto("/buckets/")
    expect(page.get_by_text(TEAM).first).to_be_visible()

    page.goto("/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search pages")).to_be_focused()
    page.keyboard.type("team-fi")
    expect(page.locator("dialog [role=option][aria-selected=true]")).to_contain_text(TEAM)
    shot(page, "command")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/b/demo-store/{TEAM}/objects/"))

    page.keyboard.press("Control+k")
    page.keyboard.type(f"{TEAM}/projects/aurora/")
    expect(page.locator("dialog [role=option][aria-selected=true]")).to_contain_text(
        "Folder projects/aurora/"
    )
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?prefix=projects/aurora/"))


def test_dialog_gives_the_focus_back(page: Page) -> None:
    page.goto("/jobs/")
    page.locator("#command-button").focus()
    page.keyboard.press("Control+k")
    page.keyboard.type("no such thing at all")
    expect(page.get_by_role("dialog")).to_contain_text("Nothing fits.")

    page.keyboard.press("Escape")

    expect(page.locator("dialog.command")).to_be_hidden()
    expect(page.locator("#command-button")).to_be_focused()


def test_star_brings_a_folder_home(page: Page) -> None:
    page.goto(f"/b/demo-store/{TEAM}/objects/?prefix=media/")
    star = page.get_by_role("button", name="Favorite")
    expect(star).to_have_attribute("aria-pressed", "false")
    page.wait_for_selector("#star:not(:has([hx-trigger='load']))")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")

    page.goto("/")
    expect(page.get_by_role("link", name=f"{TEAM} / media/")).to_be_visible()
    shot(page, "home")
    page.get_by_role("link", name=f"{TEAM} / media/").click()
    expect(star).to_have_attribute("aria-pressed", "true")


def test_thumb_reaches_everything_on_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Buckets").click()
    expect(page).to_have_url(re.compile("/buckets/"))

    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="Connections").click()
    expect(page).to_have_url(re.compile("/connections/"))

    page.goto(f"/b/demo-store/{TEAM}/history/")
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport()
    shot(page, "phone-history")


def test_log_is_checked_from_its_page(page: Page) -> None:
    page.goto("/activity/")
    page.get_by_role("link", name="Check the chain").click()

    expect(page.locator("#chain")).to_contain_text("The chain holds")
    shot(page, "activity")


def test_notices_of_failures_leave_room_for_the_page(page: Page) -> None:
    page.goto("/jobs/")

    for number in range(5):
        page.evaluate(
            "detail => document.body.dispatchEvent(new CustomEvent('toast', { detail }))",
            {"message": f"Failure {number}", "level": "error"},
        )

    expect(page.locator("#toasts [data-toast]")).to_have_text(["Failure 2", "Failure 3", "Failure 4"])


def test_path_that_is_not_changed_gives_the_focus_back(page: Page) -> None:
    page.goto(f"/b/demo-store/{TEAM}/objects/?prefix=media/")
    page.wait_for_load_state("load")
    page.keyboard.press("Control+l")
    expect(page.locator(".path-form input")).to_be_focused()

    page.keyboard.press("Escape")

    expect(page.locator(".path-form")).to_have_count(0)
    expect(page.locator("[data-path-edit]")).to_be_focused()


def test_breadcrumb_leads_to_the_folders_beside_one(page: Page) -> None:
    page.goto(f"/b/demo-store/{TEAM}/objects/?prefix=projects/aurora/")
    door = page.get_by_role("button", name="Folders beside aurora/")
    door.focus()
    page.keyboard.press("Enter")
    menu = page.locator(".crumb-menu:popover-open")
    expect(menu.get_by_role("link", name="breeze/")).to_be_visible()
    expect(menu.locator("[aria-current]")).to_have_text("aurora/")
    box, under = menu.bounding_box(), door.bounding_box()
    assert box is not None
    assert under is not None
    assert abs(box["x"] - under["x"]) < 2
    assert 0 <= box["y"] - under["y"] - under["height"] < 20
    shot(page, "breadcrumb-siblings")

    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(door).to_be_focused()

    page.keyboard.press("Enter")
    menu.get_by_role("link", name="breeze/").click()
    expect(page).to_have_url(re.compile(r"\?prefix=projects/breeze/"))


def test_phone_shows_the_menu_of_a_row(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]

    page.goto(f"/b/demo-store/{TEAM}/objects/?prefix=projects/aurora/")

    expect(page.locator("tbody .row-menu").last).to_be_visible()
    table = page.locator("#object-list .table-responsive")
    assert table.evaluate("part => part.scrollWidth - part.clientWidth") == 0


def test_phone_shows_where_one_is(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]

    page.goto(f"/b/demo-store/{TEAM}/object/?key=projects/aurora/budget.csv")

    expect(page.locator(".breadcrumb [aria-current]")).to_be_in_viewport(ratio=0.9)


def test_way_stays_in_sight_when_the_tools_beside_it_grow(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"/b/demo-store/{TEAM}/object/?key=projects/aurora/budget.csv")
    here = page.locator(".breadcrumb [aria-current]")
    expect(here).to_be_in_viewport(ratio=0.9)

    page.locator("#tray-button").evaluate("button => button.append('12 running')")

    expect(here).to_be_in_viewport(ratio=0.9)
