"""Asking a store as browsers do: a grid of preflights at once, and the tests that were pinned from it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from apps.access.models import PinnedTest
from apps.access.rules.cors import Question
from apps.access.services.together import ask_together
from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.connections.services import store_for
from apps.storage.cors import Preflight
from apps.storage.errors import StorageError

CELLS_MAX = 60
PINS_MAX = 60
TIMEOUT_S = 10.0
# A store may answer from the old rules for a moment after new ones were saved.
SETTLES_S = 1.0


class PinsFull(Exception):
    """The bucket has as many pinned tests as it may have."""


def preflights_ask(
    connection: Connection,
    *,
    bucket: str,
    region: str,
    asked: Sequence[tuple[str, Question]],
    timeout_s: float,
) -> list[Preflight | StorageError]:
    """Return the store's answer to each question about a key, or why there is none; all at the same time."""
    store = store_for(connection)
    calls = [
        partial(
            store.preflight,
            bucket=bucket,
            region=region,
            key=key,
            origin=question.origin,
            method=question.method,
            headers=question.headers,
        )
        for key, question in asked
    ]
    return ask_together(calls, timeout_s=timeout_s)


def pin_add(
    *,
    connection: Connection,
    bucket: str,
    key: str,
    question: Question,
    is_allowed: bool,
    person: Person,
    now: datetime,
) -> PinnedTest:
    """Remember what the store must answer to a question; a second pin of it changes what is expected.

    Raises PinsFull.
    """
    headers = ",".join(question.headers)
    of_bucket = PinnedTest.objects.filter(connection=connection, bucket=bucket)
    same = of_bucket.filter(key=key, origin=question.origin, method=question.method, headers=headers)
    if of_bucket.count() >= PINS_MAX and not same.exists():
        raise PinsFull
    pin, _is_new = PinnedTest.objects.update_or_create(
        {
            "is_allowed": is_allowed,
            "pinned_by": person,
            "pinned_at": now,
            "state": PinnedTest.State.NEW,
            "run_at": None,
        },
        connection=connection,
        bucket=bucket,
        key=key,
        origin=question.origin,
        method=question.method,
        headers=headers,
    )
    return pin


def pins_run(
    connection: Connection, *, bucket: str, region: str, now: datetime, is_fresh: bool = False
) -> list[PinnedTest]:
    """Ask the store what the pinned tests of a bucket ask, and return them with what came of it.

    After rules were saved (`is_fresh`) those that fail are asked once more a moment later.
    """
    pins = list(PinnedTest.objects.filter(connection=connection, bucket=bucket))
    _ask(connection, pins, bucket=bucket, region=region, now=now)
    failed = [pin for pin in pins if pin.state == PinnedTest.State.FAILED]
    if failed and is_fresh:
        time.sleep(SETTLES_S)
        _ask(connection, failed, bucket=bucket, region=region, now=now)
    PinnedTest.objects.bulk_update(pins, ["state", "run_at", "code", "request_id"])
    return pins


def _ask(
    connection: Connection, pins: Sequence[PinnedTest], *, bucket: str, region: str, now: datetime
) -> None:
    asked = [(pin.key, pin.question) for pin in pins]
    answers = preflights_ask(connection, bucket=bucket, region=region, asked=asked, timeout_s=TIMEOUT_S)
    for pin, answer in zip(pins, answers, strict=True):
        pin.run_at, pin.request_id = now, answer.request_id
        if isinstance(answer, StorageError):
            pin.state, pin.code = PinnedTest.State.UNANSWERED, answer.code
            continue
        is_right = answer.is_allowed == pin.is_allowed
        pin.state, pin.code = (PinnedTest.State.PASSED if is_right else PinnedTest.State.FAILED), ""
