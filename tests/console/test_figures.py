from __future__ import annotations

import pytest

from apps.storage.sizes import size_text
from console.figures import duration_text, percent, rate_text

SIZES = [
    (0, "0 B"),
    (1, "1 B"),
    (1023, "1023 B"),
    (1024, "1.00 KiB"),
    (1536, "1.50 KiB"),
    (10239, "9.99 KiB"),
    (10240, "10.0 KiB"),
    (102399, "99.9 KiB"),
    (102400, "100 KiB"),
    ((1 << 20) - 1, "1023 KiB"),
    (1 << 20, "1.00 MiB"),
    (5 * (1 << 30), "5.00 GiB"),
    (48_800 * (1 << 30), "47.6 TiB"),
    ((1 << 50) - 1, "1023 TiB"),
    (1 << 50, "1.00 PiB"),
    (1 << 60, "1024 PiB"),
]
DURATIONS = [
    (0, "5 seconds"),
    (6, "10 seconds"),
    (59, "60 seconds"),
    (60, "1 minute"),
    (61, "2 minutes"),
    (3540, "59 minutes"),
    (3541, "1 h 0 min"),
    (5400, "1 h 30 min"),
]


@pytest.mark.parametrize(("size", "text"), SIZES)
def test_sizes_are_binary_and_rounded_down(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(("seconds", "text"), DURATIONS)
def test_durations_are_as_rough_as_they_are_known(seconds: int, text: str) -> None:
    assert duration_text(seconds) == text


def test_rate_is_per_second() -> None:
    assert rate_text(1536.7) == "1.50 KiB/s"


def test_percents_reach_a_hundred_only_at_the_end() -> None:
    assert [percent(0, 0), percent(0, 3), percent(999, 1000), percent(3, 3)] == [100, 0, 99, 100]
