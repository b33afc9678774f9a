"""Changing access: what was granted is kept before it is replaced, so that it can be written back."""

from __future__ import annotations

import json
from collections.abc import Sequence

from apps.batches.actions.outcomes import State, Work, ended, failed
from apps.batches.content import acl_read, acl_text, grants_read
from apps.batches.ledger import Outcome
from apps.batches.models import BatchObject
from apps.storage.errors import StorageError
from apps.storage.grants import Acl


def read(work: Work, lines: Sequence[BatchObject]) -> list[Outcome]:
    """Read the grants of each object."""
    return [_read(work, line) for line in lines]


def _read(work: Work, line: BatchObject) -> Outcome:
    try:
        acl = work.store.get_object_acl(bucket=work.bucket, region=work.region, key=line.key)
    except StorageError as error:
        return failed(line, error)
    if acl.unknown:
        return ended(line, State.FAILED, "UnknownGrants", message=", ".join(acl.unknown))
    if line.before and _is_written(work, line, acl):
        return ended(line, State.DONE, after=_wanted(work, line)[1])
    if line.expected and not _is_expected(acl, line.expected):
        return ended(line, State.SKIPPED, "Changed")
    return ended(line, State.READ, before=acl_text(acl))


def _is_expected(acl: Acl, expected: str) -> bool:
    """Return whether these are the grants that the earlier batch left, for an undo."""
    data = json.loads(expected)
    return "canned" in data or acl_read(expected).digest == acl.digest


def _is_written(work: Work, line: BatchObject, acl: Acl) -> bool:
    """Return whether an earlier attempt wrote these grants unseen: what was before it is kept then."""
    _wanted_acl, after = _wanted(work, line)
    return "canned" not in json.loads(after) and acl_read(after).digest == acl.digest


def write(work: Work, lines: Sequence[BatchObject]) -> list[Outcome]:
    """Replace the grants of each object. Repeating it is harmless."""
    return [_write(work, line) for line in lines]


def _write(work: Work, line: BatchObject) -> Outcome:
    wanted, after = _wanted(work, line)
    try:
        request_id = work.store.put_object_acl(
            bucket=work.bucket, region=work.region, key=line.key, acl=wanted
        )
    except StorageError as error:
        return failed(line, error)
    return ended(line, State.DONE, request_id=request_id, after=after)


def _wanted(work: Work, line: BatchObject) -> tuple[Acl | str, str]:
    """Return the grants to write, and what the ledger keeps of them."""
    if line.wanted:
        return acl_read(line.wanted), line.wanted
    owner = acl_read(line.before).owner
    name = work.options["acl"]
    if name == "grants":
        acl = Acl(owner=owner, grants=grants_read(work.options["grants"]))
        return acl, acl_text(acl)
    [canned] = [one for one in work.store.features.object_canned_acls if one.name == name]
    if canned.bucket_owner:
        # Who owns the bucket is not known here, and nobody can be compared with it.
        return name, json.dumps({"canned": name})
    return name, acl_text(Acl(owner=owner, grants=canned.grants, is_inherited=canned.is_inherited))
