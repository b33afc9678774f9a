"""From a request to an answer: faults, signature, bucket, operation, CORS."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from apps.localstore.accounts import Directory
from apps.localstore.bodies import Body
from apps.localstore.call import Call
from apps.localstore.cors import cors_headers, cors_unpack
from apps.localstore.early import EarlyAnswer
from apps.localstore.engine import Engine
from apps.localstore.errors import ConnectionDropped, NotModified, StoreError
from apps.localstore.faults import Fault, Faults, fault_of
from apps.localstore.pacing import Pacer
from apps.localstore.records import Bucket, http_date
from apps.localstore.request import Request
from apps.localstore.responses import (
    SERVER,
    Header,
    Response,
    error_body,
    request_id_new,
    trace_id_of,
    xml_response,
)
from apps.localstore.routing import Operation, operation_of
from apps.localstore.rows import bucket_find
from apps.localstore.signature import authenticate
from apps.localstore.targets import Place, host_name, place_of
from apps.localstore.visibility import veil_drawn

logger = logging.getLogger(__name__)
JOURNAL_SIZE = 1000
READS = ("GET", "HEAD", "OPTIONS")


@dataclass
class Exchange:
    """What is known about one request beside its answer."""

    request: Request
    body: Body
    early: EarlyAnswer
    request_id: str
    operation: str = ""
    now: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    bucket: Bucket | None = None


class Dispatcher:
    """Answers requests. Holds no locks and touches no sockets but through the body."""

    def __init__(
        self,
        engine: Engine,
        directory: Directory,
        regions: frozenset[str],
        *,
        latency_s: float = 0.0,
        stopping: threading.Event,
    ) -> None:
        self.faults = Faults()
        self.journal: deque[dict[str, object]] = deque(maxlen=JOURNAL_SIZE)
        self.stopping = stopping
        self._engine = engine
        self.directory = directory
        self._regions = regions
        self._latency_s = latency_s

    def answer(self, request: Request, body: Body, early: EarlyAnswer) -> Response:
        """Return the answer to a request, whatever it is.

        Raises ConnectionDropped when the peer has left or a fault says so.
        """
        exchange = Exchange(request, body, early, request_id_new(), now=time.time())
        try:
            response = self._attempt(exchange)
        except NotModified as unchanged:
            response = Response(304, unchanged.headers)
        except StoreError as error:
            response = self._refusal(exchange, error)
        self._finish(exchange, response)
        return response

    def _attempt(self, exchange: Exchange) -> Response:
        try:
            return self._perform(exchange)
        except (OSError, sqlite3.Error) as error:
            logger.exception("An operation failed", extra={"operation": exchange.operation})
            raise StoreError("InternalError", closes=True) from error
        except (ConnectionDropped, StoreError, NotModified):
            raise
        except Exception as error:
            logger.exception("An operation broke", extra={"operation": exchange.operation})
            raise StoreError("InternalError", closes=True) from error

    def _perform(self, exchange: Exchange) -> Response:
        request = exchange.request
        place = place_of(request.host)
        if place is None:
            raise StoreError("InvalidURI", "The host names no bucket and no service.")
        operation = operation_of(request, place)
        exchange.operation = operation.name
        exchange.faults = self.faults.take(operation.name, request.key)
        struck = self._strike(exchange, operation)
        if struck is not None:
            return struck
        if request.method in READS:
            return self._read(exchange, place, operation)
        with self._veiling(exchange, place):
            return self._run(exchange, place, operation)

    def _read(self, exchange: Exchange, place: Place, operation: Operation) -> Response:
        """Run an operation that reads, in the past if a fault says so."""
        with ExitStack() as lent:
            veils = self.faults.veils
            past = lent.enter_context(veils.over(operation.name, place.bucket, exchange.request.key))
            with self._engine.index.as_of(past):
                response = self._run(exchange, place, operation)
            # The bytes of the past are needed until they have been sent.
            response.held.push(lent.pop_all())
            return response

    @contextmanager
    def _veiling(self, exchange: Exchange, place: Place) -> Iterator[None]:
        """Hide what a write changes from the reads after it, if a fault says so and it succeeds."""
        stale = fault_of(exchange.faults, "stale")
        if stale is None:
            yield
            return
        veil = veil_drawn(
            self._engine,
            place.bucket,
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
        self.faults.veils.add(veil)

    def _run(self, exchange: Exchange, place: Place, operation: Operation) -> Response:
        call = Call(
            self._engine,
            self.directory,
            self._regions,
            exchange.request,
            place,
            exchange.body,
            int(exchange.now * 1000),
            disk_full=fault_of(exchange.faults, "disk_full") is not None,
            slow=lambda: self._slowly(exchange),
            stopping=self.stopping,
        )
        if place.bucket:
            with self._engine.index.read() as db:
                call.found = exchange.bucket = _in_region(bucket_find(db, place.bucket), place, operation)
        if exchange.request.method != "OPTIONS":
            call.account = authenticate(exchange.request, self.directory, exchange.now)
        if operation.bucket_required and call.found is None:
            raise StoreError("NoSuchBucket")
        if operation.owner_only:
            call.require_owner()
        return operation.run(call)

    @contextmanager
    def _slowly(self, exchange: Exchange) -> Iterator[None]:
        """Run the slow part of an operation, whose status may go out before it is done."""
        exchange.early.headers = [*self._common(exchange), ("Content-Type", "application/xml")]
        with exchange.early.during():
            self._delay(exchange)
            yield

    def _delay(self, exchange: Exchange) -> None:
        delay = fault_of(exchange.faults, "delay")
        if delay is not None:
            self.stopping.wait(delay.seconds)

    def _strike(self, exchange: Exchange, operation: Operation) -> Response | None:
        """Apply the faults that come before the work; return an answer if one of them is it."""
        by_kind = {fault.kind: fault for fault in exchange.faults}
        if self._latency_s:
            self.stopping.wait(self._latency_s)
        if not operation.is_slow:
            self._delay(exchange)
        if "drop_before" in by_kind:
            raise ConnectionDropped
        if "slow_down" in by_kind:
            raise StoreError("SlowDown")
        if "error" in by_kind:
            raise StoreError(by_kind["error"].code, status=by_kind["error"].status)
        if "clock_skew" in by_kind:
            exchange.now += by_kind["clock_skew"].seconds
        if "drip" in by_kind:
            exchange.body.pacers += (Pacer(by_kind["drip"].bytes_per_second, self.stopping),)
        if "error_in_200" in by_kind:
            if operation.is_slow:
                with self._slowly(exchange):
                    pass
            error = StoreError(by_kind["error_in_200"].code)
            return xml_response(self._error_xml(exchange, error), chunked=True)
        return None

    def _error_xml(self, exchange: Exchange, error: StoreError) -> bytes:
        request = exchange.request
        resource = host_name(request.host) + request.path
        return error_body(error, resource=resource, request_id=exchange.request_id)

    def _refusal(self, exchange: Exchange, error: StoreError) -> Response:
        trace_id = ("x-cos-trace-id", trace_id_of(exchange.request_id))
        headers = [("Content-Type", "application/xml"), trace_id, *error.headers]
        return Response(error.status, headers, self._error_xml(exchange, error), closes=error.closes)

    def _common(self, exchange: Exchange) -> list[Header]:
        """Return what every answer carries, and to another origin what the bucket's rules say."""
        request = exchange.request
        common = [("Server", SERVER), ("Date", http_date(int(exchange.now * 1000)))]
        common.append(("x-cos-request-id", exchange.request_id))
        origin = request.headers.get("origin")
        if origin and request.method != "OPTIONS" and exchange.bucket is not None:
            rules = cors_unpack(exchange.bucket.cors)
            common += cors_headers(rules, origin=origin, method=request.method) or []
        return common

    def _finish(self, exchange: Exchange, response: Response) -> None:
        """Add what every answer carries, and write the journal."""
        request = exchange.request
        response.headers = [*self._common(exchange), *response.headers]
        if exchange.early.is_sent:
            response.status = 200
        drip = fault_of(exchange.faults, "drip")
        if drip is not None:
            response.bytes_per_second = drip.bytes_per_second
        self.journal.append(
            {
                "operation": exchange.operation,
                "host": request.host,
                "key": request.key,
                "status": response.status,
            }
        )
        if fault_of(exchange.faults, "drop_after") is not None:
            with ExitStack() as held:
                held.push(response.held)
            raise ConnectionDropped


def _in_region(bucket: Bucket | None, place: Place, operation: Operation) -> Bucket | None:
    """Return the bucket unless the host names another region, where it does not exist.

    Creating is different: names are unique over all regions.
    """
    if bucket is None or bucket.region == place.region or operation.name == "PutBucket":
        return bucket
    return None
