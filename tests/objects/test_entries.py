"""What is done to single objects is in the log."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from apps.activity.models import Entry
from apps.connections.models import Connection


def test_deleted_object_leaves_an_entry(
    writer_client: Client, connection: Connection, bucket: str, put: Callable[..., str]
) -> None:
    etag = put("a\n.txt")

    url = reverse("objects:delete", args=[connection.slug, bucket])
    writer_client.post(f"{url}?key=a%0A.txt", {"etag": etag})

    entry = Entry.objects.get()
    assert (entry.verb, entry.key, entry.person_name) == ("object.delete", "a\n.txt", "writer")
    assert entry.before_value == {"etag": etag}


def test_new_folder_leaves_an_entry(writer_client: Client, connection: Connection, bucket: str) -> None:
    url = reverse("objects:folder-create", args=[connection.slug, bucket])
    writer_client.post(url, {"name": "new"})

    assert [(entry.verb, entry.key) for entry in Entry.objects.all()] == [("folder.create", "new/")]
