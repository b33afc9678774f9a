"""What a listing does not tell about its objects: read one by one, a few at a time, while somebody waits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from apps.storage.errors import StorageError
from apps.storage.grants import Acl
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectInfo

IN_FLIGHT = 8
DEADLINE_S = 8.0


@dataclass(frozen=True)
class Facts:
    """What was learnt about one object: a value, why the store refused it, or None where time ran out."""

    info: ObjectInfo | StorageError | None = None
    acl: Acl | StorageError | None = None


@dataclass(frozen=True)
class Checked:
    """The facts of each key, and the grants of the bucket that objects without their own inherit."""

    facts: dict[str, Facts]
    bucket_acl: Acl | None = None


def objects_check(
    store: ObjectStore,
    *,
    bucket: str,
    region: str,
    keys: Sequence[str],
    by_head: bool,
    by_acl: bool,
    deadline_s: float = DEADLINE_S,
) -> Checked:
    """Ask the store about each of the keys, at most IN_FLIGHT requests at once, and return by `deadline_s`.

    What has not been answered by then is left out, and what has not been asked is not asked any more. Raises
    nothing: an object that was deleted meanwhile is a fact of that object.
    """
    where = {"bucket": bucket, "region": region}
    pool = ThreadPoolExecutor(max_workers=IN_FLIGHT, thread_name_prefix="objects-check")
    try:
        bucket_acl = pool.submit(_asked, store.get_bucket_acl, **where) if by_acl and keys else None
        infos = _submit(pool, store.head_object, where, keys if by_head else ())
        acls = _submit(pool, store.get_object_acl, where, keys if by_acl else ())
        asked: list[Future[Any]] = [*infos.values(), *acls.values(), *([bucket_acl] if bucket_acl else [])]
        wait(asked, timeout=deadline_s)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    inherited = _answer(bucket_acl)
    return Checked(
        facts={key: Facts(_answer(infos.get(key)), _answer(acls.get(key))) for key in keys},
        bucket_acl=inherited if isinstance(inherited, Acl) else None,
    )


def _submit(
    pool: ThreadPoolExecutor, call: Callable[..., Any], where: dict[str, str], keys: Collection[str]
) -> dict[str, Future[Any]]:
    return {key: pool.submit(_asked, call, key=key, **where) for key in keys}


def _asked(call: Callable[..., Any], **arguments: str) -> Any:
    try:
        return call(**arguments)
    except StorageError as error:
        return error


def _answer(future: Future[Any] | None) -> Any:
    if future is None or not future.done() or future.cancelled():
        return None
    return future.result()
