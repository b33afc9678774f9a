"""What an action asks: what cannot be is told beside its field, and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.batches.models import Batch
from apps.batches.words import options_words
from apps.connections.models import Connection
from apps.jobs.models import Job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


@pytest.fixture
def ask(owner_client: Client, connection: Connection, bucket: str) -> Any:
    """A function that begins an action on two folders and a key, and answers what it asks."""

    def answer(action: str, selected: dict[str, Any], **fields: Any) -> tuple[Batch, str]:
        url = reverse("batches:create", args=[connection.slug, bucket])
        owner_client.post(url, {"action": action, "scope": "keys", **selected})
        batch = Batch.objects.get()
        url = reverse("batches:options", args=[batch.job_id])
        assert owner_client.get(url).status_code == 200
        page = owner_client.post(url, fields).content.decode()
        batch.refresh_from_db()
        return batch, page

    return answer


SOME = {"folder": ["a/", "b%20c/"], "key": "d.txt"}


@pytest.mark.parametrize(
    ("action", "selected", "fields", "sentence"),
    [
        ("copy", SOME, {"prefix": "a/deep/"}, "The folder a/ cannot go into itself."),
        ("move", SOME, {"prefix": ""}, "a/ is in this folder already."),
        ("move", SOME, {"prefix": "b c"}, "The folder b c/ cannot go into itself."),
        ("copy", SOME, {"prefix": "/x/"}, "A key must not start with / or \\."),
        ("copy", SOME, {"prefix": "x" * 900}, "Too long"),
        ("rename", {"folder": "a/"}, {"name": "a"}, "This is the name that it has."),
        ("rename", {"folder": "a/"}, {"name": "a/b"}, "A folder cannot go into itself."),
        ("rename", {"key": "a/b"}, {"name": "c/"}, "This is the name of a folder."),
        ("rename", {"key": "a/b"}, {"name": "/"}, "A name is needed."),
        ("access", SOME, {"acl": "grants", "accounts": ""}, "Name at least one account"),
        ("access", SOME, {"acl": "grants", "accounts": "ana READ"}, "does not begin with the number"),
        ("access", SOME, {"acl": "grants", "accounts": "100000000001 WRITE"}, "names no permission"),
        ("access", SOME, {"acl": "secret"}, "Select a valid choice"),
        ("headers", SOME, {}, "Nothing is to be changed."),
        ("headers", SOME, {"expires": "a\x07b"}, "a character that no header can"),
        ("headers", SOME, {"metadata": "no colon"}, "is no name and value"),
        ("headers", SOME, {"cache_control": "x", "remove": "cache-control"}, "cannot be set and removed"),
        ("headers", SOME, {"metadata": f"long: {'x' * 3000}"}, "more metadata than an object can have"),
    ],
)
def test_answer_that_cannot_be_is_told(
    ask: Any, bucket: str, action: str, selected: dict[str, Any], fields: dict[str, Any], sentence: str
) -> None:
    batch, page = ask(action, selected, bucket=bucket, **fields)

    assert sentence in page.replace("&#x27;", "'")
    assert batch.options_at is None


def test_folders_of_the_target_are_offered(
    owner_client: Client, ask: Any, bucket: str, put: Callable[..., str]
) -> None:
    for key in ("archive/1", "arrows/2", "other/3"):
        put(key)
    batch, _page = ask("copy", SOME, bucket=bucket, prefix="a/x")
    url = reverse("batches:folders", args=[batch.job_id])

    page = owner_client.get(url, {"bucket": bucket, "prefix": "ar"}).content.decode()

    assert 'value="archive/"' in page
    assert 'value="arrows/"' in page
    assert "other/" not in page
    assert "option" not in owner_client.get(url, {"bucket": "no-bucket"}).content.decode()


@pytest.mark.parametrize(
    ("action", "selected", "fields", "words"),
    [
        ("copy", SOME, {"prefix": "x y"}, ("To", "/x y/")),
        ("rename", {"key": "a/b"}, {"name": "c"}, ("New name", "a/c")),
        ("rename", {"folder": "a/"}, {"name": "/z"}, ("New name", "z/")),
        ("access", SOME, {"acl": "public-read"}, ("Access", "public-read")),
        ("headers", SOME, {"preset": "no-cache"}, ("cache-control", "no-cache")),
        ("headers", SOME, {"metadata": "x-cos-meta-Owner: ana"}, ("x-cos-meta-owner", "ana")),
        ("headers", SOME, {"storage_class": "STANDARD_IA"}, ("Class", "STANDARD_IA")),
    ],
)
def test_answer_is_kept_and_the_listing_begins(
    ask: Any,
    bucket: str,
    action: str,
    selected: dict[str, Any],
    fields: dict[str, Any],
    words: tuple[str, str],
) -> None:
    batch, _page = ask(action, selected, bucket=bucket, **fields)

    assert batch.options_at is not None
    assert batch.job.state == Job.State.PLANNING
    assert any(name == words[0] and value.endswith(words[1]) for name, value in options_words(batch))
