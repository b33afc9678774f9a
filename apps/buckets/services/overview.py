"""Everything about one bucket at a glance, each thing read for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from apps.access.rules.acl import AccessSummary, access_summary
from apps.buckets.services.facts import facts_keep
from apps.connections.asking import ask_all
from apps.connections.models import Connection
from apps.connections.rules import Explanation, explain
from apps.storage.errors import StorageError, Unavailable
from apps.storage.grants import Acl
from apps.storage.store import ObjectStore

OVERVIEW_TIMEOUT_S = 8.0
UPLOADS_COUNTED = 1000


@dataclass(frozen=True)
class Finding:
    """One thing that was read about a bucket, or why it could not be."""

    value: Any = None
    problem: Explanation | None = None


@dataclass(frozen=True)
class Overview:
    """What could be read about a bucket; `has_more_uploads` when there are more than were counted."""

    reach: Finding
    account: Finding
    location: Finding
    acl: Finding
    access: AccessSummary | None
    cors: Finding
    tags: Finding
    uploads: Finding
    address: str


def overview_read(
    connection: Connection, store: ObjectStore, *, bucket: str, region: str, now: datetime
) -> Overview:
    """Read a bucket's settings at the same time, and remember its grants and tags for the list.

    One that fails has its explanation; that the key may not read something is never taken for an answer.
    """
    place = {"bucket": bucket, "region": region}
    calls: dict[str, Callable[[], Any]] = {
        "reach": partial(store.head_bucket, **place),
        "account": lambda: store.list_bucket_page(limit=1).owner,
        "location": partial(store.bucket_location, **place),
        "acl": partial(store.get_bucket_acl, **place),
        "cors": partial(store.get_bucket_cors, **place),
        "tags": partial(store.get_bucket_tags, **place),
        "uploads": lambda: store.list_multipart_uploads(**place, limit=UPLOADS_COUNTED),
    }
    answers = ask_all(calls, line=connection.pk, timeout_s=OVERVIEW_TIMEOUT_S)
    given = {name: answers.get(name, Unavailable("", status=0)) for name in calls}
    given["reach"] = _in_words(given["reach"], given.values())
    facts_keep(connection, bucket=bucket, acl=given["acl"], tags=given["tags"], now=now)
    found = {name: _finding(answer) for name, answer in given.items()}
    acl = given["acl"]
    return Overview(
        **found,
        access=access_summary(acl) if isinstance(acl, Acl) else None,
        address=store.object_url(**place, key="-").removesuffix("-"),
    )


def _in_words(answer: Any, others: Iterable[Any]) -> Any:
    """Return why HEAD was refused: its answer has no body, and another one of the same kind says it."""
    if not isinstance(answer, StorageError) or answer.code:
        return answer
    said = (one for one in others if isinstance(one, StorageError) and one.code)
    return next((one for one in said if one.status == answer.status), answer)


def _finding(answer: Any) -> Finding:
    if isinstance(answer, StorageError):
        return Finding(problem=explain(answer))
    return Finding(value=answer)
