from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.node import NodeMissing

from apps.localstore import LocalStore
from apps.storage.cos import CosClient, Retries, Timeouts
from apps.storage.providers.cos import CosStore
from apps.storage.types import Credentials, Endpoint
from tests.storage.identity import SECRET_ID, SECRET_KEY
from tests.storage.recorder import Recorder
from tests.storage.slices import Ground, ground_of, slice_threads, store_running
from tests.storage.wire.node import NodeSdk

# The contract's topics are imported by test_store_contract, not collected.
pytest.register_assert_rewrite("tests.storage.contract")


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        yield server


@pytest.fixture
def client(recorder: Recorder) -> CosClient:
    """A client that tries once."""
    return client_of(recorder, attempts=1)


@pytest.fixture(scope="session")
def node() -> Iterator[NodeSdk]:
    """One Node SDK for all tests that ask it: mark them `xdist_group("node")`."""
    try:
        sdk = NodeSdk()
    except NodeMissing as missing:
        pytest.skip(f"The Node SDK cannot run here: {missing}")
    yield sdk
    sdk.close()


def client_of(
    recorder: Recorder,
    *,
    attempts: int,
    stalled_s: int = 20,
    small_s: float = 20,
    first_delay_s: float = 0.01,
    short_for_s: float = 15.0,
    token: str | None = None,
    credentials: Credentials | None = None,
) -> CosClient:
    return CosClient(
        credentials=credentials or Credentials(SECRET_ID, SECRET_KEY, token),
        endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{recorder.port}"),
        retries=Retries(attempts=attempts, first_delay_s=first_delay_s, short_for_s=short_for_s),
        timeouts=Timeouts(connect_s=2, small_s=small_s, stalled_s=stalled_s),
    )


@pytest.fixture
def recorded_store(recorder: Recorder) -> CosStore:
    """The provider on the recorder."""
    return CosStore(
        Credentials(SECRET_ID, SECRET_KEY), Endpoint(scheme="http", connect_to=f"127.0.0.1:{recorder.port}")
    )


@pytest.fixture(scope="module")
def slice_server() -> Iterator[LocalStore]:
    with store_running() as server:
        yield server


@pytest.fixture
def ground(slice_server: LocalStore) -> Iterator[Ground]:
    """A bucket of its own for each test, after which no thread of a slice call may be left."""
    yield ground_of(slice_server)
    assert slice_threads() == []
