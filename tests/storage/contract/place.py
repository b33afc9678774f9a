"""Where the contract is tried: the embedded store always, a real account when one is named.

COS_SECRET_ID, COS_SECRET_KEY, COS_REGION and COS_BUCKET name it; COS_TOKEN belongs to a temporary key, and
COS_ENDPOINT (`http://host:port`) is the gateway that the sockets go to instead of the public host.

In the bucket that is named everything happens below a random prefix, and only objects: settings of that
bucket are never written. What is tried on a bucket as a whole (its ACL, CORS and tags) is tried on another
one, made under a random name and deleted afterwards; where the key may not make buckets, that is skipped.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

import pytest

from apps.localstore.accounts import Account
from apps.localstore.server import LocalStore
from apps.storage import errors
from apps.storage.registry import store_open
from apps.storage.store import ObjectStore
from apps.storage.types import Credentials, Endpoint, FileSlice, ObjectHeaders, ObjectRef, StoredPart

MIB = 1 << 20
REAL = ("COS_SECRET_ID", "COS_SECRET_KEY", "COS_REGION", "COS_BUCKET")
PLAIN = ObjectHeaders()
EMBEDDED_KEY = Credentials("AKIDCONTRACT", "contract-secret")
STRANGER_KEY = Credentials("AKIDNEIGHBOR", "neighbor-secret")
# How long a store may take until everybody sees what was written. The cloud's own suites wait five seconds.
SETTLED_WITHIN_S = 30.0
# All that a run leaves in somebody's bucket begins so.
RUN = f"contract-{secrets.token_hex(8)}/"

_T = TypeVar("_T")
_opened: list[BinaryIO] = []


@dataclass
class Place:
    """A bucket in a store, and a prefix in it that is ours alone. `server` is None for a real account."""

    store: ObjectStore
    provider: str
    endpoint: Endpoint
    bucket: str
    region: str
    prefix: str
    server: LocalStore | None

    @property
    def at(self) -> dict[str, str]:
        return {"bucket": self.bucket, "region": self.region}

    @property
    def elsewhere(self) -> dict[str, str]:
        """A bucket that does not exist."""
        return {**self.at, "bucket": f"gone-{secrets.token_hex(4)}-{self.appid}"}

    @property
    def appid(self) -> str:
        return self.bucket.rpartition("-")[2]

    def key(self, name: str) -> dict[str, str]:
        return {**self.at, "key": self.prefix + name}

    def ref(self, name: str) -> ObjectRef:
        return ObjectRef(self.bucket, self.region, self.prefix + name)

    def opened_with(self, credentials: Credentials) -> ObjectStore:
        """The same store under another key."""
        return store_open(self.provider, credentials=credentials, endpoint=self.endpoint)

    def put(self, name: str, data: bytes, headers: ObjectHeaders = PLAIN, **options: Any) -> None:
        self.store.put_object(**self.key(name), body=slice_of(data), headers=headers, **options)

    def read(self, name: str, **options: Any) -> bytes:
        body = self.store.get_object(**self.key(name), **options)
        try:
            return b"".join(body)
        finally:
            body.close()

    def begin(self, name: str) -> str:
        return self.store.create_multipart_upload(**self.key(name), headers=PLAIN)

    def upload(self, name: str, upload_id: str, number: int, data: bytes) -> StoredPart:
        return self.store.upload_part(
            **self.key(name), upload_id=upload_id, number=number, body=slice_of(data)
        )

    def names(self, **options: Any) -> list[str]:
        listing = self.store.list_objects(**self.at, prefix=self.prefix, **options)
        return [row.key.removeprefix(self.prefix) for row in listing.objects]


def slice_of(data: bytes) -> FileSlice:
    """Return the slice of a real file in memory that holds `data` after a byte that is not part of it."""
    file = os.fdopen(os.memfd_create("body"), "w+b", buffering=0)
    _opened.append(file)
    file.write(b"-" + data)
    return FileSlice(file, 1, len(data))


def settled(read: Callable[[], _T], is_right: Callable[[_T], bool]) -> _T:
    """Return what `read` gives as soon as it is right, at the latest what it gives after half a minute."""
    until, pause_s = time.monotonic() + SETTLED_WITHIN_S, 0.05
    while not is_right(value := read()) and time.monotonic() < until:
        time.sleep(pause_s)
        pause_s = min(2.0, pause_s * 2)
    return value


def settled_on(expected: _T, read: Callable[[], _T]) -> _T:
    """Return what `read` gives as soon as it is `expected`: for the left side of an assertion."""
    return settled(read, lambda value: value == expected)


def strike(place: Place, kind: str, **options: Any) -> None:
    """Make the embedded store fail; a real one cannot be told to."""
    if place.server is None:
        pytest.skip("A real store does not fail on demand.")
    place.server.faults.add(kind, **options)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStore]:
    accounts = [
        Account(secret_id=EMBEDDED_KEY.secret_id, secret_key=EMBEDDED_KEY.secret_key),
        Account("100000000002", "1250000002", STRANGER_KEY.secret_id, STRANGER_KEY.secret_key),
    ]
    server = LocalStore(tmp_path_factory.mktemp("store"), accounts)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def real_bucket(real_account: Place) -> Iterator[str]:
    """A bucket of a real account whose settings may be changed."""
    named = real_account
    bucket = f"ct-{secrets.token_hex(4)}-{named.appid}"
    try:
        named.store.create_bucket(bucket=bucket, region=named.region)
    except (errors.Denied, errors.Refused) as error:
        pytest.skip(f"The key makes no buckets, and the settings of {named.bucket} are not ours: {error}")
    yield bucket
    assert settled(lambda: _is_deleted(replace(named, bucket=bucket, prefix="")), bool), f"{bucket} is left"


@pytest.fixture(scope="module")
def real_account() -> Iterator[Place]:
    """A real account; at the end nothing is left in it that a list showed too late."""
    named = account_of_environment()
    yield named
    everything = replace(named, prefix=RUN)
    looks = [_clean(everything) for _ in _pauses(3)]
    assert looks[-1], f"Something is left below {RUN} in {named.bucket}."


@pytest.fixture(params=["embedded", "real"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Somewhere to put objects."""
    if request.param == "embedded":
        yield from _cleaned(_embedded(request))
        return
    yield from _cleaned(_own_prefix(request))


@pytest.fixture(params=["embedded", "real"])
def own(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A bucket whose settings are ours, too."""
    if request.param == "embedded":
        yield from _cleaned(_embedded(request))
        return
    named = _own_prefix(request)
    yield from _cleaned(replace(named, bucket=request.getfixturevalue("real_bucket")))


def _cleaned(place: Place) -> Iterator[Place]:
    yield place
    if place.server is not None:
        place.server.faults.clear()
    _clean(place)
    if place.server is not None:
        # An account may hold 200 buckets, and each test makes one.
        place.store.delete_bucket(**place.at)
    while _opened:
        _opened.pop().close()


def _own_prefix(request: pytest.FixtureRequest) -> Place:
    account: Place = request.getfixturevalue("real_account")
    return replace(account, prefix=f"{RUN}{secrets.token_hex(4)}/")


def _embedded(request: pytest.FixtureRequest) -> Place:
    server: LocalStore = request.getfixturevalue("embedded")
    server.faults.clear()
    endpoint = Endpoint("http", connect_to=f"127.0.0.1:{server.port}")
    store = store_open("cos", credentials=EMBEDDED_KEY, endpoint=endpoint)
    name = f"contract-{secrets.token_hex(4)}-1250000000"
    store.create_bucket(bucket=name, region="ap-guangzhou")
    return Place(store, "cos", endpoint, name, "ap-guangzhou", "", server)


def account_of_environment() -> Place:
    """Return the real account that the environment names; skips the test when it names none."""
    if not all(os.environ.get(name) for name in REAL):
        pytest.skip("No real account: " + ", ".join(REAL) + " are not set.")
    secret_id, secret_key, region, bucket = (os.environ[name] for name in REAL)
    endpoint = Endpoint()
    if gateway := os.environ.get("COS_ENDPOINT"):
        parts = urlsplit(gateway)
        endpoint = Endpoint(parts.scheme, connect_to=parts.netloc)
    credentials = Credentials(secret_id, secret_key, os.environ.get("COS_TOKEN") or None)
    store = store_open("cos", credentials=credentials, endpoint=endpoint)
    return Place(store, "cos", endpoint, bucket, region, RUN, None)


def _clean(place: Place) -> bool:
    """Remove what a list shows below the prefix; tell whether it showed nothing."""
    store = place.store
    uploads = store.list_multipart_uploads(**place.at, prefix=place.prefix).uploads
    for upload in uploads:
        with suppress(errors.UploadNotFound):
            store.abort_multipart_upload(**place.at, key=upload.key, upload_id=upload.upload_id)
    keys = [row.key for row in store.list_objects(**place.at, prefix=place.prefix).objects]
    if keys:
        store.delete_objects(**place.at, keys=keys)
    return not uploads and not keys


def _pauses(number: int) -> Iterator[int]:
    for number_so_far in range(number):
        yield number_so_far
        time.sleep(0.5)


def _is_deleted(place: Place) -> bool:
    try:
        _clean(place)
        place.store.delete_bucket(**place.at)
    except errors.BucketNotFound:
        return True
    except errors.Conflict:
        return False
    return True
