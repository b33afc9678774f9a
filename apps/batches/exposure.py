"""Whether a plan lets people in who were not named: everybody, or everybody who signs in."""

from __future__ import annotations

from django.db.models import Q

from apps.batches.content import grants_read
from apps.batches.models import Action, Batch, BatchObject
from apps.batches.rules import INHERITED, KEPT, access_of
from apps.connections.models import Connection
from apps.connections.services import store_for
from apps.storage.errors import StorageError
from apps.storage.grants import Acl, Grant, GranteeKind, Permission

OPEN_TO = (GranteeKind.EVERYONE, GranteeKind.SIGNED_IN)
OPEN_NAMES = ("public-read", "public-read-write", "authenticated-read")
YES, NO, UNKNOWN = "yes", "no", "unknown"


def opening_of(batch: Batch) -> str:
    """Return `yes` when strangers get in, `unknown` when the bucket that decides cannot be asked, else `no`.

    An object that inherits its access becomes public by being moved to a public bucket.
    """
    if batch.action == Action.ACCESS:
        return _undo_opening(batch) if batch.undo_of_id else _access_opening(batch)
    if batch.does_copy:
        access = access_of(batch.options)
        if access not in (KEPT, INHERITED):
            return YES if access in OPEN_NAMES else NO
        if batch.option("bucket") != batch.bucket:
            return _move_opening(batch)
    return NO


def _access_opening(batch: Batch) -> str:
    name = batch.option("acl")
    if name == "grants":
        grants = grants_read(batch.option("grants"))
        return YES if any(_is_open(grant) for grant in grants) else NO
    if name == "default":
        return _bucket_opening(batch.connection, batch.bucket, batch.region)
    return YES if name in OPEN_NAMES else NO


def _undo_opening(batch: Batch) -> str:
    """Return whether what is written back is open. What merely looks like it asks once too often."""
    lines = BatchObject.objects.filter(batch=batch)
    if lines.filter(Q(wanted__contains='"everyone"') | Q(wanted__contains='"signed-in"')).exists():
        return YES
    if lines.filter(wanted__contains='"inherited": true').exists():
        return _bucket_opening(batch.connection, batch.bucket, batch.region)
    return NO


def _move_opening(batch: Batch) -> str:
    target = _bucket_opening(batch.goes_to, batch.option("bucket"), batch.option("region"))
    if target == NO:
        return NO
    return NO if _bucket_opening(batch.connection, batch.bucket, batch.region) == YES else target


def _bucket_opening(connection: Connection, bucket: str, region: str) -> str:
    try:
        acl: Acl = store_for(connection).get_bucket_acl(bucket=bucket, region=region)
    except StorageError:
        return UNKNOWN
    return YES if any(_is_open(grant) for grant in acl.explicit) else NO


def _is_open(grant: Grant) -> bool:
    return grant.grantee.kind in OPEN_TO and grant.permission in (Permission.READ, Permission.FULL_CONTROL)
