"""Several questions to a store at the same time, none of which a page waits for longer than it said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Event, Thread
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from apps.storage.errors import StorageError, Unavailable

Answer = TypeVar("Answer")
Work = SimpleQueue[tuple[Callable[[], Answer], "Future[Answer]"]]

THREADS_MAX = 8
# A dead store keeps its threads for minutes: all pages of a process together may leave so many behind.
_slots = BoundedSemaphore(4 * THREADS_MAX)


def ask_together(calls: Sequence[Callable[[], Answer]], *, timeout_s: float) -> list[Answer | StorageError]:
    """Return the answer of each call, or the StorageError that it raised; other errors are raised.

    What has no answer in time is Unavailable; its call ends by itself. The calls run in threads of their
    own and must not touch the database. A pool's threads would hold up the end of the process.
    """
    work: Work[Answer] = SimpleQueue()
    answers: list[Future[Answer]] = []
    for call in calls:
        answers.append(Future())
        work.put((call, answers[-1]))
    is_over = Event()
    if not _start(work, is_over, count=min(THREADS_MAX, len(calls))) and calls:
        return [Unavailable(_("Too many questions to stores are under way. Try again in a minute."))] * len(
            calls
        )
    wait(answers, timeout=timeout_s)
    is_over.set()
    return [_answer_of(one) for one in answers]


def _start(work: Work[Answer], is_over: Event, *, count: int) -> int:
    started = 0
    while started < count and _slots.acquire(blocking=False):
        Thread(target=_work, args=(work, is_over), name="ask-together", daemon=True).start()
        started += 1
    return started


def _work(work: Work[Answer], is_over: Event) -> None:
    try:
        while not is_over.is_set():
            call, answer = work.get_nowait()
            try:
                answer.set_result(call())
            except Exception as error:
                answer.set_exception(error)
    except Empty:
        return
    finally:
        _slots.release()


def _answer_of(answer: Future[Any]) -> Any | StorageError:
    if not answer.done():
        return Unavailable(_("The store did not answer in time."))
    try:
        return answer.result()
    except StorageError as error:
        return error
