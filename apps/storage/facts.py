"""A digest of what somebody saw, so that a change in between is noticed before it is overwritten."""

from __future__ import annotations

import hashlib
import json


def facts_digest(facts: object) -> str:
    """Return the SHA-256 of `facts` in hexadecimal: lists, text, numbers, truth values and None.

    Stable across processes and releases, so that it may be kept in a form or in a database.
    """
    text = json.dumps(facts, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
