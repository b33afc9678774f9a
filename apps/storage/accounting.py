"""Rate and time left, from ticks: (unix seconds, bytes moved since the tick before)."""

from __future__ import annotations

from collections.abc import Iterable

WINDOW_S = 10.0

Tick = tuple[float, int]


def rate_of(ticks: Iterable[Tick], *, now: float) -> float:
    """Return the rate over the last ten seconds, in bytes per second.

    Negative counts (a part being sent again) lower it, but never below 0.0; no data gives 0.0. A transfer
    younger than ten seconds is divided by its age, and by no less than one second, so that the first tick
    does not promise a speed that nobody has seen. Source: per-second ticks, as in rclone's accounting.
    """
    oldest, moved = now, 0
    for time, count in ticks:
        oldest = min(oldest, time)
        if now - WINDOW_S < time <= now:
            moved += count
    return max(0.0, moved / min(WINDOW_S, max(1.0, now - oldest)))


def eta_s(*, remaining: int, rate: float) -> float | None:
    """Return the seconds left for `remaining` bytes at `rate` bytes per second, None when unknown."""
    if remaining <= 0:
        return 0.0
    return remaining / rate if rate > 0 else None
