"""What the phases share: the place they work in, and what an error means for a line."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.batches.ledger import Outcome
from apps.batches.models import Batch, BatchObject
from apps.batches.rules import INHERITED, KEPT, access_of, is_relayed
from apps.connections.services import store_for
from apps.storage import errors
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectRef

State = BatchObject.State

# How often a line is tried before it counts as failed. The store's client repeats each call by itself.
ATTEMPTS = 4
ATTEMPTS_THROTTLED = 20
# Codes that Delete Multiple gives for a single key, and that may pass.
PASSING_CODES = frozenset({"InternalError", "ServiceUnavailable", "SlowDown", "RequestTimeout"})
# Nothing that is asked with this key, or of this bucket, can succeed.
FATAL_CODES = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "ExpiredToken", "InvalidToken"}
)
LARGE_AT_ONCE = 2


@dataclass(frozen=True)
class Work:
    """One batch as the threads see it: values only, no rows that would ask the database.

    `store` holds the sources and `target_store` the copies, the same one unless the batch goes elsewhere.
    `until` is a monotonic time; `stop` is set when a person paused or canceled; `relays` when the bytes have
    to pass through here, because no single key reads the one and writes the other.
    """

    store: ObjectStore
    target_store: ObjectStore
    bucket: str
    region: str
    action: str
    options: Mapping[str, Any]
    frozen_at: datetime
    until: float
    stop: threading.Event = field(default_factory=threading.Event)
    relays: threading.Event = field(default_factory=threading.Event)
    large: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(LARGE_AT_ONCE))

    def source(self, key: str) -> ObjectRef:
        return ObjectRef(bucket=self.bucket, region=self.region, key=key)

    def target(self, key: str) -> ObjectRef:
        return ObjectRef(
            bucket=self.options.get("bucket", self.bucket),
            region=self.options.get("region", self.region),
            key=key,
        )

    @property
    def is_elsewhere(self) -> bool:
        """Return whether the copies belong to another connection."""
        return "connection" in self.options

    @property
    def access(self) -> str:
        return access_of(self.options)

    @property
    def acl(self) -> str | None:
        """Return the canned access that a copy begins with: where its own is to follow, the narrowest."""
        if self.access == KEPT:
            return "private"
        return None if self.access == INHERITED else self.access

    def may_go_on(self, _sent: int) -> bool:
        """Return whether bytes that pass through here still may: nobody waits for them to pause."""
        return not self.stop.is_set()

    @property
    def is_over(self) -> bool:
        return self.stop.is_set() or time.monotonic() >= self.until


def work_of(batch: Batch, *, until: float) -> Work:
    """Return what the threads need to know of a batch that is confirmed."""
    assert batch.frozen_at is not None  # noqa: S101 - a batch runs after it was planned.
    work = Work(
        store=store_for(batch.connection),
        target_store=store_for(batch.goes_to),
        bucket=batch.bucket,
        region=batch.region,
        action=batch.action,
        options=batch.options,
        frozen_at=batch.frozen_at,
        until=until,
    )
    if is_relayed(batch.figures):
        work.relays.set()
    return work


def failed(line: BatchObject, error: errors.StorageError) -> Outcome:
    """Return what an error means for a line: it is tried again later, or it has failed.

    A large copy keeps its upload, to go on with or to be aborted when the batch ends. Raises the error when
    it says that nothing else can succeed either.
    """
    if isinstance(error, errors.Canceled):
        return Outcome(line=line, state=line.state, upload_id=line.upload_id)
    if isinstance(error, errors.BucketNotFound) or error.code in FATAL_CODES:
        raise error
    tries = line.attempts + 1
    may_pass = (isinstance(error, errors.Throttled) and tries < ATTEMPTS_THROTTLED) or (
        isinstance(error, errors.Unavailable) and tries < ATTEMPTS
    )
    return Outcome(
        line=line,
        state=line.state if may_pass else State.FAILED,
        code=error.code or type(error).__name__,
        message=error.message,
        request_id=error.request_id,
        upload_id=line.upload_id,
        is_attempt=True,
        error=error,
    )


def conflicted(line: BatchObject, error: errors.Conflict) -> Outcome:
    """Return what a conflict means: the source is not that of the plan, or whatever else the store says."""
    if error.status == 412 or error.code in ("", "PreconditionFailed"):
        error = errors.Conflict(error.message, code="Changed", request_id=error.request_id)
    return failed(line, error)


def ended(line: BatchObject, state: str, code: str = "", **kept: Any) -> Outcome:
    """Return a line that needs no further request; `code` says why when it is not simply done."""
    return Outcome(line=line, state=state, code=code, **kept)
