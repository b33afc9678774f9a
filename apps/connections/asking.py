"""Many questions to one store at the same time, for as long as a person would wait for the page."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Mapping
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

from django.utils.translation import gettext as _

from apps.storage.errors import StorageError, Unavailable

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

# A store that is dead keeps a call for minutes. No more of them than this wait for one store at a time,
# however often people look at the page.
CALLS_AT_ONCE = 16

_busy: Counter[Hashable] = Counter()
_busy_lock = Lock()


def ask_all(
    calls: Mapping[K, Callable[[], T]], *, line: Hashable, timeout_s: float
) -> dict[K, T | StorageError]:
    """Return what each call gave, or the StorageError that it raised or that time was up.

    Calls of one `line` share its threads. One that was not even begun in time has no answer at all. The
    calls run in threads, so they must not touch the database.
    """
    asked = _Round(calls, line)
    wanted = min(CALLS_AT_ONCE, len(calls))
    threads = [Thread(target=asked.work, name="ask-store", daemon=True) for _ in range(_taken(line, wanted))]
    for thread in threads:
        thread.start()
    if threads:
        asked.ended.wait(timeout_s)
    return asked.close()


class _Round(Generic[K, T]):
    """The calls of one look at a page, and the answers so far."""

    def __init__(self, calls: Mapping[K, Callable[[], T]], line: Hashable) -> None:
        self.ended = Event()
        self._line = line
        self._waiting = deque(calls.items())
        self._under_way: set[K] = set()
        self._answers: dict[K, T | StorageError] = {}
        self._failure: BaseException | None = None
        self._lock = Lock()

    def work(self) -> None:
        try:
            while (taken := self._take()) is not None:
                self._answer(*taken)
        finally:
            _line_leave(self._line)

    def close(self) -> dict[K, T | StorageError]:
        """Give up what has not begun, and return the answers; what is under way came too late."""
        with self._lock:
            self._waiting.clear()
            if self._failure is not None:
                raise self._failure
            late = {key: Unavailable(_("The store did not answer in time.")) for key in self._under_way}
            return self._answers | late

    def _take(self) -> tuple[K, Callable[[], T]] | None:
        with self._lock:
            if not self._waiting:
                return None
            key, call = self._waiting.popleft()
            self._under_way.add(key)
            return key, call

    def _answer(self, key: K, call: Callable[[], T]) -> None:
        answer: T | StorageError | None = None
        failure: Exception | None = None
        try:
            answer = call()
        except StorageError as error:
            answer = error
        except Exception as error:
            failure = error
        with self._lock:
            self._under_way.discard(key)
            self._failure = self._failure or failure
            if failure is None:
                self._answers[key] = answer  # type: ignore[assignment]
            if not self._waiting and not self._under_way:
                self.ended.set()


def _taken(line: Hashable, wanted: int) -> int:
    """Take up to `wanted` threads of a line, and return how many there were."""
    with _busy_lock:
        count = min(wanted, CALLS_AT_ONCE - _busy[line])
        _busy[line] += count
        return count


def _line_leave(line: Hashable) -> None:
    with _busy_lock:
        _busy[line] -= 1
        if not _busy[line]:
            del _busy[line]
