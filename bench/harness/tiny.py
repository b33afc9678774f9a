"""Run inside the console's data folder: an upload whose slices are one byte each.

Only what a slice costs beyond its bytes is left of it then. The upload has one slice more than will be sent,
so that it never completes.
"""

from __future__ import annotations

import json
import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django.setup()

from apps.accounts.services import administrator_ensure  # noqa: E402 - needs the apps loaded
from apps.connections.models import Connection  # noqa: E402
from apps.storage.multipart import LARGE_FROM, plan_of  # noqa: E402
from apps.transfers.models import Transfer  # noqa: E402
from apps.transfers.services.uploads import UploadWanted, upload_start  # noqa: E402
from apps.transfers.tokens import SLICES_PATH, token_create  # noqa: E402


def main() -> None:
    spec = json.load(sys.stdin)
    transfer = upload_start(
        owner=administrator_ensure(),
        connection=Connection.objects.get(slug=spec["connection"]),
        bucket=spec["bucket"],
        wanted=UploadWanted(key=spec["key"], size=LARGE_FROM),
        replace=True,
    )
    plan = plan_of(size=spec["slices"] + 1, part_size=1)
    Transfer.objects.filter(pk=transfer.pk).update(size=plan.size, part_size=plan.part_size)
    token = token_create(transfer.pk, plan, now=time.time())
    print(json.dumps({"url": f"{SLICES_PATH}{token}/", "transfer": transfer.pk}))


if __name__ == "__main__":
    main()
