from __future__ import annotations

import pytest

from apps.storage.cos.progress import Progress, Speedometer, bytes_reporter


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_report_has_the_documented_fields() -> None:
    heard: list[Progress] = []
    report = bytes_reporter(heard.append, total=8)
    assert report is not None

    report(2)
    report(8)

    assert heard == [
        {"loaded": 2, "total": 8, "speed": 0.0, "percent": 0.25},
        {"loaded": 8, "total": 8, "speed": 0.0, "percent": 1.0},
    ]


def test_nothing_of_nothing_is_all_of_it() -> None:
    heard: list[Progress] = []
    report = bytes_reporter(heard.append, total=0)
    assert report is not None

    report(0)

    assert heard[0]["percent"] == 1.0


@pytest.mark.parametrize(("answer", "goes_on"), [(False, False), (None, True), (True, True), (0, True)])
def test_only_false_stops(answer: object, goes_on: bool) -> None:
    report = bytes_reporter(lambda _: answer, total=8)
    assert report is not None

    assert report(1) is goes_on


def test_nobody_listens() -> None:
    assert bytes_reporter(None, total=8) is None


def test_speed_is_that_of_the_last_ten_seconds() -> None:
    clock = Clock()
    speedometer = Speedometer(clock)

    speeds = []
    for second in range(1, 31):
        clock.now += 1
        speeds.append(speedometer.speed_at(1000 * second if second <= 15 else 15_000))

    assert speeds[0] == speeds[14] == 1000
    assert speeds[19] == 500
    assert speeds[29] == 0


def test_speed_is_not_worked_out_for_every_chunk() -> None:
    clock = Clock()
    speedometer = Speedometer(clock)
    clock.now += 2
    first = speedometer.speed_at(2000)

    clock.now += 0.01
    assert speedometer.speed_at(9_000_000) == first == 1000

    clock.now += 1
    assert speedometer.speed_at(9_000_000) > 1_000_000
