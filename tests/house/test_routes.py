"""Every route, asked as everybody, as a page and as a fragment: who is let in is what the table says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.accounts.models import Person
from apps.connections.models import Connection, ConnectionMember, KnownBucket, Role
from apps.inventory.models import Walk
from apps.jobs.models import Job
from apps.storage.store import ObjectStore
from apps.transfers.models import Transfer, UploadBatch
from tests.conftest import REGION, client_of
from tests.house.needs import NEEDS, WHOLE, Need, Needed

HELP = """
A route needs a line in NEEDS of tests/house/needs.py: (what a GET needs, what a POST needs), None for a
method that it does not offer. One that has no fragments stands in WHOLE, too. A new parameter of an address
needs a value in `arguments` of tests/house/test_routes.py.
"""
# What strangers keep to themselves: none of it may turn up on anybody else's page.
HIDDEN = "hidden-things"
# A stream has no end, and whoever has signed out is asked nothing more.
APART = {"jobs:events", "accounts:sign-out"}
FRAGMENT = {"HX-Request": "true"}


def _names(patterns: list[URLPattern | URLResolver], namespace: str = "") -> Iterator[tuple[str, list[str]]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _names(pattern.url_patterns, inner)
        else:
            yield f"{namespace}{pattern.name}", list(pattern.pattern.converters)


ROUTES = sorted(_names(get_resolver().url_patterns))


@pytest.fixture
def arguments(
    owner: Person, connection: Connection, member: Person, writer: Person, bucket: str
) -> dict[str, object]:
    """A value for every parameter of a route, all of them the owner's."""
    job = Job.objects.create(kind=Job.Kind.COPY, feature="transfers", owner=owner, title="t", place="p")
    Transfer.objects.create(
        job=job, connection=connection, bucket=bucket, region=REGION, key="k", size=1, part_size=1
    )
    UploadBatch.objects.create(job=job, connection=connection, bucket=bucket, files=1, size=1)
    Walk.objects.create(
        job=job, connection=connection, bucket=bucket, region=REGION, prefix="", marker="", is_open=False
    )
    return {
        "connection": connection.slug,
        "bucket": bucket,
        "member": ConnectionMember.objects.get(person=member).pk,
        "job": job.pk,
        "job_id": job.pk,
        "parent": job.pk,
        "token": "wrong",
        "version": 1,
        "test": 1,
        "form": "csv",
    }


@pytest.fixture
def hidden(other_connection: Connection, stranger: Person, arguments: dict[str, object]) -> None:
    """Things of a stranger, with a name that nobody else may read."""
    Connection.objects.filter(pk=other_connection.pk).update(name=f"{HIDDEN} connection")
    KnownBucket.objects.create(
        connection=other_connection,
        name=f"{HIDDEN}-1250000001",
        region=REGION,
        seen_at=other_connection.created_at,
    )
    Job.objects.create(kind=Job.Kind.COPY, feature="transfers", owner=stranger, title=HIDDEN, place=HIDDEN)


@dataclass(frozen=True)
class Asked:
    """One question to one route, and what came back."""

    name: str
    method: str
    is_fragment: bool
    needed: Needed
    response: HttpResponseBase

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def body(self) -> str:
        is_stream = getattr(self.response, "streaming", False)
        return "" if is_stream else self.response.getvalue().decode(errors="replace")

    def __str__(self) -> str:
        return f"{self.method} {self.name}{' (fragment)' * self.is_fragment}: {self.status}"


def url_of(name: str, parameters: list[str], arguments: dict[str, object]) -> str:
    missing = set(parameters) - set(arguments)
    assert not missing, f"{name} has the parameters {missing}.{HELP}"
    return reverse(name, kwargs={parameter: arguments[parameter] for parameter in parameters})


def ask_all(client: Client, arguments: dict[str, object]) -> Iterator[Asked]:
    """Ask every route for pages and fragments; what a question changes in the database is undone."""
    for name, parameters in ROUTES:
        if name in APART or name not in NEEDS:
            continue
        url = url_of(name, parameters, arguments)
        for method, needed in zip(("GET", "POST"), NEEDS[name], strict=True):
            for headers in ({}, FRAGMENT) if needed else ({},):
                with transaction.atomic():
                    response = client.generic(method, f"{url}?key=k", headers=headers)
                    asked = Asked(name, method, bool(headers), needed, response)
                    asked.body  # noqa: B018
                    transaction.set_rollback(True)
                yield asked


def wrong(found: Iterable[Asked], is_right: Any) -> list[str]:
    return [str(asked) for asked in found if not is_right(asked)]


def is_let_in(asked: Asked, *, role: Role | None, is_superuser: bool = False, has_jobs: bool = False) -> bool:
    match asked.needed:
        case None:
            return False
        case Need.OPEN | Need.OWN:
            return True
        case Need.SUPERUSER:
            return is_superuser
        case Need.JOB | Need.STARTER:
            return is_superuser or has_jobs
        case Need.MAKER:
            return is_superuser or role == Role.ADMIN
        case Role() as needed:
            return role is not None and role >= needed


def assert_doors(
    client: Client,
    arguments: dict[str, object],
    *,
    role: Role | None,
    is_superuser: bool = False,
    has_jobs: bool = False,
) -> list[Asked]:
    """Ask everything, and compare who is let in where with the table.

    Nobody is shown a failure of the console, a page inside a page, or what belongs to a stranger.
    """
    mistakes = []
    found = list(ask_all(client, arguments))
    for asked in found:
        if asked.status >= 500:
            mistakes.append(f"{asked}: a failure of the console")
        if asked.is_fragment and "<html" in asked.body and asked.name not in WHOLE:
            mistakes.append(f"{asked}: a whole page where a fragment was asked for")
        if not is_superuser and HIDDEN in asked.body:
            mistakes.append(f"{asked}: shows what belongs to a stranger")
        if expected := _expected(asked, role=role, is_superuser=is_superuser, has_jobs=has_jobs):
            mistakes.append(f"{asked}: expected {expected}")
    assert not mistakes, "\n".join(mistakes) + HELP
    return found


def _expected(asked: Asked, **held: Any) -> str:
    """Return what the answer should have been, '' where it is right."""
    if asked.needed is None:
        return "" if asked.status in {403, 404, 405} else "405, as the method is not offered"
    if is_let_in(asked, **held):
        return "to be let in" if asked.status in {401, 403, 405} else ""
    is_member = held["role"] is not None and (isinstance(asked.needed, Role) or asked.needed is Need.STARTER)
    shut = 403 if is_member or asked.needed in {Need.SUPERUSER, Need.MAKER} else 404
    return "" if asked.status == shut else f"{shut}, as it needs {asked.needed}"


def everything() -> set[str]:
    """Return all rows of all tables as text, but those of sessions and of what was seen in a store."""
    passing = {"sessions.Session", "connections.KnownBucket", "buckets.BucketFacts"}
    models = [model for model in apps.get_models() if model._meta.label not in passing]
    return {f"{model._meta.label} {row}" for model in models for row in model._default_manager.values()}


def test_all_routes_have_names() -> None:
    assert all(not name.endswith("None") for name, _parameters in ROUTES)
    assert len(ROUTES) > 20


def test_table_says_what_every_route_needs() -> None:
    names = {name for name, _parameters in ROUTES}

    assert not names - set(NEEDS), f"Nothing says what these need: {names - set(NEEDS)}.{HELP}"
    assert not set(NEEDS) - names, f"No longer routes: {set(NEEDS) - names}."


def test_nothing_asks_for_a_fragment_of_a_page_that_has_none() -> None:
    asked = re.compile(r"""hx-(?:get|post)="{% url '([^']+)'""")
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        assert not set(asked.findall(path.read_text())) & WHOLE, path


@pytest.mark.usefixtures("redis")
def test_nobody_is_led_to_the_sign_in_page(client: Client, arguments: dict[str, object]) -> None:
    def is_right(asked: Asked) -> bool:
        if Need.OPEN in NEEDS[asked.name]:
            return asked.status < 500
        if asked.is_fragment:
            return asked.status == 401 and "/sign-in/" in asked.response["HX-Redirect"]
        return asked.status == 302 and "/sign-in/" in asked.response["Location"]

    assert wrong(ask_all(client, arguments), is_right) == []


@pytest.mark.usefixtures("redis", "hidden")
def test_member_reads(member_client: Client, arguments: dict[str, object]) -> None:
    assert_doors(member_client, arguments, role=Role.READER)


@pytest.mark.usefixtures("redis", "hidden")
def test_writer_writes(writer_client: Client, arguments: dict[str, object]) -> None:
    assert_doors(writer_client, arguments, role=Role.WRITER)


@pytest.mark.usefixtures("redis", "hidden")
def test_owner_may_do_everything_in_the_connection(
    owner_client: Client, arguments: dict[str, object]
) -> None:
    assert_doors(owner_client, arguments, role=Role.ADMIN, has_jobs=True)


@pytest.mark.usefixtures("redis")
def test_administrator_of_the_console_may_do_everything(arguments: dict[str, object]) -> None:
    person = Person.objects.create_superuser("root", password="correct horse battery")

    assert_doors(client_of(person), arguments, role=Role.ADMIN, is_superuser=True, has_jobs=True)


@pytest.mark.usefixtures("redis")
def test_stranger_is_told_that_nothing_is_there(
    stranger_client: Client, arguments: dict[str, object], connection: Connection
) -> None:
    found = assert_doors(stranger_client, arguments, role=None)

    shown = [asked for asked in found if asked.needed is Need.OWN]
    assert wrong(shown, lambda asked: connection.name not in asked.body) == []
    assert wrong(shown, lambda asked: str(arguments["job"]) not in asked.body) == []


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize("who", ["stranger", "member"])
def test_who_may_not_changes_nothing(
    who: str, stranger: Person, member: Person, arguments: dict[str, object], store: ObjectStore, bucket: str
) -> None:
    person = {"stranger": stranger, "member": member}[who]
    role = {"stranger": None, "member": Role.READER}[who]
    client = client_of(person)
    rows, acl = everything(), store.get_bucket_acl(bucket=bucket, region=REGION)

    for name, parameters in ROUTES:
        needed = NEEDS.get(name, (None, None))[1]
        is_refused = needed in {Need.JOB, Need.STARTER, Need.SUPERUSER}
        if is_refused or (isinstance(needed, Role) and (role is None or role < needed)):
            client.post(url_of(name, parameters, arguments), {"name": "k", "key": "k", "confirm": bucket})

    assert everything() ^ rows == set()
    assert store.get_bucket_acl(bucket=bucket, region=REGION) == acl
    assert not store.list_objects(bucket=bucket, region=REGION).objects


@pytest.mark.parametrize("method", ["delete", "put", "patch"])
def test_other_methods_open_nothing(
    stranger_client: Client, arguments: dict[str, object], method: str
) -> None:
    for name, parameters in ROUTES:
        if name not in APART and name in NEEDS:
            response = getattr(stranger_client, method)(url_of(name, parameters, arguments))

            is_open = {Need.OPEN, Need.OWN} & set(NEEDS[name])
            assert response.status_code in {404, 405} or is_open, f"{method} {name}"
