"""The grants of a bucket or an object: read, and replaced only while nobody else has changed them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from apps.access.rules.words import Resource
from apps.access.services.claims import saving_claimed
from apps.activity.services import activity_record
from apps.storage.errors import StorageError
from apps.storage.grants import Acl
from apps.storage.store import ObjectStore

if TYPE_CHECKING:
    from apps.accounts.models import Person
    from apps.connections.models import Connection


class AclChanged(Exception):
    """Somebody else changed the grants since they were seen; nothing was saved."""

    def __init__(self, now: Acl) -> None:
        super().__init__()
        self.now = now


class UnknownLost(Exception):
    """Saving would lose something that the console cannot read, and nobody agreed to that."""


@dataclass(frozen=True)
class Place:
    """A bucket, or with `key` an object in it, in the store that holds it."""

    store: ObjectStore
    bucket: str
    region: str
    key: str = ""

    @property
    def resource(self) -> Resource:
        return Resource.OBJECT if self.key else Resource.BUCKET


@dataclass(frozen=True)
class Sight:
    """The grants as the store holds them now.

    For an object the bucket's take part: `bucket_acl`, or the error that kept them from being read. For a
    bucket they are its own.
    """

    acl: Acl
    bucket_acl: Acl | None
    bucket_error: StorageError | None = None


def acl_see(place: Place) -> Sight:
    """Return the grants of a place. Raises the StorageError that kept them from being read."""
    acl = acl_read(place)
    if place.resource is Resource.BUCKET:
        return Sight(acl, acl)
    try:
        return Sight(acl, place.store.get_bucket_acl(bucket=place.bucket, region=place.region))
    except StorageError as error:
        return Sight(acl, None, error)


def acl_read(place: Place) -> Acl:
    """Return the grants of the bucket or object alone."""
    if place.key:
        return place.store.get_object_acl(bucket=place.bucket, region=place.region, key=place.key)
    return place.store.get_bucket_acl(bucket=place.bucket, region=place.region)


def acl_replace(
    place: Place,
    *,
    person: Person,
    connection: Connection,
    seen: str,
    wanted: Acl,
    canned: str = "",
    is_loss_agreed: bool = False,
    reason: str = "",
) -> Acl | None:
    """This will replace the grants, record who did it, and return what the store holds afterwards.

    None means that it was saved and cannot be read again.

    `seen` is the digest of what the person saw: raises AclChanged when it is not what the store holds now,
    unless that is what was wanted anyway, as after a second click. With `canned` the store is told that
    name and spells it out itself. `reason` is for the log. Raises UnknownLost, or the StorageError of the
    write.
    """
    with saving_claimed(what="acl", bucket=place.bucket, key=place.key):
        now = acl_read(place)
        if now.digest == wanted.digest:
            return now
        if now.digest != seen:
            raise AclChanged(now)
        if now.unknown and not is_loss_agreed:
            raise UnknownLost
        _write(place, canned or acl_spelled(wanted, now))
        held = _read_again(place)
    activity_record(
        person=person,
        verb=f"{place.resource}.acl",
        connection=connection.slug,
        bucket=place.bucket,
        key=place.key,
        before=_facts(now),
        after=_facts(held or wanted) | ({"reason": reason} if reason else {}),
    )
    return held


def acl_spelled(wanted: Acl, now: Acl) -> Acl:
    """Return `wanted` with every grant that is there already spelled as the store spells it."""
    known = {grant: grant for grant in now.grants}
    grants = tuple(known.get(grant, grant) for grant in wanted.explicit)
    return replace(now, grants=grants, is_inherited=wanted.is_inherited, unknown=())


def _read_again(place: Place) -> Acl | None:
    try:
        return acl_read(place)
    except StorageError:
        return None


def _facts(acl: Acl) -> dict[str, object]:
    grants = [] if acl.is_inherited else [f"{one.grantee.text} {one.permission}" for one in acl.explicit]
    return {"owner": acl.owner.text, "inherits": acl.is_inherited, "grants": grants}


def _write(place: Place, acl: Acl | str) -> None:
    if place.key:
        place.store.put_object_acl(bucket=place.bucket, region=place.region, key=place.key, acl=acl)
    else:
        place.store.put_bucket_acl(bucket=place.bucket, region=place.region, acl=acl)
