"""Names that often hold secrets: they are shown first when something becomes public."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SECRET = re.compile(
    r"""
      (^|/)\.env([^/]*)$ | (^|/)\.git/ | (^|/)\.(htpasswd|netrc|npmrc|pgpass|aws|ssh)(/|$)
    | (^|/)(id_rsa|id_ecdsa|id_ed25519|id_dsa)([^/]*)$
    | \.(pem|key|p12|pfx|jks|keystore|kdbx|ovpn|ppk)$
    | \.(sql|dump|bak|old|pst|mdb|sqlite3?|rdb)(\.(gz|zip|bz2|xz|7z))?$
    | (^|/)[^/]*(backup|passw|passwd|secret|credential|token|private|salary|payroll|passport)[^/]*$
    | (^|/)(backups?|secrets?|private|credentials)/
    """,
    re.IGNORECASE | re.VERBOSE,
)


def is_secret_looking(key: str) -> bool:
    """Return whether a key looks as if its object should not be public. A guess, and only ever a hint."""
    return _SECRET.search(key) is not None


def secrets_first(keys: Iterable[str]) -> list[str]:
    """Return keys with those in front that look secret; apart from that their order stays."""
    return sorted(keys, key=lambda key: not is_secret_looking(key))
