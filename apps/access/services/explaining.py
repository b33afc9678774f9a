"""Who can open this: everything that can be asked about it at once, with a proof from outside."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from apps.access.rules.answers import Answer, Explained, Origin
from apps.access.services.acl import Place
from apps.access.services.near_keys import near_keys
from apps.storage.cors import Preflight
from apps.storage.errors import StorageError

T = TypeVar("T")


def place_explain(place: Place, *, origin: Origin | None = None) -> Explained:
    """This will ask the store about a bucket or an object, with the connection's key and without any.

    Reads only, and at most a dozen requests. A question that fails is an answer of its own; raises nothing
    of the store's. Nothing is sent anywhere but to the store's endpoint.
    """
    store, bucket_name, region, key = place.store, place.bucket, place.region, place.key
    outside = store.anonymous()
    with ThreadPoolExecutor(max_workers=7) as pool:
        bucket = pool.submit(_asked, lambda: store.head_bucket(bucket=bucket_name, region=region))
        bucket_acl = pool.submit(_asked, lambda: store.get_bucket_acl(bucket=bucket_name, region=region))
        list_probe = pool.submit(_asked, lambda: outside.head_bucket(bucket=bucket_name, region=region))
        if place.key:
            info = pool.submit(_asked, lambda: store.head_object(bucket=bucket_name, region=region, key=key))
            acl = pool.submit(
                _asked, lambda: store.get_object_acl(bucket=bucket_name, region=region, key=key)
            )
            probe = pool.submit(
                _asked, lambda: outside.head_object(bucket=bucket_name, region=region, key=key)
            )
        if origin is not None:
            preflight = pool.submit(_asked, lambda: _preflight(place, origin))
    return Explained(
        bucket.result(),
        bucket_acl.result(),
        list_probe.result(),
        info.result() if place.key else None,
        acl.result() if place.key else None,
        probe.result() if place.key else None,
        preflight.result() if origin is not None else None,
    )


def near_find(place: Place, explained: Explained) -> tuple[str, ...] | None:
    """Return keys that somebody may have meant, None where nobody could look or there was no need to."""
    if not explained.is_object_missing or explained.is_bucket_missing:
        return None
    with suppress(StorageError):
        return near_keys(place)
    return None


def _preflight(place: Place, origin: Origin) -> Preflight:
    return place.store.preflight(
        bucket=place.bucket,
        region=place.region,
        key=place.key or "-",
        origin=origin.origin,
        method=origin.method,
    )


def _asked(ask: Callable[[], T]) -> Answer[T]:
    try:
        return Answer(ask())
    except StorageError as error:
        return Answer(error=error)
