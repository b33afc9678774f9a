"""Saved endpoints: kept, opened, checked, and asked where their buckets are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from threading import Lock, Thread
from typing import TYPE_CHECKING, TypedDict, Unpack

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.connections.models import Connection, ConnectionMember, KnownBucket, Role
from apps.connections.rules import Explanation, explain
from apps.connections.secrets import secret_decrypt, secret_encrypt
from apps.storage.errors import BucketNotFound, Denied, StorageError, Unavailable
from apps.storage.registry import store_open
from apps.storage.store import ObjectStore
from apps.storage.types import Bucket, Credentials, Endpoint

if TYPE_CHECKING:
    from apps.accounts.models import Person

# What a store is opened from: it changes with the endpoint and with each saving of a key.
Version = tuple[str, Endpoint, str, bytes, bytes]
CallKey = tuple[int | None, Version]

# A bucket never moves, but one of the same name may be made anew in another region.
REGION_FRESH = timedelta(hours=24)
# Rows are not rewritten by every page view: a list read twice in a minute says nothing new.
SEEN_FRESH = timedelta(minutes=1)
# How long a person waits for the outcome of a test.
CHECK_TIMEOUT_S = 12.0

# Calls that have not ended, by connection and version. A store that is dead keeps its call for minutes:
# whoever asks meanwhile waits for the same call, or each look at a page would leave a thread behind.
_calls: dict[CallKey, Future[Sequence[Bucket]]] = {}
_calls_lock = Lock()

RESERVED_SLUGS = frozenset({"new", "test"})
ENVIRONMENT_NAME = "Tencent COS"


# Which account of which store a connection leads to.
STORE_FIELDS = ("provider", "suffix", "connect_to", "appid")


class ConnectionInUse(Exception):
    """The connection has jobs that are not finished, which would lose their way to the store."""


class ConnectionValues(TypedDict, total=False):
    """What a person may set. An empty `secret_key` keeps the saved key and token."""

    name: str
    provider: str
    scheme: str
    suffix: str
    connect_to: str
    appid: str
    default_region: str
    secret_id: str
    secret_key: str
    token: str


@dataclass(frozen=True)
class Reading:
    """What one connection answered: its buckets, or why they could not be read."""

    connection: Connection
    buckets: Sequence[Bucket] = ()
    error: StorageError | None = None


@dataclass(frozen=True)
class Check:
    """What a test of a connection found: how many buckets its key lists, or what is wrong."""

    buckets: int | None
    problem: Explanation | None

    @property
    def is_ok(self) -> bool:
        return self.problem is None


def connection_create(*, owner: Person, **values: Unpack[ConnectionValues]) -> Connection:
    """Save a new connection under a slug made from its name. No request is sent."""
    connection = connection_draft(Connection(owner=owner), **values)
    with transaction.atomic():
        connection.slug = _slug_free(connection.name)
        connection.save(force_insert=True)
    return connection


def connection_update(connection: Connection, **values: Unpack[ConnectionValues]) -> Connection:
    """Save changed fields. The address of the connection stays, whatever its name becomes.

    Rules that abort uploads by themselves are turned off when it leads to another account or store: nobody
    has looked at what they would abort there.
    """
    before = Connection.objects.filter(pk=connection.pk).values(*STORE_FIELDS).first()
    connection_draft(connection, **values)
    with transaction.atomic():
        connection.save()
        if before is not None and any(getattr(connection, name) != was for name, was in before.items()):
            connection.abort_rules.update(is_on=False)
    return connection


def connection_draft(connection: Connection, **values: Unpack[ConnectionValues]) -> Connection:
    """Put the values into `connection` without saving it, so that they can be tried first."""
    secret_key, token = values.pop("secret_key", ""), values.pop("token", "")
    for name, value in values.items():
        setattr(connection, name, value)
    if secret_key:
        connection.encrypted_secret_key = secret_encrypt(secret_key)
        connection.encrypted_token = secret_encrypt(token)
    return connection


def connection_delete(connection: Connection) -> None:
    """Forget the connection, its members and its finished transfers; nothing in the store changes.

    Raises ConnectionInUse while a job that uses it is not finished.
    """
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=connection.pk)
        if _is_in_use(connection):
            raise ConnectionInUse(_("Jobs that use this connection are not finished yet."))
        connection.delete()


def _is_in_use(connection: Connection) -> bool:
    """Return whether jobs need the connection; a plan that only waits for its person does not."""
    waiting = ["planning", "planned"]
    return (
        connection.transfers.filter(job__finished_at__isnull=True).exists()
        or connection.copies_out.filter(job__finished_at__isnull=True).exists()
        or connection.batches.filter(job__finished_at=None).exclude(job__state__in=waiting).exists()
        or connection.batches_in.filter(job__finished_at=None).exclude(job__state__in=waiting).exists()
        or connection.upload_walks.filter(job__isnull=False, job__finished_at=None).exists()
    )


def connection_from_environment(*, owner: Person, environ: Mapping[str, str]) -> Connection | None:
    """Create or update the connection that `COS_*` variables describe; None when they name no key.

    Variables that are not set leave the fields of an existing connection alone.
    """
    if not (environ.get("COS_SECRET_ID") and environ.get("COS_SECRET_KEY")):
        return None
    values = ConnectionValues(
        name=ENVIRONMENT_NAME, secret_id=environ["COS_SECRET_ID"], secret_key=environ["COS_SECRET_KEY"]
    )
    values["token"] = environ.get("COS_TOKEN", "")
    if appid := environ.get("COS_APPID"):
        values["appid"] = appid
    if region := environ.get("COS_REGION"):
        values["default_region"] = region
    if suffix := environ.get("COS_SUFFIX"):
        values["suffix"] = suffix
    if scheme := environ.get("COS_SCHEME"):
        values["scheme"] = scheme
    existing = Connection.objects.filter(owner=owner, name=ENVIRONMENT_NAME).first()
    if existing:
        return connection_update(existing, **values)
    return connection_create(owner=owner, **values)


def connection_check(connection: Connection) -> Check:
    """List the buckets once, and say in words what is wrong when that fails. Raises nothing."""
    (reading,) = buckets_ask([connection], timeout_s=CHECK_TIMEOUT_S)
    if reading.error:
        return Check(buckets=None, problem=explain(reading.error))
    return Check(buckets=len(reading.buckets), problem=None)


def member_set(*, connection: Connection, person: Person, role: Role) -> ConnectionMember:
    """Let a person in, or change what a member may do."""
    member, _created = ConnectionMember.objects.update_or_create(
        connection=connection, person=person, defaults={"role": role}
    )
    return member


def store_for(connection: Connection) -> ObjectStore:
    """Return the store behind a connection; no request is sent.

    One store per process and version of the endpoint and keys, so that its network connections are reused
    and a changed key takes effect at once. Raises SecretUnreadable.
    """
    return _store_opened(*_version_of(connection))


def bucket_region(connection: Connection, bucket: str) -> str:
    """Return the region of a bucket, from what was seen in the last day, else from the store.

    A key that may not list buckets falls back on what was known, then on the connection's default region.
    Raises BucketNotFound, or the StorageError that kept the list from being read.
    """
    known = KnownBucket.objects.filter(connection=connection, name=bucket).first()
    if known and known.seen_at > timezone.now() - REGION_FRESH:
        return known.region
    try:
        buckets = buckets_refresh(connection)
    except StorageError as error:
        if known:
            return known.region
        if connection.default_region and isinstance(error, Denied):
            return connection.default_region
        raise
    for found in buckets:
        if found.name == bucket:
            return found.region
    raise BucketNotFound(_("This bucket does not exist, or the connection's key does not list it."))


def buckets_ask(connections: Iterable[Connection], *, timeout_s: float) -> list[Reading]:
    """Ask all connections for their buckets at the same time.

    One that does not answer in time has that as its error: the store's client tries again for minutes, and
    nobody waits so long for a page. Its call ends by itself in the background, and until then answers
    whoever asks the same connection again.
    """
    asked = list(connections)
    calls = [_in_background(connection) for connection in asked]
    wait(calls, timeout=timeout_s)
    return [_reading_of(connection, call) for connection, call in zip(asked, calls, strict=True)]


def buckets_refresh(connection: Connection) -> Sequence[Bucket]:
    """Read the list of buckets from the store and remember where they are."""
    buckets = store_for(connection).list_buckets()
    buckets_remember(connection, buckets, seen_at=timezone.now())
    return buckets


def buckets_remember(connection: Connection, buckets: Sequence[Bucket], *, seen_at: datetime) -> None:
    """Make the known buckets of a connection equal to a list that was just read."""
    known = {row.name: row for row in connection.known_buckets.all()}
    fresh = [
        KnownBucket(
            connection=connection,
            name=bucket.name,
            region=bucket.region,
            created_at=bucket.created_at,
            seen_at=seen_at,
        )
        for bucket in buckets
        if not _is_current(known.get(bucket.name), bucket, seen_at)
    ]
    gone = known.keys() - {bucket.name for bucket in buckets}
    if gone:
        connection.known_buckets.filter(name__in=gone).delete()
    if fresh:
        KnownBucket.objects.bulk_create(
            fresh,
            update_conflicts=True,
            unique_fields=["connection", "name"],
            update_fields=["region", "created_at", "seen_at"],
            batch_size=200,
        )


def bucket_forget(connection: Connection, bucket: str) -> datetime | None:
    """Forget where a bucket was, so that its region is learnt anew; return when it was last seen."""
    known = connection.known_buckets.filter(name=bucket).first()
    if known is None:
        return None
    known.delete()
    return known.seen_at


def _in_background(connection: Connection) -> Future[Sequence[Bucket]]:
    """Begin to list the buckets, or join the call that does so already.

    A pool's threads would hold up the end of the process; these do not.
    """
    key = connection.pk, _version_of(connection)
    with _calls_lock:
        if key in _calls:
            return _calls[key]
        answer: Future[Sequence[Bucket]] = Future()
        Thread(target=_list_buckets, args=(key, answer), name="list-buckets", daemon=True).start()
        _calls[key] = answer
    return answer


def _list_buckets(key: CallKey, answer: Future[Sequence[Bucket]]) -> None:
    """Run in a thread of its own, so it must not touch the database."""
    _pk, version = key
    try:
        buckets = _store_opened(*version).list_buckets()
    except Exception as error:
        _call_end(key)
        answer.set_exception(error)
        return
    _call_end(key)
    answer.set_result(buckets)


def _call_end(key: CallKey) -> None:
    """Forget a call before its answer is given: nobody who asks after an answer gets that one again."""
    with _calls_lock:
        del _calls[key]


def _reading_of(connection: Connection, call: Future[Sequence[Bucket]]) -> Reading:
    if not call.done():
        return Reading(connection, error=Unavailable(_("The store did not answer in time.")))
    try:
        return Reading(connection, call.result())
    except StorageError as error:
        return Reading(connection, error=error)


def _is_current(known: KnownBucket | None, bucket: Bucket, now: datetime) -> bool:
    return known is not None and known.region == bucket.region and known.seen_at > now - SEEN_FRESH


def _slug_free(name: str) -> str:
    stem = slugify(name)[:40].strip("-") or "connection"
    taken = set(Connection.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    taken |= RESERVED_SLUGS
    slug, number = stem, 1
    while slug in taken:
        number += 1
        slug = f"{stem}-{number}"
    return slug


def _version_of(connection: Connection) -> Version:
    endpoint = Endpoint(
        scheme=connection.scheme, suffix=connection.suffix, connect_to=connection.connect_to or None
    )
    return (
        connection.provider,
        endpoint,
        connection.secret_id,
        bytes(connection.encrypted_secret_key),
        bytes(connection.encrypted_token),
    )


@lru_cache(maxsize=64)
def _store_opened(
    provider: str, endpoint: Endpoint, secret_id: str, encrypted_secret_key: bytes, encrypted_token: bytes
) -> ObjectStore:
    """Open a store. The arguments are a connection's version: encryption never gives the same bytes twice."""
    credentials = Credentials(
        secret_id=secret_id,
        secret_key=secret_decrypt(encrypted_secret_key),
        token=secret_decrypt(encrypted_token) or None,
    )
    return store_open(provider, credentials=credentials, endpoint=endpoint)
