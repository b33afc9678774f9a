from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_choice_is_kept_and_rendered(client: Client, db: None, theme: str) -> None:
    response = client.post("/theme/", {"theme": theme, "next": "/sign-in/"})

    assert response["Location"] == "/sign-in/"
    assert f'data-theme="{theme}"' in client.get("/sign-in/").text


def test_dark_comes_without_a_flash(client: Client, db: None) -> None:
    client.cookies["console_theme"] = "dark"

    assert 'data-bs-theme="dark"' in client.get("/sign-in/").text


def test_nonsense_is_not_kept(client: Client, db: None) -> None:
    client.post("/theme/", {"theme": '"><script>'})

    assert "console_theme" not in client.cookies


def test_nonsense_in_the_cookie_is_not_rendered(client: Client, db: None) -> None:
    client.cookies["console_theme"] = "neon"

    assert 'data-theme="auto"' in client.get("/sign-in/").text
