"""A copy that workers make, part by part where the object is large."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from apps.connections.models import Connection
from apps.connections.services import store_for
from apps.jobs.models import Job
from apps.storage.errors import Conflict, Refused
from apps.storage.features import Features
from apps.storage.grants import Acl, Grant, GranteeKind
from apps.storage.multipart import PartPlan, plan_of, plan_parts
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag
from apps.storage.types import ObjectHeaders, ObjectInfo, ObjectRef
from apps.transfers.content import CopyDetail, NewObject, headers_of, seen_of
from apps.transfers.models import Transfer
from apps.transfers.relaying import can_copy_in_store, source_pin
from apps.transfers.services.beginning import initiate, require_free, transfer_create
from apps.transfers.spans import spans_make

if TYPE_CHECKING:
    from apps.accounts.models import Person

# One request waits until the store has copied everything: from here on parts are faster, and show progress.
COPY_IN_PARTS_FROM = 32 * 1024 * 1024
COPY_PART_SIZE = 16 * 1024 * 1024
PART_SIZE_LEAST = 1024 * 1024


class SameObject(Exception):
    """Source and target of a copy are one and the same object."""


@dataclass(frozen=True)
class CopyWanted:
    """How a copy differs from its source, and what the source must be. Left alone, it is a plain copy.

    `headers` and `tags` replace the source's, `storage_class` its class. `acl` is a canned name to which
    `grants` add accounts; without them and without `is_acl_kept` the copy inherits the bucket's grants.
    Sizes are bytes: an object above `parts_from` is copied in parts of `part_size`, doubled until 10,000
    suffice. Source: Slice Copy File and PUT Object - Copy, 2024-12.
    """

    headers: ObjectHeaders | None = None
    storage_class: str | None = None
    acl: str | None = None
    grants: tuple[Grant, ...] = ()
    is_acl_kept: bool = False
    tags: tuple[Tag, ...] | None = None
    version_id: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: datetime | None = None
    if_unmodified_since: datetime | None = None
    parts_from: int | None = None
    part_size: int | None = None
    is_move: bool = False


def copy_start(
    *,
    owner: Person,
    connection: Connection,
    source: ObjectRef,
    bucket: str,
    region: str,
    key: str,
    replace: bool,
    source_connection: Connection | None = None,
    wanted: CopyWanted | None = None,
) -> Transfer:
    """This will begin a copy, also one from another connection; workers do the rest.

    The source is pinned by its ETag: if it changes while parts are copied, the job stops instead of mixing
    two versions. Raises SameObject, TargetExists, Conflict when the source is not as `wanted` says, Refused
    when its grants cannot be kept, or StorageError; nothing is left behind then.
    """
    target, wanted = ObjectRef(bucket=bucket, region=region, key=key), wanted or CopyWanted()
    reads_from = source_connection or connection
    if _is_same_object(reads_from, source, connection, target, is_move=wanted.is_move):
        raise SameObject
    store, source_store = store_for(connection), store_for(reads_from)
    info = _source_info(source_store, source, wanted)
    if not replace:
        require_free(store, bucket=bucket, region=region, key=key)
    pinned = source_pin(source, info, version_id=wanted.version_id or "")
    is_relayed = not can_copy_in_store(reads_from, connection, source=pinned)
    plan, is_multipart = _plan_of(info.size, wanted, store.features, is_relayed=is_relayed)
    acl = _acl_kept(source_store, source) if wanted.is_acl_kept else None
    new_object, later = _new_object(info, wanted, acl, store.features)
    detail = CopyDetail(
        is_replaced=wanted.headers is not None,
        has_tags=wanted.tags is not None,
        has_crc64=bool(pinned.crc64),
        grants_later=later,
        lost=("tags",) if wanted.tags is None and (is_multipart or is_relayed) else (),
        source_seen=seen_of(info),
        source_acl=acl.digest if acl is not None else "",
        reads_by=reads_from.slug if reads_from.pk != connection.pk else "",
    )
    transfer = transfer_create(
        Job.Kind.MOVE_ONE if wanted.is_move else Job.Kind.COPY,
        owner=owner,
        connection=connection,
        target=target,
        plan=plan,
        wanted=new_object,
        source_connection=reads_from if reads_from.pk != connection.pk else None,
        source_bucket=source.bucket,
        source_region=source.region,
        source_key=source.key,
        source_etag=info.etag,
        source_version_id=pinned.version_id,
        may_replace=replace,
        is_move=wanted.is_move,
        is_relayed=is_relayed,
        copy_detail=detail.to_json(),
        crc64=pinned.crc64,
    )
    spans_make(transfer)
    initiate(transfer, is_multipart=is_multipart)
    return transfer


def _is_same_object(
    source_connection: Connection,
    source: ObjectRef,
    connection: Connection,
    target: ObjectRef,
    *,
    is_move: bool,
) -> bool:
    """Return whether both names lead to one object. Regions have several names, buckets have one.

    Two addresses may lead to one store: whoever moves would delete what was just written.
    """
    if (source.bucket, source.key) != (target.bucket, target.key):
        return False
    ends = {(one.provider, one.suffix, one.connect_to) for one in (source_connection, connection)}
    return is_move or len(ends) == 1


def _source_info(store: ObjectStore, source: ObjectRef, wanted: CopyWanted) -> ObjectInfo:
    info = store.head_object(
        bucket=source.bucket,
        region=source.region,
        key=source.key,
        version_id=wanted.version_id,
        if_match=wanted.if_match,
        if_none_match=wanted.if_none_match,
        if_modified_since=wanted.if_modified_since,
        if_unmodified_since=wanted.if_unmodified_since,
    )
    if info.is_not_modified:
        raise Conflict("The source is what it must not be.", code="PreconditionFailed", status=412)
    return info


def _plan_of(size: int, wanted: CopyWanted, features: Features, *, is_relayed: bool) -> tuple[PartPlan, bool]:
    """Return how the object is cut, and whether it is copied in parts at all."""
    single_max = features.single_put_max if is_relayed else features.single_copy_max
    parts_from = min(wanted.parts_from or COPY_IN_PARTS_FROM, single_max)
    part_size = wanted.part_size or COPY_PART_SIZE
    # One part of an upload would be one request more than one request.
    if size <= max(parts_from, min(part_size, single_max)):
        return plan_of(size=size, part_size=single_max), False
    part_size = max(part_size, features.part_size_min)
    return plan_parts(size, part_size=part_size), True


def _acl_kept(store: ObjectStore, source: ObjectRef) -> Acl:
    return store.get_object_acl(bucket=source.bucket, region=source.region, key=source.key)


def _new_object(
    info: ObjectInfo, wanted: CopyWanted, acl_kept: Acl | None, features: Features
) -> tuple[NewObject, tuple[Grant, ...] | None]:
    """Return what the copy gets besides its bytes, and the grants that it gets only when it is whole."""
    headers = wanted.headers or headers_of(info)
    storage_class = wanted.storage_class or headers.storage_class or info.storage_class
    headers = replace(headers, storage_class=storage_class)
    acl, grants, later = wanted.acl or "", wanted.grants, None
    if acl_kept is not None:
        acl, grants, later = access_kept(acl_kept, features)
    return NewObject(headers=headers, acl=acl, grants=grants, tags=wanted.tags or ()), later


def access_kept(acl: Acl, features: Features) -> tuple[str, tuple[Grant, ...], tuple[Grant, ...] | None]:
    """Return the canned name and the account grants with which a copy begins, and all that it gets later.

    What headers cannot express follows when the object is whole: never for a moment is the copy more open
    than its source. The owner's own grant is the new owner's. Raises Refused for what would be lost.
    """
    if acl.is_inherited:
        return "", (), None
    if acl.unknown:
        raise Refused(f"The grants hold {', '.join(acl.unknown)}, which a copy would lose.")
    kinds = (GranteeKind.ACCOUNT, GranteeKind.SUB_ACCOUNT)
    named = tuple(
        grant
        for grant in acl.explicit
        if grant.grantee.kind in kinds and grant.permission in features.object_permissions
    )
    rest = set(acl.explicit) - set(named)
    for canned in features.object_canned_acls:
        if not canned.is_inherited and not canned.bucket_owner and set(canned.grants) == rest:
            return canned.name, named, None
    return "private", named, acl.explicit
