"""What becomes visible when a bucket is opened: looked up before, and bounded for a bucket of any size."""

from __future__ import annotations

from dataclasses import dataclass

from apps.access.rules.key_names import is_secret_looking, secrets_first
from apps.access.services.acl import Place
from apps.connections.rules import Explanation, explain
from apps.storage.errors import StorageError

LOOKED_AT_MAX = 1000
SHOWN_MAX = 10


@dataclass(frozen=True)
class Exposure:
    """The keys that a change concerns: `count` of those that were looked at, `has_more` when others follow.

    `samples` has each key with whether it looks secret, those first. `problem` says why nothing was counted.
    """

    count: int = 0
    has_more: bool = False
    secret_count: int = 0
    samples: tuple[tuple[str, bool], ...] = ()
    problem: Explanation | None = None


def exposure_of(place: Place) -> Exposure:
    """Return the keys that a change of a place's grants concerns. Raises nothing."""
    if place.key:
        keys, has_more = [place.key], False
    else:
        try:
            listing = place.store.list_objects(bucket=place.bucket, region=place.region, limit=LOOKED_AT_MAX)
        except StorageError as error:
            return Exposure(problem=explain(error))
        keys, has_more = [found.key for found in listing.objects], listing.next_marker is not None
    samples = tuple((key, is_secret_looking(key)) for key in secrets_first(keys)[:SHOWN_MAX])
    return Exposure(len(keys), has_more, sum(map(is_secret_looking, keys)), samples)
