"""Threads that share a list of calls, for clients that know no other way to have several in flight."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


def crowd_run(call: Callable[[_T], _R], items: Iterable[_T], *, threads: int) -> list[_R]:
    """Return what `call` returned for each item, in no order. Raises the first failure.

    Each thread takes its next item itself: a future per item would be charged to the client.
    """
    shared = iter(items)

    def work(_number: int) -> list[_R]:
        return [call(item) for item in shared]

    with ThreadPoolExecutor(threads) as pool:
        return [result for results in pool.map(work, range(threads)) for result in results]
