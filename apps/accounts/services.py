"""Who may come in: passwords that are counted, links that work once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth import authenticate
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Person, SignInFailure, SignInLink

LINK_LIFETIME = timedelta(hours=24)
FAILURES_MAX = 5
FAILURES_WINDOW = timedelta(minutes=15)
ADMINISTRATOR_NAME = "admin"


class LinkSpent(Exception):
    """The sign-in link was used, has expired, or never existed."""


class TooManyFailures(Exception):
    """Too many wrong passwords; `again_at` is when the next attempt is looked at."""

    def __init__(self, again_at: datetime) -> None:
        super().__init__(again_at)
        self.again_at = again_at


def administrator_ensure() -> Person:
    """This will return an administrator who may sign in, and create `admin` when there is none.

    A new administrator has no password: the sign-in link is the only way in until one is set.
    """
    with transaction.atomic():
        found = Person.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        if found is not None:
            return found
        person, _ = Person.objects.get_or_create(username=ADMINISTRATOR_NAME)
        person.is_superuser = person.is_staff = person.is_active = True
        person.set_unusable_password()
        person.save()
        return person


def person_create(*, username: str, is_administrator: bool = False) -> Person:
    """This will create a person without a password, who comes in by a sign-in link first."""
    person = Person(username=username, is_superuser=is_administrator, is_staff=is_administrator)
    person.set_unusable_password()
    person.full_clean()
    person.save()
    return person


def people_active(ids: Iterable[int]) -> dict[int, Person]:
    """Return those of these people who may still sign in, by id, as they are now."""
    return Person.objects.filter(pk__in=ids, is_active=True).in_bulk()


def sessions_open(keys: Iterable[str]) -> set[str]:
    """Return those of these sessions that have neither ended nor expired, in one query for all of them."""
    still = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return set(still.values_list("session_key", flat=True))


def sign_in_link_create(person: Person, *, now: datetime | None = None) -> str:
    """This will create a link that signs the person in once, and return its path.

    Links that were not used yet keep working until they expire; rows that can no longer be used are removed.
    """
    now = now or timezone.now()
    token = secrets.token_urlsafe(32)
    SignInLink.objects.filter(expires_at__lte=now).delete()
    SignInLink.objects.create(person=person, token_digest=_digest(token), expires_at=now + LINK_LIFETIME)
    return reverse("accounts:sign-in-link", args=[token])


def sign_in_link_person(*, token: str, now: datetime) -> Person:
    """Return whom a link would sign in, without using it. Raises `LinkSpent`."""
    link = SignInLink.objects.select_related("person").filter(token_digest=_digest(token)).first()
    if link is None or link.used_at is not None or link.expires_at <= now or not link.person.is_active:
        raise LinkSpent
    return link.person


def sign_in_link_use(*, token: str, now: datetime) -> Person:
    """This will use a link up and return whom it signs in. Of two requests, one gets `LinkSpent`."""
    person = sign_in_link_person(token=token, now=now)
    unused = SignInLink.objects.filter(token_digest=_digest(token), used_at=None, expires_at__gt=now)
    if not unused.update(used_at=now):
        raise LinkSpent
    return person


def password_check(
    request: HttpRequest, *, username: str, password: str, address: str, now: datetime
) -> Person | None:
    """This will return the person whose password this is, None when it is wrong.

    Wrong passwords count per name and address; beyond the limit even the right one raises
    `TooManyFailures`, so that guessing teaches nothing. An attempt counts from before its password is
    looked at, so that guesses sent at the same time see one another; one that is refused is taken back.
    """
    name = username.casefold()[:150]
    since = now - FAILURES_WINDOW
    SignInFailure.objects.filter(failed_at__lte=since).delete()
    attempt = SignInFailure.objects.create(username=name, address=address, failed_at=now)
    failures = SignInFailure.objects.filter(username=name, address=address)
    others = failures.exclude(pk=attempt.pk).order_by("-failed_at")
    times = list(others.values_list("failed_at", flat=True)[:FAILURES_MAX])
    if len(times) == FAILURES_MAX:
        attempt.delete()
        raise TooManyFailures(times[-1] + FAILURES_WINDOW)
    person = authenticate(request, username=username, password=password)
    if not isinstance(person, Person):
        return None
    failures.delete()
    return person


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
