"""Run inside the console's data folder: a connection to the bench's store, and a signed-in administrator."""

from __future__ import annotations

import json
import os
import secrets
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django.setup()

from django.conf import settings  # noqa: E402 - needs the apps loaded
from django.test import Client  # noqa: E402

from apps.accounts.services import administrator_ensure  # noqa: E402
from apps.connections.services import connection_create  # noqa: E402
from apps.transfers.models import UploadPolicy  # noqa: E402


def main() -> None:
    store = json.load(sys.stdin)
    person = administrator_ensure()
    connection = connection_create(
        owner=person,
        name="Bench",
        scheme="http",
        connect_to=f"127.0.0.1:{store['port']}",
        default_region=store["region"],
        secret_id=store["secret_id"],
        secret_key=store["secret_key"],
    )
    # Else the console would ask the store for each bucket's rules, and a browser here is never a real one.
    UploadPolicy.objects.create(connection=connection, bucket="", policy=UploadPolicy.Policy.CONSOLE)
    if direct := store.get("direct_bucket"):
        UploadPolicy.objects.create(connection=connection, bucket=direct, policy=UploadPolicy.Policy.DIRECT)
    client = Client()
    client.force_login(person)
    csrf = secrets.token_hex(16)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookie = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={csrf}"
    print(json.dumps({"connection": connection.slug, "cookie": cookie, "csrf": csrf}))


if __name__ == "__main__":
    main()
