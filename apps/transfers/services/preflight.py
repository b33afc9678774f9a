"""What is there already under the keys of files that are about to be sent.

Keys are compared with pages of a listing, and those that lie beyond are asked for one by one. A listing tells
no checksum, so that objects of the same size are asked for, too. All of it ends at a deadline: what was not
learnt by then is said, and the start of each upload looks again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby

from apps.storage.errors import ObjectNotFound, StorageError
from apps.storage.keys import key_parent
from apps.storage.store import ObjectStore
from apps.storage.types import Listing, ObjectInfo, ObjectSummary

IN_FLIGHT = 8
DEADLINE_S = 10.0
# Up to so many keys, one page of each folder is looked at; more are looked for in all that lies between them.
FEW = 12
PAGES_MAX = 12


class State(StrEnum):
    """How a key stands. SAME_SIZE may be the same content: the CRC-64 decides. UNKNOWN was not learnt."""

    NEW = "new"
    SAME_SIZE = "same-size"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Wanted:
    """A file that somebody wants to store; `size` in bytes."""

    key: str
    size: int


@dataclass(frozen=True)
class Look:
    """What was learnt about one key.

    `there` is the object that has it, `error` why nothing was learnt (None: no time was left). `twin` is a
    key that differs in upper and lower case only, `is_folder` says that objects lie below the key as if it
    were a folder; both are known only as far as the neighbors were listed.
    """

    state: State
    there: ObjectSummary | ObjectInfo | None = None
    error: StorageError | None = None
    twin: str = ""
    is_folder: bool = False

    @property
    def crc64(self) -> str | None:
        return self.there.crc64 if isinstance(self.there, ObjectInfo) else None


def uploads_look(
    store: ObjectStore,
    *,
    bucket: str,
    region: str,
    wanted: Sequence[Wanted],
    deadline_s: float = DEADLINE_S,
) -> dict[str, Look]:
    """Return by `deadline_s` how each of the keys stands. Raises nothing: a refusal is a fact of its key."""
    looking = _Looking(store, bucket, region, time.monotonic() + deadline_s)
    sizes = {one.key: one.size for one in wanted}
    pool = ThreadPoolExecutor(max_workers=IN_FLIGHT, thread_name_prefix="preflight")
    try:
        _wait([pool.submit(looking.walk, *walk) for walk in _walks(list(sizes))], looking.until)
        _wait([pool.submit(looking.ask, key) for key in looking.unasked(sizes)], looking.until)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return {key: looking.look_of(key, size) for key, size in sizes.items()}


def _walks(keys: Sequence[str]) -> list[tuple[list[str], str, str, int]]:
    """Return what to list: the keys looked for, and the prefix, delimiter and number of pages."""
    ordered = sorted(keys, key=str.encode)
    if len(ordered) > FEW:
        return [(ordered, _folder_of(ordered[0], ordered[-1]), "", PAGES_MAX)]
    return [(list(group), folder, "/", 1) for folder, group in groupby(ordered, key=key_parent)]


def _wait(asked: Iterable[Future[None]], until: float) -> None:
    wait(list(asked), timeout=max(0.0, until - time.monotonic()))


class _Looking:
    """One look at a bucket; filled by several threads, each of which writes keys of its own."""

    def __init__(self, store: ObjectStore, bucket: str, region: str, until: float) -> None:
        self.store, self.bucket, self.region, self.until = store, bucket, region, until
        self.found: dict[str, ObjectSummary | ObjectInfo | None] = {}
        self.twins: dict[str, str] = {}
        self.folders: set[str] = set()
        # A store that refuses one key refuses them all, and one that is busy is left alone.
        self.refusal: StorageError | None = None

    @property
    def is_late(self) -> bool:
        return time.monotonic() >= self.until

    def walk(self, keys: Iterable[str], prefix: str, delimiter: str, pages: int) -> None:
        """List what lies between the keys, which are in order, as far as the pages reach."""
        left = deque(keys)
        marker = ""
        for _page in range(pages):
            if not left or self.is_late:
                return
            try:
                listing = self.store.list_objects(
                    bucket=self.bucket, region=self.region, prefix=prefix, delimiter=delimiter, marker=marker
                )
            except StorageError:
                # Whoever may not list may still ask for single objects.
                return
            self._compare(listing, left)
            if left:
                # What lies before the next key is skipped; that key itself is asked for by itself.
                marker = left.popleft()

    def _compare(self, listing: Listing, left: deque[str]) -> None:
        listed = {summary.key: summary for summary in listing.objects}
        folded = {key.casefold(): key for key in listed}
        folders = {prefix.removesuffix("/") for prefix in listing.prefixes} | {
            key_parent(key).removesuffix("/") for key in listed
        }
        end = listing.next_marker.encode() if listing.next_marker else None
        while left and (end is None or left[0].encode() <= end):
            key = left.popleft()
            self.found[key] = listed.get(key)
            if key in folders:
                self.folders.add(key)
            if key not in listed and key.casefold() in folded:
                self.twins[key] = folded[key.casefold()]

    def unasked(self, sizes: dict[str, int]) -> list[str]:
        """Return the keys that take a request of their own: unknown ones, and those whose size fits."""
        return [key for key, size in sizes.items() if key not in self.found or self._is_same_size(key, size)]

    def _is_same_size(self, key: str, size: int) -> bool:
        there = self.found[key]
        return isinstance(there, ObjectSummary) and there.size == size

    def ask(self, key: str) -> None:
        if self.is_late or self.refusal is not None:
            return
        try:
            self.found[key] = self.store.head_object(bucket=self.bucket, region=self.region, key=key)
        except ObjectNotFound:
            self.found[key] = None
        except StorageError as error:
            self.refusal = error

    def look_of(self, key: str, size: int) -> Look:
        look = Look(State.UNKNOWN, error=self.refusal)
        if key in self.found:
            look = _compared(self.found[key], size)
        return replace(look, twin=self.twins.get(key, ""), is_folder=key in self.folders)


def _compared(there: ObjectSummary | ObjectInfo | None, size: int) -> Look:
    if there is None:
        return Look(State.NEW)
    return Look(State.SAME_SIZE if there.size == size else State.DIFFERENT, there=there)


def _folder_of(first: str, last: str) -> str:
    """Return the folder that two keys have in common, '' for the bucket itself."""
    same = 0
    for one, other in zip(first, last, strict=False):
        if one != other:
            break
        same += 1
    return first[: first.rfind("/", 0, same) + 1]
