"""A store that takes requests and never answers: whoever waits for a page is told in time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from apps.storage.cos import CosClient, Retries, Timeouts
from apps.storage.errors import Unavailable
from apps.storage.types import Credentials, Endpoint


@pytest.fixture
def hung() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def client(server: socket.socket, *, small_s: float, retries: Retries) -> CosClient:
    return CosClient(
        credentials=Credentials("AKID", "secret"),
        endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{server.getsockname()[1]}"),
        timeouts=Timeouts(small_s=small_s),
        retries=retries,
    )


def attempts_seen(server: socket.socket) -> int:
    """Return how many connections were made: one that was given up is not used again."""
    server.setblocking(False)
    count = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def test_small_call_is_given_up_when_its_time_is_over(hung: socket.socket) -> None:
    retries = Retries(attempts=30, first_delay_s=0.01, delay_max_s=0.01, short_for_s=1.2)

    with pytest.raises(Unavailable):
        client(hung, small_s=0.2, retries=retries).get_bucket(Bucket="b-1250000000", Region="ap-guangzhou")

    # After the first attempt there is time left. The seventh begins after 1.2 seconds at the earliest; a
    # slow machine makes fewer.
    assert 2 <= attempts_seen(hung) <= 7


def test_default_lets_a_page_wait_twenty_odd_seconds() -> None:
    timeouts, retries = Timeouts(), Retries()

    assert timeouts.small_s < retries.short_for_s < 2 * timeouts.small_s
