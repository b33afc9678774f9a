"""Run inside the console's data folder: one action on many objects, as a batch or as a bare loop.

The loop sends the same calls through the same client and writes nothing down: what a batch costs more is its
ledger, and what it gains is that its calls overlap.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django.setup()

from django.utils import timezone  # noqa: E402 - needs the apps loaded

from apps.accounts.services import administrator_ensure  # noqa: E402
from apps.batches.models import Batch  # noqa: E402
from apps.batches.planning import plan_batch  # noqa: E402
from apps.batches.running import run_batch  # noqa: E402
from apps.batches.selection import Selection  # noqa: E402
from apps.batches.services import batch_confirm, batch_create, batch_options  # noqa: E402
from apps.connections.models import Connection  # noqa: E402
from apps.connections.services import store_for  # noqa: E402
from apps.storage.store import ObjectStore  # noqa: E402

OPTIONS: dict[str, dict[str, Any]] = {"access": {"acl": "public-read"}}


def keys_of(store: ObjectStore, spec: dict[str, Any]) -> Iterator[list[str]]:
    marker = ""
    while True:
        page = store.list_objects(
            bucket=spec["bucket"], region=spec["region"], prefix=spec["prefix"], marker=marker
        )
        yield [summary.key for summary in page.objects]
        if page.next_marker is None:
            return
        marker = page.next_marker


def loop(store: ObjectStore, spec: dict[str, Any]) -> dict[str, float]:
    begun = time.perf_counter()
    pages = list(keys_of(store, spec))
    planned = time.perf_counter()
    place = {"bucket": spec["bucket"], "region": spec["region"]}
    for page in pages:
        if spec["action"] == "delete":
            outcome = store.delete_objects(keys=page, is_quiet=True, **place)
            assert not outcome.failures
            continue
        for key in page:
            store.get_object_acl(key=key, **place)
            store.put_object_acl(key=key, acl="public-read", **place)
    return {"plan_s": planned - begun, "run_s": time.perf_counter() - planned}


def batch(connection: Connection, spec: dict[str, Any]) -> dict[str, float]:
    begun = time.perf_counter()
    person = administrator_ensure()
    made = batch_create(
        owner=person,
        connection=connection,
        bucket=spec["bucket"],
        region=spec["region"],
        action=spec["action"],
        selection=Selection(folders=(spec["prefix"],)),
    )
    if made.needs_options:
        batch_options(made, OPTIONS[spec["action"]], place="", now=timezone.now())
    while plan_batch(batch_id=made.pk) is False:
        pass
    planned = time.perf_counter()
    made = Batch.objects.get(pk=made.pk)
    batch_confirm(made, {}, person=person, now=timezone.now())
    while run_batch(batch_id=made.pk) is False:
        pass
    ran = time.perf_counter()
    made.job.refresh_from_db()
    assert (made.job.objects_done, made.job.objects_failed) == (spec["objects"], 0)
    return {"plan_s": planned - begun, "run_s": ran - planned}


def main() -> None:
    spec = json.load(sys.stdin)
    connection = Connection.objects.get(slug=spec["connection"])
    store = store_for(connection)
    took = batch(connection, spec) if spec["variant"] == "batch" else loop(store, spec)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({**took, "peak_bytes": used.ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
