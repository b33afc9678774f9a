"""From a request to an answer: faults, signature, bucket, operation, CORS."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from contextlib import ExitStack

from apps.localstore.accounts import Directory
from apps.localstore.bodies import Body
from apps.localstore.call import Call
from apps.localstore.early import EarlyAnswer
from apps.localstore.engine import Engine
from apps.localstore.errors import ConnectionDropped, NotModified, StoreError
from apps.localstore.exchange import Exchange
from apps.localstore.faults import Faults
from apps.localstore.records import Bucket
from apps.localstore.request import Request
from apps.localstore.responses import Response, request_id_new
from apps.localstore.routing import Operation, operation_of
from apps.localstore.rows import bucket_find
from apps.localstore.signature import authenticate
from apps.localstore.striking import slowly, strike, veiled
from apps.localstore.targets import Place, place_of

logger = logging.getLogger(__name__)
JOURNAL_SIZE = 1000
READS = ("GET", "HEAD", "OPTIONS")


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
            response = exchange.refusal(error)
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
        try:
            operation = operation_of(request, place)
        except StoreError:
            self._find(exchange, place)
            raise
        exchange.operation = operation.name
        exchange.faults = self.faults.take(operation.name, request.key)
        if self._latency_s:
            self.stopping.wait(self._latency_s)
        if exchange.faults:
            self._find(exchange, place)
        struck = strike(exchange, self.stopping, is_slow=operation.is_slow)
        if struck is not None:
            return struck
        if request.method in READS:
            return self._read(exchange, place, operation)
        with veiled(exchange, place.bucket, self._engine, self.faults.veils):
            return self._run(exchange, place, operation)

    def _find(self, exchange: Exchange, place: Place) -> None:
        """Find the bucket of a refusal: a browser may only read one that its rules let it read."""
        with self._engine.index.read() as db:
            exchange.bucket = bucket_find(db, place.bucket)

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

    def _run(self, exchange: Exchange, place: Place, operation: Operation) -> Response:
        call = Call(
            self._engine,
            self.directory,
            self._regions,
            exchange.request,
            place,
            exchange.body,
            int(exchange.now * 1000),
            disk_full=exchange.struck_by("disk_full") is not None,
            slow=lambda headers: slowly(exchange, self.stopping, headers),
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

    def _finish(self, exchange: Exchange, response: Response) -> None:
        """Add what every answer carries, and write the journal."""
        request = exchange.request
        response.headers = [*exchange.common_headers(), *response.headers]
        if exchange.early.is_sent:
            response.status = 200
        drip = exchange.struck_by("drip")
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
        if exchange.struck_by("drop_after") is not None:
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
