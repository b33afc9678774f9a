from __future__ import annotations

from console.supervisor.backoff import Backoff


def test_delays_double_up_to_thirty_seconds() -> None:
    backoff = Backoff()

    delays = [backoff.delay_after(healthy_s=0) for _ in range(7)]

    assert delays == [1, 2, 4, 8, 16, 30, 30]


def test_a_healthy_minute_is_forgiven() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.delay_after(healthy_s=59.9)

    assert backoff.delay_after(healthy_s=60) == 1
    assert backoff.delay_after(healthy_s=0) == 2
