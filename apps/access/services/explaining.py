"""Who can open this: everything that can be asked about it at once, with a proof from outside."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from apps.access.rules.answers import Answer, Explained, Origin
from apps.access.services.acl import Place
from apps.access.services.near_keys import near_keys
from apps.access.services.together import ask_together
from apps.storage.cors import Preflight
from apps.storage.errors import StorageError

# A store's client tries again for minutes; nobody waits so long for a page.
ANSWER_TIMEOUT_S = 15.0
NEAR_TIMEOUT_S = 8.0


def place_explain(place: Place, *, origin: Origin | None = None) -> Explained:
    """This will ask the store about a bucket or an object, with the connection's key and without any.

    Reads only, all at the same time. A question that fails, or has no answer in 15 seconds, is an answer of
    its own; raises nothing of the store's. Nothing is sent anywhere but to the store's endpoint.
    """
    calls = _calls(place, origin)
    found = ask_together(list(calls.values()), timeout_s=ANSWER_TIMEOUT_S)
    answers = {name: _answer(one) for name, one in zip(calls, found, strict=True)}
    return Explained(**answers)


def near_find(place: Place, explained: Explained) -> tuple[str, ...] | None:
    """Return keys that somebody may have meant, None where nobody could look or there was no need to.

    Looking takes a handful of requests, which have 8 seconds in all.
    """
    if not explained.is_object_missing or explained.is_bucket_missing:
        return None
    found = ask_together([partial(near_keys, place)], timeout_s=NEAR_TIMEOUT_S)[0]
    return None if isinstance(found, StorageError) else found


def _preflight(place: Place, origin: Origin) -> Preflight:
    return place.store.preflight(
        bucket=place.bucket,
        region=place.region,
        key=place.key or "-",
        origin=origin.origin,
        method=origin.method,
    )


def _calls(place: Place, origin: Origin | None) -> dict[str, Callable[[], Any]]:
    """Return the questions by the field of Explained that they fill."""
    store, outside = place.store, place.store.anonymous()
    at = {"bucket": place.bucket, "region": place.region}
    calls: dict[str, Callable[[], Any]] = {
        "bucket": partial(store.head_bucket, **at),
        "bucket_acl": partial(store.get_bucket_acl, **at),
        "list_probe": partial(outside.head_bucket, **at),
    }
    if place.key:
        calls["info"] = partial(store.head_object, **at, key=place.key)  # type: ignore[arg-type]
        calls["acl"] = partial(store.get_object_acl, **at, key=place.key)
        calls["probe"] = partial(outside.head_object, **at, key=place.key)  # type: ignore[arg-type]
    if origin is not None:
        calls["preflight"] = partial(_preflight, place, origin)
    return calls


def _answer(found: Any) -> Answer[Any]:
    return Answer(error=found) if isinstance(found, StorageError) else Answer(found)
