"""Operations on many objects: one thread, many requests in flight."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from apps.storage import errors
from apps.storage.cos.addresses import bucket_host
from apps.storage.cos.arguments import number_argument
from apps.storage.cos.calls import Caller, Refusal, Result, accepted
from apps.storage.cos.cancel import cancel_applied
from apps.storage.cos.curl import TransportFailure
from apps.storage.cos.lanes import Lanes, TimedOut
from apps.storage.cos.messages import Answer, Call, Request
from apps.storage.cos.settings import ACL_QUERY, acl_fields

Outcome = Result | errors.StorageError


class BatchOperations(Caller):
    """Get Object ACL of many objects."""

    def get_object_acls(
        self, *, Bucket: str, Region: str, Keys: Iterable[str], InFlight: int | str = 16
    ) -> Iterator[tuple[str, Outcome]]:
        """Yield each key with the fields of Get Object ACL, or with the error that it met, as they come.

        `Keys` is read `InFlight` keys ahead, so it may be a listing in progress. Each call is repeated as a
        single one would be, while the others go on; time that the caller spends elsewhere does not count. The
        error of an object is a value, because the others still count; only Refused for an illegal argument
        raises, and at once, what `Keys` raises, and Canceled. Closing the iterator gives up what is in
        flight. Source: GET Object acl, 2026-08.
        """
        bucket_host(self.endpoint, Bucket, Region)
        width = number_argument("InFlight", InFlight, least=1)
        if isinstance(Keys, str | bytes) or not isinstance(Keys, Iterable):
            raise errors.Refused(f"Keys must be a list of keys, not {type(Keys).__name__}.")

        def call_of(key: str) -> Call:
            return self._object_request("Get Object ACL", "GET", Bucket, Region, key, query=ACL_QUERY)

        return self._each(Keys, call_of, acl_fields, width=width)

    def _each(
        self,
        keys: Iterable[str],
        call_of: Callable[[str], Call],
        result_of: Callable[[Answer], Result],
        *,
        width: int,
    ) -> Iterator[tuple[str, Outcome]]:
        lanes = Lanes(self.endpoint, self._timeouts, width=width)
        with closing(lanes):
            batch = _Batch(lanes, self._signed, self._delay_s, result_of)
            for key in keys:
                try:
                    batch.add(key, call_of(key))
                except errors.Refused as error:
                    yield key, error
                while batch.size >= width:
                    yield from batch.advance()
            while batch.size:
                yield from batch.advance()


class _DelayOf(Protocol):
    def __call__(
        self, call: Call, failure: TransportFailure | Refusal, *, number: int, begun_at: float
    ) -> float | None: ...


@dataclass(order=True)
class _Try:
    """A call under way, ordered by when it is due again.

    `begun_away_s` and `sent_away_s` say how long the caller had been elsewhere by then.
    """

    due_at: float
    key: str
    call: Call = field(compare=False)
    begun_at: float = field(compare=False)
    begun_away_s: float = field(compare=False)
    number: int = field(default=1, compare=False)
    sent_at: float = field(init=False, compare=False)
    sent_away_s: float = field(init=False, compare=False)
    request: Request = field(init=False, compare=False, repr=False)


class _Batch:
    """Calls in flight, and calls that pause before they are tried again.

    A pausing call keeps its place: a store that asks to slow down is then asked less.

    Nothing moves while the caller is elsewhere, reading the next key or using a result. The clocks of the
    calls go on meanwhile, so that time is counted and not held against them.
    """

    def __init__(
        self,
        lanes: Lanes,
        signed: Callable[[Call], Request],
        delay_of: _DelayOf,
        result_of: Callable[[Answer], Result],
    ) -> None:
        self._lanes = lanes
        self._signed = signed
        self._delay_of = delay_of
        self._result_of = result_of
        self._paused: list[_Try] = []
        self._away_s = 0.0
        self._left_at = time.monotonic()
        self.size = 0

    def add(self, key: str, call: Call) -> None:
        """Send a call."""
        now = self._back()
        self._send(_Try(now, key, call, now, self._away_s))
        self.size += 1

    def advance(self) -> list[tuple[str, Outcome]]:
        """Wait a moment and return what is settled by then, perhaps nothing. Raises Canceled."""
        token = cancel_applied()
        if token is not None:
            token.require()
        now = self._back()
        while self._paused and self._paused[0].due_at <= now:
            self._send(heapq.heappop(self._paused))
        wait_s = self._paused[0].due_at - now if self._paused else 1.0
        outcomes = []
        for attempt, ended in self._lanes.finished(wait_s):
            outcome = self._settled(attempt, ended)
            if outcome is not None:
                outcomes.append((attempt.key, outcome))
        self.size -= len(outcomes)
        self._left_at = time.monotonic()
        return outcomes

    def _back(self) -> float:
        """Count how long the caller was elsewhere, and return the time."""
        now = time.monotonic()
        self._away_s += now - self._left_at
        self._left_at = now
        return now

    def _was_neglected(self, attempt: _Try) -> bool:
        """Return whether the caller was elsewhere for most of the time since `attempt` was sent."""
        away_s = self._away_s - attempt.sent_away_s
        return away_s > (time.monotonic() - attempt.sent_at) / 2

    def _send(self, attempt: _Try) -> None:
        attempt.sent_at, attempt.sent_away_s = time.monotonic(), self._away_s
        attempt.request = self._signed(attempt.call)
        self._lanes.start(attempt.request, attempt)

    def _settled(self, attempt: _Try, ended: Answer | TransportFailure) -> Outcome | None:
        """Return what became of a call, None when it is to be tried again."""
        try:
            if isinstance(ended, TransportFailure):
                raise ended
            return self._result_of(accepted(attempt.request, ended))
        except errors.StorageError as error:
            error.operation = attempt.call.operation
            return error
        except (TransportFailure, Refusal) as failure:
            if isinstance(failure, TimedOut) and self._was_neglected(attempt):
                # The answer may have been there all the time; libcurl looks at its clock before it reads.
                attempt.number -= 1
            begun_at = attempt.begun_at + self._away_s - attempt.begun_away_s
            delay_s = self._delay_of(attempt.call, failure, number=attempt.number, begun_at=begun_at)
            if delay_s is None:
                return failure.error
        attempt.number += 1
        attempt.due_at = time.monotonic() + delay_s
        heapq.heappush(self._paused, attempt)
        return None
