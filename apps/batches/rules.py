"""Where a copy goes, and what it is called when its name is taken: pure functions over keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from apps.batches.selection import Source, name_below
from apps.storage.keys import key_name

KEY_BYTES_MAX = 850
# The access of each object stays what it is.
KEPT = "kept"
# The bucket decides on the access.
INHERITED = "default"
# How bytes get to where they go: by the store itself, or through the workers.
IN_STORE, RELAYED = "store", "relay"
# A plan that waited longer than this says too little about what is there now.
STALE_AFTER = timedelta(hours=24)


def target_of(key: str, source: Source, options: Mapping[str, Any]) -> str:
    """Return the key that a copy of `key` gets by what the person chose, whether it is possible or not."""
    if options.get("is_flat"):
        return unquote(options.get("prefix", "")) + key_name(key)
    if "name" in options:
        name = unquote(options["name"])
        return name + key[len(source.prefix) :] if source.prefix else name
    return unquote(options.get("prefix", "")) + name_below(key, source.base)


def access_of(options: Mapping[str, Any]) -> str:
    """Return the access that copies get: KEPT, or a canned name, of which INHERITED is one.

    A batch that was planned before access could be chosen says whether it is kept.
    """
    if "access" in options:
        return str(options["access"])
    return KEPT if options.get("is_acl_kept", True) else INHERITED


def is_relayed(figures: Mapping[str, Any]) -> bool:
    """Return whether the bytes of a plan with these figures pass through the workers."""
    return bool(figures.get("way") == RELAYED)


def other_name(target: str, moment: datetime, rank: int = 1) -> str:
    """Return the name under which a copy is kept beside an object that has `target` already.

    It is the same for each attempt: `report.pdf` becomes `report (2026-11-22 14.05.33).pdf`, the second
    object of one plan that meets there `report (2026-11-22 14.05.33, 2).pdf`. A name that this gave stays.
    """
    stamp = f"{moment:%Y-%m-%d %H.%M.%S}" + (f", {rank}" if rank > 1 else "")
    folder = target.endswith("/")
    name = key_name(target)
    head = target[: len(target) - len(name)]
    name = name.removesuffix("/")
    if f" ({stamp})" in name:
        return target
    stem, dot, ending = name.rpartition(".")
    if folder or not stem or len(ending) > 10:
        stem, dot, ending = name, "", ""
    return f"{head}{stem} ({stamp}){dot}{ending}{'/' if folder else ''}"


def key_problem(key: str) -> str:
    """Return the code of why no object can have this key, '' for one that is possible."""
    if not key:
        return "KeyEmpty"
    if len(key.encode(errors="surrogatepass")) > KEY_BYTES_MAX:
        return "KeyTooLong"
    if key[0] in "/\\":
        return "InvalidKey"
    return ""


def prefix_of(keys: Sequence[str]) -> str:
    """Return the longest prefix that all keys have."""
    first, last = min(keys), max(keys)
    for at, character in enumerate(first):
        if last[at : at + 1] != character:
            return first[:at]
    return first
