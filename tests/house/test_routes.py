"""Every route, asked by nobody and by a stranger: whatever is added is closed unless it is listed here."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.accounts.models import Person
from apps.connections.models import Connection, ConnectionMember
from apps.inventory.models import Walk
from apps.jobs.models import Job
from apps.transfers.models import Transfer
from tests.conftest import REGION

# Open to everybody: the way in, and what says nothing about anybody.
OPEN = {"accounts:sign-in", "accounts:sign-in-link", "accounts:health", "accounts:theme", "set_language"}
# A person's own pages, which show a stranger nothing that is not theirs.
OWN = {
    "access:explain",
    "home",
    "accounts:sign-out",
    "accounts:password",
    "buckets:list",
    "buckets:create",
    "buckets:facts",
    "sharing:list",
    "sharing:forget",
    "buckets:name-check",
    "connections:list",
    "connections:new",
    "connections:new-test",
    "activity:list",
    "activity:export-csv",
    "activity:export-json",
    "activity:check",
    "command",
    "jobs:list",
    "jobs:tray",
    "jobs:events",
}
METHODS = ("get", "post", "head", "delete", "put")


def _names(patterns: list[URLPattern | URLResolver], namespace: str = "") -> Iterator[tuple[str, list[str]]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _names(pattern.url_patterns, inner)
        else:
            yield f"{namespace}{pattern.name}", list(pattern.pattern.converters)


ROUTES = sorted(_names(get_resolver().url_patterns))


@pytest.fixture
def arguments(owner: Person, connection: Connection, member: Person) -> dict[str, object]:
    """A value for every parameter of a route, all of them the owner's."""
    job = Job.objects.create(kind=Job.Kind.COPY, feature="transfers", owner=owner, title="t", place="p")
    Transfer.objects.create(
        job=job, connection=connection, bucket="b-1", region=REGION, key="k", size=1, part_size=1
    )
    Walk.objects.create(
        job=job, connection=connection, bucket="b-1", region=REGION, prefix="", marker="", is_open=False
    )
    return {
        "connection": connection.slug,
        "bucket": "private-1250000000",
        "member": ConnectionMember.objects.get().pk,
        "job": job.pk,
        "job_id": job.pk,
        "token": "wrong",
        "version": 1,
        "test": 1,
        "form": "csv",
    }


def _url(name: str, parameters: list[str], arguments: dict[str, object]) -> str:
    return reverse(name, kwargs={parameter: arguments[parameter] for parameter in parameters})


def test_all_routes_have_names() -> None:
    assert all(not name.endswith("None") for name, _parameters in ROUTES)
    assert len(ROUTES) > 20


@pytest.mark.parametrize(("name", "parameters"), ROUTES, ids=[name for name, _ in ROUTES])
def test_nobody_is_let_in(
    client: Client, arguments: dict[str, object], name: str, parameters: list[str]
) -> None:
    if name in OPEN:
        return
    for method in METHODS:
        response = getattr(client, method)(_url(name, parameters, arguments))

        assert response.status_code in {302, 401, 403, 405}, method
        assert response.status_code != 302 or "/sign-in/" in response["Location"]


@pytest.mark.parametrize(("name", "parameters"), ROUTES, ids=[name for name, _ in ROUTES])
def test_stranger_is_told_that_nothing_is_there(
    stranger_client: Client, arguments: dict[str, object], name: str, parameters: list[str]
) -> None:
    if name in OPEN | OWN:
        return
    for method in METHODS:
        response = getattr(stranger_client, method)(_url(name, parameters, arguments))

        assert response.status_code in {404, 405}, method
    assert any(
        getattr(stranger_client, method)(_url(name, parameters, arguments)).status_code == 404
        for method in METHODS
    )


def test_strangers_change_nothing(stranger_client: Client, arguments: dict[str, object]) -> None:
    for name, parameters in ROUTES:
        if name not in OPEN | OWN:
            stranger_client.post(_url(name, parameters, arguments))

    assert Job.objects.get(pk=UUID(str(arguments["job"]))).state == Job.State.QUEUED
    assert Connection.objects.get().name == "Local"
    assert ConnectionMember.objects.count() == 1


@pytest.mark.parametrize("name", sorted(OWN - {"jobs:events", "accounts:sign-out"}))
def test_own_pages_of_a_stranger_show_nothing_of_others(
    stranger_client: Client, arguments: dict[str, object], name: str
) -> None:
    response = stranger_client.get(reverse(name), follow=True)

    said = response.getvalue().decode()
    assert "Local" not in said
    assert str(arguments["job"]) not in said
