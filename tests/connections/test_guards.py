"""What addresses below a connection may say."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import Client

from apps.connections.models import Connection
from apps.transfers.models import UploadPolicy

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["b" * 101, "a\0b", "a\nb", "a\x7fb"])
def test_name_that_no_bucket_can_have_is_not_found(
    owner_client: Client, connection: Connection, name: str
) -> None:
    url = f"/b/{connection.slug}/{quote(name, safe='')}"

    assert owner_client.get(f"{url}/objects/").status_code == 404
    assert (
        owner_client.post(f"{url}/uploads/path/", {"policy": "direct", "scope": "bucket"}).status_code == 404
    )
    assert not UploadPolicy.objects.exists()
