from __future__ import annotations

from apps.storage.accounting import eta_s, rate_of


def test_no_ticks_give_no_rate() -> None:
    assert rate_of([], now=100.0) == 0.0


def test_rate_covers_the_last_ten_seconds() -> None:
    ticks = [(80.0, 10_000), (91.0, 300), (95.0, 300), (100.0, 400)]

    assert rate_of(ticks, now=100.0) == 100.0


def test_young_transfer_is_divided_by_its_age() -> None:
    assert rate_of([(96.0, 200), (98.0, 200)], now=100.0) == 100.0


def test_first_tick_is_not_taken_for_a_burst() -> None:
    assert rate_of([(99.9, 1000)], now=100.0) == 1000.0


def test_repeated_part_lowers_the_rate_but_not_below_zero() -> None:
    assert rate_of([(85.0, 0), (95.0, 1000), (99.0, -600)], now=100.0) == 40.0
    assert rate_of([(95.0, 10), (99.0, -600)], now=100.0) == 0.0


def test_stalled_transfer_has_no_rate_after_the_window() -> None:
    assert rate_of([(80.0, 1000), (89.0, 1000)], now=100.0) == 0.0


def test_time_left_is_unknown_without_a_rate() -> None:
    assert eta_s(remaining=10, rate=0.0) is None
    assert eta_s(remaining=1000, rate=100.0) == 10.0
    assert eta_s(remaining=0, rate=0.0) == 0.0
