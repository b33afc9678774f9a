"""How long a link may last, and under which name its object is saved."""

from __future__ import annotations

import re
from datetime import timedelta

from apps.storage.keys import key_name

LIFETIME_MIN = timedelta(minutes=1)
# The signature knows no limit. A link that outlives its reason is a hole that nobody remembers.
LIFETIME_MAX = timedelta(days=365)
# Temporary keys live for 36 hours at most, and a link dies with its key. Source: CAM "GetFederationToken",
# 2026-08.
LIFETIME_MAX_TEMPORARY = timedelta(hours=36)

# What a file system refuses, and what makes `exe.txt` out of `txt.exe`.
_NOT_IN_NAMES = re.compile(
    '[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029"\\\\/:*?<>|]'
)


def lifetime_max(*, is_key_temporary: bool) -> timedelta:
    """Return how long a link may last at most."""
    return LIFETIME_MAX_TEMPORARY if is_key_temporary else LIFETIME_MAX


def file_name(name: str) -> str:
    """Return a name as a disk takes it, at most 255 characters; '' when nothing is left of it."""
    return _NOT_IN_NAMES.sub("_", name).strip(" .")[:255]


def name_of(key: str) -> str:
    """Return the name under which an object is saved unless another one is given."""
    return file_name(key_name(key).rstrip("/")) or "download"
