from __future__ import annotations

from django.test import Client
from django.urls import reverse

from apps.accounts.models import Person
from apps.accounts.services import sign_in_link_create

URL = "/password/"
OLD, NEW = "correct horse battery", "staple paper clip 9"


def test_stranger_is_asked_to_sign_in(client: Client, db: None) -> None:
    assert client.get(URL)["Location"] == "/sign-in/?next=/password/"


def test_change_needs_the_old_password(owner_client: Client, owner: Person) -> None:
    wrong = owner_client.post(URL, {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW})
    right = owner_client.post(URL, {"old_password": OLD, "new_password1": NEW, "new_password2": NEW})

    assert wrong.status_code == 422
    assert right["Location"] == reverse("home")
    owner.refresh_from_db()
    assert owner.check_password(NEW)


def test_session_outlives_the_change(owner_client: Client) -> None:
    owner_client.post(URL, {"old_password": OLD, "new_password1": NEW, "new_password2": NEW})

    assert owner_client.get(URL).status_code == 200


def test_after_a_link_no_old_password_is_asked(client: Client, owner: Person) -> None:
    client.post(sign_in_link_create(owner))

    page = client.get(URL)
    response = client.post(URL, {"new_password1": NEW, "new_password2": NEW})

    assert "Not now" in page.text
    assert "old_password" not in page.text
    assert response.status_code == 302
    owner.refresh_from_db()
    assert owner.check_password(NEW)


def test_that_is_true_once(client: Client, owner: Person) -> None:
    client.post(sign_in_link_create(owner))
    client.post(URL, {"new_password1": NEW, "new_password2": NEW})

    assert "old_password" in client.get(URL).text


def test_weak_password_is_refused_with_a_reason(client: Client, owner: Person) -> None:
    client.post(sign_in_link_create(owner))

    response = client.post(URL, {"new_password1": "12345", "new_password2": "12345"})

    assert response.status_code == 422
    assert "too short" in response.text
