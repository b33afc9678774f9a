from __future__ import annotations

from django.test import Client


def test_post_signs_out(owner_client: Client) -> None:
    response = owner_client.post("/sign-out/")

    assert response["Location"] == "/sign-in/"
    assert "_auth_user_id" not in owner_client.session


def test_get_changes_nothing(owner_client: Client) -> None:
    assert owner_client.get("/sign-out/").status_code == 405
    assert "_auth_user_id" in owner_client.session
