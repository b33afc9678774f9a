from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Person, SignInLink
from apps.accounts.services import (
    LINK_LIFETIME,
    LinkSpent,
    administrator_ensure,
    sign_in_link_create,
    sign_in_link_use,
)


def test_opening_the_link_uses_nothing_up(client: Client, owner: Person) -> None:
    path = sign_in_link_create(owner)

    responses = [client.get(path), client.head(path), client.get(path)]

    assert [response.status_code for response in responses] == [200, 200, 200]
    assert "Sign in as owner" in responses[0].text
    assert "_auth_user_id" not in client.session


def test_button_signs_in_and_leads_to_the_password(client: Client, owner: Person) -> None:
    response = client.post(sign_in_link_create(owner))

    assert response["Location"] == "/password/"
    assert client.session["_auth_user_id"] == str(owner.pk)


def test_link_works_once(client: Client, owner: Person) -> None:
    path = sign_in_link_create(owner)
    client.post(path)

    again = Client()
    response = again.post(path)

    assert response.status_code == 410
    assert "This link does not work any more" in response.text
    assert "_auth_user_id" not in again.session


def test_of_two_that_read_the_same_row_one_gets_in(owner: Person) -> None:
    token = sign_in_link_create(owner).split("/")[-2]
    now = timezone.now()

    assert sign_in_link_use(token=token, now=now) == owner
    with pytest.raises(LinkSpent):
        sign_in_link_use(token=token, now=now)


def test_link_expires(client: Client, owner: Person) -> None:
    path = sign_in_link_create(owner, now=timezone.now() - LINK_LIFETIME - timedelta(seconds=1))

    assert client.post(path).status_code == 410


def test_link_of_an_inactive_person_is_spent(client: Client, owner: Person) -> None:
    path = sign_in_link_create(owner)
    owner.is_active = False
    owner.save()

    assert client.get(path).status_code == 410


def test_unknown_token_is_spent(client: Client, db: None) -> None:
    assert client.get("/sign-in/link/nothing/").status_code == 410


def test_token_is_not_kept(owner: Person) -> None:
    token = sign_in_link_create(owner).split("/")[-2]

    assert not SignInLink.objects.filter(token_digest=token).exists()


def test_command_creates_the_administrator_and_prints_a_path(client: Client, db: None) -> None:
    out = StringIO()

    call_command("signinlink", stdout=out)

    assert client.post(out.getvalue().strip())["Location"] == "/password/"
    assert Person.objects.get().is_superuser


def test_administrator_is_created_once(db: None) -> None:
    assert administrator_ensure() == administrator_ensure()
    assert Person.objects.count() == 1


def test_an_administrator_of_another_name_is_enough(owner: Person) -> None:
    owner.is_superuser = True
    owner.save()

    assert administrator_ensure() == owner


def test_command_creates_a_named_person(db: None) -> None:
    call_command("signinlink", "ana", "--new", stdout=StringIO())

    person = Person.objects.get(username="ana")
    assert not person.is_superuser
    assert not person.has_usable_password()


def test_command_refuses_an_unknown_name(db: None) -> None:
    with pytest.raises(CommandError, match="Nobody is called 'ana'"):
        call_command("signinlink", "ana")


def test_command_refuses_a_name_that_is_taken(owner: Person) -> None:
    with pytest.raises(CommandError, match="already exists"):
        call_command("signinlink", "owner", "--new")
