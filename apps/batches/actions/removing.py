"""Deleting many: compared first where somebody wants it, then a thousand keys in one request."""

from __future__ import annotations

from collections.abc import Sequence

from apps.batches.actions.outcomes import ATTEMPTS, PASSING_CODES, State, Work, ended, failed
from apps.batches.ledger import Outcome
from apps.batches.models import BatchObject
from apps.storage.errors import ObjectNotFound, StorageError
from apps.storage.types import DeleteFailure

NOT_MENTIONED = "NotMentioned"


def compare(work: Work, lines: Sequence[BatchObject]) -> list[Outcome]:
    """Look whether each object is still the one of the plan. COS deletes without conditions."""
    return [_compared(work, line) for line in lines]


def _compared(work: Work, line: BatchObject) -> Outcome:
    try:
        info = work.store.head_object(bucket=work.bucket, region=work.region, key=line.key)
    except ObjectNotFound:
        return ended(line, State.DONE, "AlreadyGone")
    except StorageError as error:
        return failed(line, error)
    if info.etag != line.etag:
        return ended(line, State.SKIPPED, "Changed")
    return ended(line, State.READ)


def remove(work: Work, lines: Sequence[BatchObject]) -> list[Outcome]:
    """Delete up to a thousand objects in one request.

    Quiet, the store mentions failures only, and silence is success; verbose, a key that it does not mention
    has failed. Repeating it is harmless: an object that is gone counts as deleted.
    """
    keys = [line.key for line in lines]
    try:
        outcome = work.store.delete_objects(
            bucket=work.bucket, region=work.region, keys=keys, is_quiet=not work.options.get("is_verbose")
        )
    except StorageError as error:
        return [failed(line, error) for line in lines]
    deleted = set(outcome.deleted)
    failures = {failure.key: failure for failure in outcome.failures}
    return [
        ended(line, State.DONE, request_id=outcome.request_id)
        if line.key in deleted
        else _refused(line, failures.get(line.key))
        for line in lines
    ]


def _refused(line: BatchObject, failure: DeleteFailure | None) -> Outcome:
    if failure is None:
        failure = DeleteFailure(line.key, "", "The store did not say what happened to this key.")
    may_pass = failure.code in PASSING_CODES and line.attempts + 1 < ATTEMPTS
    return Outcome(
        line=line,
        state=line.state if may_pass else State.FAILED,
        code=failure.code or NOT_MENTIONED,
        message=failure.message,
        request_id=failure.request_id,
        is_attempt=True,
    )
