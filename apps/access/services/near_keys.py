"""Keys that somebody may have meant: the same name in another case, with or without a slash, or encoded."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import unquote

from apps.access.services.acl import Place
from apps.storage.errors import NotFound, Refused
from apps.storage.types import Listing

LEVELS_MAX = 8
NEAR_MAX = 5


def near_keys(place: Place) -> tuple[str, ...]:
    """Return a few keys that exist and look like the one that does not, the likeliest first.

    At most a handful of requests, each of one page: in a folder of thousands a twin may be missed. Raises
    the StorageError that kept the bucket from being listed.
    """
    found = dict.fromkeys(key for key in _spellings(place.key) if _exists(place, key))
    found.update(dict.fromkeys(_twins(place)))
    found.pop(place.key, None)
    return tuple(found)[:NEAR_MAX]


def _spellings(key: str) -> Iterator[str]:
    """Yield how the same address is written by other programs."""
    made = (
        key.removesuffix("/"),
        f"{key}/",
        key.strip(),
        unquote(key),
        key.replace("+", " "),
        key.lstrip("/"),
        unicodedata.normalize("NFC", key),
        unicodedata.normalize("NFD", key),
    )
    yield from (other for other in dict.fromkeys(made) if other not in ("", key))


def _exists(place: Place, key: str) -> bool:
    try:
        place.store.head_object(bucket=place.bucket, region=place.region, key=key)
    except (NotFound, Refused):
        return False
    return True


def _twins(place: Place) -> list[str]:
    """Return keys that differ in case alone, found by walking down one folder after the other."""
    folders = [""]
    *parents, name = place.key.split("/")
    with suppress(NotFound):
        for parent in parents[:LEVELS_MAX]:
            folders = [
                prefix
                for folder in folders[:2]
                for prefix in _listed(place, folder).prefixes
                if prefix.casefold() == f"{folder}{parent}/".casefold()
            ]
        if len(parents) > LEVELS_MAX:
            return []
        return [
            found.key
            for folder in folders[:2]
            for found in _listed(place, folder).objects
            if found.key.casefold() == f"{folder}{name}".casefold()
        ]
    return []


def _listed(place: Place, prefix: str) -> Listing:
    return place.store.list_objects(
        bucket=place.bucket, region=place.region, prefix=prefix, delimiter="/", limit=1000
    )
