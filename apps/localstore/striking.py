"""What struck fault rules do to one request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from apps.localstore.engine import Engine
from apps.localstore.errors import ConnectionDropped, StoreError
from apps.localstore.exchange import Exchange
from apps.localstore.pacing import Pacer
from apps.localstore.responses import Header, Response, xml_response
from apps.localstore.visibility import Veils, veil_drawn


def strike(exchange: Exchange, stopping: threading.Event, *, is_slow: bool) -> Response | None:
    """Apply the faults that come before the work; return an answer if one of them is it.

    `is_slow` operations are delayed later, by `slowly`. Raises StoreError or
    ConnectionDropped when that is the fault.
    """
    by_kind = {fault.kind: fault for fault in exchange.faults}
    if not is_slow:
        _delay(exchange, stopping)
    if "drop_before" in by_kind:
        raise ConnectionDropped
    if "slow_down" in by_kind:
        raise StoreError("SlowDown")
    if "error" in by_kind:
        raise StoreError(by_kind["error"].code, status=by_kind["error"].status)
    if "clock_skew" in by_kind:
        exchange.now += by_kind["clock_skew"].seconds
    if "drip" in by_kind:
        exchange.body.pacers += (Pacer(by_kind["drip"].bytes_per_second, stopping),)
    if "error_in_200" in by_kind:
        if is_slow:
            with slowly(exchange, stopping, []):
                pass
        error = StoreError(by_kind["error_in_200"].code)
        return xml_response(exchange.error_xml(error), chunked=True)
    return None


def _delay(exchange: Exchange, stopping: threading.Event) -> None:
    delay = exchange.struck_by("delay")
    if delay is not None:
        stopping.wait(delay.seconds)


@contextmanager
def slowly(exchange: Exchange, stopping: threading.Event, headers: list[Header]) -> Iterator[None]:
    """Run the slow part of an operation, whose status may go out before it is done."""
    exchange.early.headers = [*exchange.common_headers(), ("Content-Type", "application/xml"), *headers]
    with exchange.early.during():
        _delay(exchange, stopping)
        yield


@contextmanager
def veiled(exchange: Exchange, bucket: str, engine: Engine, veils: Veils) -> Iterator[None]:
    """Hide what a write changes from the reads after it, if a fault says so and it succeeds."""
    stale = exchange.struck_by("stale")
    if stale is None:
        yield
        return
    veil = veil_drawn(
        engine,
        bucket,
        exchange.request.key,
        hides=stale.hides,
        seconds=stale.seconds,
        answers=stale.answers,
    )
    try:
        yield
    except BaseException:
        veil.held.close()
        raise
    veils.add(veil)
