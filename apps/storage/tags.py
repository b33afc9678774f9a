"""Tags: a name and a value that people put on buckets and objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.storage.facts import facts_digest


@dataclass(frozen=True)
class Tag:
    """One tag. Keys are unique in a set and case-sensitive."""

    key: str
    value: str


def tags_digest(tags: Sequence[Tag]) -> str:
    """Return a digest of a set of tags, whatever their order."""
    return facts_digest(sorted((tag.key, tag.value) for tag in tags))
