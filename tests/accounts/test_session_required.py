from __future__ import annotations

from django.test import Client
from django.urls import reverse


def test_page_leads_to_the_sign_in_page_and_back(client: Client, db: None) -> None:
    response = client.get("/jobs/?state=done", headers={"Accept": "text/html"})

    assert response["Location"] == "/sign-in/?next=/jobs/%3Fstate%3Ddone"


def test_fragment_makes_the_whole_page_leave(client: Client, db: None) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/jobs/?state=done"}

    response = client.get("/jobs/tray/", headers=headers)

    assert response.status_code == 401
    assert response["HX-Redirect"] == "/sign-in/?next=/jobs/%3Fstate%3Ddone"
    assert response.content == b""


def test_fragment_never_leads_to_another_site(client: Client, db: None) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example//evil.example/"}

    response = client.get("/jobs/tray/", headers=headers)

    assert response["HX-Redirect"].startswith("/sign-in/?next=")


def test_script_gets_a_sentence(client: Client, db: None) -> None:
    response = client.get("/jobs/events/", headers={"Accept": "text/event-stream"})

    assert response.status_code == 401
    assert response.json() == {"error": "You are signed out. Sign in again."}


def test_health_needs_no_session(client: Client, db: None) -> None:
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.content == b"ok\n"


def test_language_is_chosen_before_signing_in(client: Client, db: None) -> None:
    response = client.post(reverse("set_language"), {"language": "zh-hans", "next": "/sign-in/"})

    assert response["Location"] == "/sign-in/"
    assert client.cookies["console_language"].value == "zh-hans"
