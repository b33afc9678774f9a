"""One slice call under way: who waits, who works, and how all of it stops.

The thread that called only waits and calls callbacks. All requests are made by a thread of ours that drives,
and by those that it starts for parts. So a signal, a soft time limit or a callback that raises can break
into the waiting, and never between a request and the note of what it did: the upload id of an Initiate is
always known to the one who has to abort it. None of these threads outlives the call.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from apps.storage import errors
from apps.storage.cos.arguments import callback_argument
from apps.storage.cos.cancel import CancelToken, cancel_applied
from apps.storage.cos.progress import Gauge, SliceProgressCallback

_TICK_S = 0.1
_HEARTBEAT_S = 0.5
_START_S = 1.0

_Ask = Callable[[], None]
_T = TypeVar("_T")
_Part = TypeVar("_Part")


class SliceRun(Generic[_T]):
    """Runs one piece of work that returns `_T`, with callbacks and a token of the caller's.

    A caller who stops waits up to `tidy_s` for the store to take an abort.
    """

    def __init__(
        self,
        *,
        tidy_s: float,
        cancel: CancelToken | None = None,
        on_progress: SliceProgressCallback | None = None,
        on_hash_progress: SliceProgressCallback | None = None,
    ) -> None:
        self._tidy_s = tidy_s
        self._tidy_until = math.inf
        self.token = CancelToken()
        self.tidying = CancelToken()
        self.sent = self.hashed = Gauge(total=0, slice_size=0)
        self._callers_tokens = [token for token in (_checked(cancel), cancel_applied()) if token is not None]
        self._listeners = [
            _Listener(callback_argument("onProgress", on_progress)),
            _Listener(callback_argument("onHashProgress", on_hash_progress)),
        ]
        self._asks: SimpleQueue[_Ask | None] = SimpleQueue()
        self._gate: SimpleQueue[bool] = SimpleQueue()
        self._has_ended = self._is_over = self._is_broken_off = False
        self._aftermath: list[str] = []
        self._results: list[_T] = []
        self._problems: list[BaseException] = []

    def drive(self, work: Callable[[], _T]) -> _T:
        """Return what `work` returns in a thread of its own; call back from here until it has ended.

        Raises what it raises, what a callback raises, and what breaks into the waiting.
        """
        is_started = False
        with ExitStack() as heard:
            for token in self._callers_tokens:
                heard.enter_context(token.waking(self.token.cancel))
            driver = threading.Thread(target=self._drive, args=(work,), name="slice", daemon=True)
            while not self._is_over:
                # Whatever breaks in, wherever it does, the waiting goes on until no thread is left.
                try:
                    if not is_started:
                        is_started = True
                        self._begin(driver)
                    self._attend()
                    self._end(driver)
                except BaseException as problem:
                    self._break_off(problem, driver)
        if self._results and all(isinstance(problem, errors.Canceled) for problem in self._problems):
            # It was done before anybody could be heard.
            return self._results[0]
        raise self._explained(self._problems[0])

    def measure(self, *, total: int, slice_size: int) -> None:
        """Begin to count: from here on callbacks are called."""
        self.sent = Gauge(total=total, slice_size=slice_size)
        self.hashed = Gauge(total=total, slice_size=slice_size)
        self._listeners[0].gauge, self._listeners[1].gauge = self.sent, self.hashed

    def parts(
        self, numbers: Iterable[int], work: Callable[[int], _Part], *, threads: int
    ) -> dict[int, _Part]:
        """Return what `work` returns for each number, with at most `threads` of them under way at once.

        The first failure stops all the others where they are, and is raised once they have ended.
        """
        waiting, lock = list(reversed(list(numbers))), threading.Lock()
        done: dict[int, _Part] = {}
        failures: list[BaseException] = []

        def labor() -> None:
            with self.token.applied():
                while number := _next(waiting, lock):
                    try:
                        done[number] = work(number)
                    except BaseException as failure:
                        failures.append(failure)
                        waiting.clear()
                        self.token.cancel()
                    self._asks.put(None)

        helpers = self._start(labor, min(threads, len(waiting)) - 1)
        labor()
        for helper in helpers:
            helper.join()
        if failures:
            raise failures[0]
        return done

    def read(self, number: int, done: int) -> None:
        """Note how much of a part has been read; raises Canceled, because reading may take long."""
        self.token.require()
        self.hashed.part_at(number, done)

    def ask(self, question: _Ask) -> None:
        """Have the calling thread do something, and wait for it; raises Canceled when that ends the call."""
        answered: SimpleQueue[None] = SimpleQueue()

        def answer() -> None:
            question()
            answered.put(None)

        with self.token.waking(lambda: answered.put(None)):
            self._asks.put(answer)
            answered.get()
        self.token.require()

    def report(self) -> None:
        """Have the caller hear how far it is, now; a caller who says no ends the call here."""
        self.ask(self._report)

    def add(self, sentence: str) -> None:
        """Add what else the caller must know to whatever is going to be raised; no words add nothing."""
        if sentence:
            self._aftermath.append(sentence)

    @contextmanager
    def tidy(self) -> Iterator[None]:
        """Give the requests in the block `tidy_s`, however long ago the caller stopped."""
        self._tidy_until = time.monotonic() + self._tidy_s
        with self.tidying.applied():
            yield

    def _drive(self, work: Callable[[], _T]) -> None:
        try:
            # Closed when the calling thread was broken into while it started this one.
            if self._gate.get():
                with self.token.applied():
                    self._results.append(work())
        except BaseException as problem:
            self._problems.append(problem)
        finally:
            self._has_ended = True
            self._asks.put(None)

    def _start(self, labor: Callable[[], None], count: int) -> list[threading.Thread]:
        helpers = [threading.Thread(target=labor, name="slice-part", daemon=True) for _ in range(count)]
        for started, helper in enumerate(helpers):
            try:
                helper.start()
            except RuntimeError:
                # The system has no thread left; those that run do the work of all.
                return helpers[:started]
        return helpers

    def _begin(self, driver: threading.Thread) -> None:
        try:
            driver.start()
        except RuntimeError:
            self._has_ended = True
            raise errors.Unavailable("The system has no thread left to work with.") from None
        self._gate.put(True)

    def _attend(self) -> None:
        while not self._has_ended and not self.token.is_canceled:
            ask = self._next_ask()
            if ask is not None:
                ask()
            elif not self._has_ended and not self.token.is_canceled:
                self._report()

    def _next_ask(self) -> _Ask | None:
        with suppress(Empty):
            return self._asks.get(timeout=_TICK_S)
        return None

    def _report(self) -> None:
        for listener in self._listeners:
            if listener.hear() is False:
                raise errors.Canceled("The call was canceled by its own progress callback.")

    def _end(self, driver: threading.Thread) -> None:
        """Wait until no thread is left; a caller who stops waits no longer than for an abort."""
        while not self._has_ended:
            # Joining has to wait: a join that is broken into takes a running thread for one that has ended.
            self._next_ask()
            if time.monotonic() > self._tidy_until and self._is_stopped_by_caller():
                self.tidying.cancel()
        self._is_over = True
        if driver.ident is not None:
            driver.join()

    def _break_off(self, problem: BaseException, driver: threading.Thread) -> None:
        """Stop for what broke into the waiting; the second time not even an abort is awaited."""
        if self._is_broken_off:
            self.tidying.cancel()
        self._is_broken_off = True
        self._problems.insert(0, problem)
        self.token.cancel()
        self._gate.put(False)
        until = time.monotonic() + _START_S
        while driver.ident is None and not self._has_ended:
            # Its start was broken into: either there is none, or it is about to find its gate closed.
            if time.monotonic() > until:
                self._has_ended = True
            time.sleep(0.001)

    def _is_stopped_by_caller(self) -> bool:
        return self._is_broken_off or any(token.is_canceled for token in self._callers_tokens)

    def _explained(self, problem: BaseException) -> BaseException:
        for sentence in self._aftermath:
            if isinstance(problem, errors.StorageError):
                problem.message = f"{problem.message} {sentence}"
            else:
                problem.add_note(sentence)
        return problem


class _Listener:
    """Tells one callback what its gauge shows: whatever is new, and twice a second that nothing is."""

    def __init__(self, callback: SliceProgressCallback | None) -> None:
        self.gauge: Gauge | None = None
        self._callback = callback
        self._told: tuple[int, int] | None = None
        self._told_at = 0.0

    def hear(self) -> object:
        """Return what the callback returned, None when there was no need to call it."""
        if self._callback is None or self.gauge is None:
            return None
        progress, now = self.gauge.read(), time.monotonic()
        news = progress["loaded"], progress["PartNumber"]
        if news == self._told and now - self._told_at < _HEARTBEAT_S:
            return None
        self._told = news
        wish = self._callback(progress)
        # Counted from its end: a slow callback would else hear the same again for each part that is done.
        self._told_at = time.monotonic()
        return wish


def _next(waiting: list[int], lock: threading.Lock) -> int | None:
    with lock:
        return waiting.pop() if waiting else None


def _checked(cancel: object) -> CancelToken | None:
    if cancel is None or isinstance(cancel, CancelToken):
        return cancel
    raise errors.Refused(f"Cancel must be a CancelToken, not {type(cancel).__name__}.")
