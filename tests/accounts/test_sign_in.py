from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.signals import user_login_failed
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Person, SignInFailure
from apps.accounts.services import FAILURES_MAX, FAILURES_WINDOW

URL = "/sign-in/"
PASSWORD = "correct horse battery"


def attempt(client: Client, password: str, username: str = "owner", **extra: str) -> int:
    return client.post(URL, {"username": username, "password": password, **extra}).status_code


def test_page_asks_for_name_and_password(client: Client) -> None:
    response = client.get(URL)

    assert response.status_code == 200
    assert 'autocomplete="current-password"' in response.text


def test_right_password_signs_in(client: Client, owner: Person) -> None:
    response = client.post(URL, {"username": "owner", "password": PASSWORD})

    assert response.status_code == 302
    assert response["Location"] == reverse("home")
    assert client.session["_auth_user_id"] == str(owner.pk)


def test_goes_on_to_the_page_that_was_asked_for(client: Client, owner: Person) -> None:
    response = client.post(URL, {"username": "owner", "password": PASSWORD, "next": "/jobs/?state=done"})

    assert response["Location"] == "/jobs/?state=done"


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_never_goes_on_to_another_site(client: Client, owner: Person, next_url: str) -> None:
    response = client.post(URL, {"username": "owner", "password": PASSWORD, "next": next_url})

    assert response["Location"] == reverse("home")


def test_wrong_password_says_so_beside_the_form(client: Client, owner: Person) -> None:
    response = client.post(URL, {"username": "owner", "password": "wrong"})

    assert response.status_code == 422
    assert "do not match" in response.text
    assert "_auth_user_id" not in client.session


def test_unknown_name_gets_the_same_answer(client: Client, owner: Person) -> None:
    known = client.post(URL, {"username": "owner", "password": "wrong"})
    unknown = client.post(URL, {"username": "nobody", "password": "wrong"})

    assert known.status_code == unknown.status_code == 422
    assert "do not match" in unknown.text


def test_too_many_failures_refuse_even_the_right_password(client: Client, owner: Person) -> None:
    for _ in range(FAILURES_MAX):
        assert attempt(client, "wrong") == 422

    response = client.post(URL, {"username": "owner", "password": PASSWORD})

    assert response.status_code == 422
    assert "Too many failed attempts. Try again in 15 minutes." in response.text


def test_guesses_at_the_same_time_do_not_pass_the_limit(client: Client, owner: Person) -> None:
    looked_at: list[str] = []

    def guess_meanwhile(**_: object) -> None:
        # The password before this one was looked at, but its answer is not sent yet.
        looked_at.append("wrong")
        if len(looked_at) < 4 * FAILURES_MAX:
            attempt(Client(), "wrong")

    user_login_failed.connect(guess_meanwhile)
    try:
        attempt(client, "wrong")
    finally:
        user_login_failed.disconnect(guess_meanwhile)

    assert len(looked_at) == FAILURES_MAX
    assert SignInFailure.objects.count() == FAILURES_MAX


def test_refused_attempts_do_not_prolong_the_wait(client: Client, owner: Person) -> None:
    for _ in range(FAILURES_MAX + 3):
        attempt(client, "wrong")

    assert SignInFailure.objects.count() == FAILURES_MAX


def test_one_failure_fewer_is_forgiven(client: Client, owner: Person) -> None:
    for _ in range(FAILURES_MAX - 1):
        attempt(client, "wrong")

    assert attempt(client, PASSWORD) == 302
    assert not SignInFailure.objects.exists()


def test_failures_are_forgotten_in_time(client: Client, owner: Person) -> None:
    for _ in range(FAILURES_MAX):
        attempt(client, "wrong")
    for failure in SignInFailure.objects.all():
        failure.failed_at -= FAILURES_WINDOW + timedelta(seconds=1)
        failure.save()

    assert attempt(client, PASSWORD) == 302


def test_failures_of_one_address_do_not_lock_out_another(client: Client, owner: Person) -> None:
    for _ in range(FAILURES_MAX):
        attempt(client, "wrong")

    response = client.post(URL, {"username": "owner", "password": PASSWORD}, REMOTE_ADDR="192.0.2.7")

    assert response.status_code == 302


def test_upper_case_does_not_evade_the_count(client: Client, owner: Person) -> None:
    for name in ("owner", "Owner", "OWNER", "oWner", "ownER"):
        attempt(client, "wrong", username=name)

    response = client.post(URL, {"username": "owner", "password": PASSWORD})

    assert "Too many failed attempts" in response.text


def test_inactive_person_stays_out(client: Client, owner: Person) -> None:
    owner.is_active = False
    owner.save()

    assert attempt(client, PASSWORD) == 422


def test_signed_in_person_is_led_on(owner_client: Client) -> None:
    assert owner_client.get(URL)["Location"] == reverse("home")


def test_form_without_token_is_refused(owner: Person) -> None:
    response = Client(enforce_csrf_checks=True).post(URL, {"username": "owner", "password": PASSWORD})

    assert response.status_code == 403
    assert "This form is too old" in response.text
