"""A store that takes requests and never answers: whoever waits for a page is told in time."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from apps.storage.cos import CosClient, Retries, Timeouts
from apps.storage.errors import Unavailable
from apps.storage.types import Credentials, Endpoint


@pytest.fixture
def hung() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def client(port: int, retries: Retries) -> CosClient:
    return CosClient(
        credentials=Credentials("AKID", "secret"),
        endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{port}"),
        timeouts=Timeouts(small_s=0.5),
        retries=retries,
    )


def seconds_until_told(port: int, retries: Retries) -> float:
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        client(port, retries).get_bucket(Bucket="b-1250000000", Region="ap-guangzhou")
    return time.monotonic() - begun


def test_small_call_is_given_up_when_its_time_is_over(hung: int) -> None:
    # Two attempts of half a second: after the first there was time left, after the second none.
    assert 0.9 < seconds_until_told(hung, Retries(attempts=9, first_delay_s=0.01, short_for_s=0.7)) < 2.5


def test_default_lets_a_page_wait_twenty_odd_seconds() -> None:
    timeouts, retries = Timeouts(), Retries()

    assert timeouts.small_s < retries.short_for_s < 2 * timeouts.small_s
