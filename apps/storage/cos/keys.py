"""Object keys and bucket names: what is legal, and how they are spelled in a request target.

Keys are opaque: `a/../b`, `a//b` and `..` are three ordinary keys, and none of them is ever normalized.
Source: COS "Object overview" and "Bucket overview", 2026-08.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from apps.storage.errors import Refused

KEY_BYTES_MAX = 850

_REFUSED_CONTROLS = re.compile("[\x18-\x1b]")
_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?-[0-9]+")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def key_check(key: str) -> None:
    """Raise Refused, with a sentence for a person, when COS would not accept `key`."""
    if not isinstance(key, str):
        raise Refused(f"The key must be text, not {type(key).__name__}.")
    if not key:
        raise Refused("The key is empty.")
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise Refused("The key holds half of a Unicode pair, which UTF-8 cannot express.") from None
    if length > KEY_BYTES_MAX:
        raise Refused(f"The key is {length} bytes long; the limit is {KEY_BYTES_MAX}.")
    if key[0] in "/\\":
        raise Refused(f"A key must not start with {key[0]!r}.")
    if _REFUSED_CONTROLS.search(key):
        raise Refused("The key holds one of the control characters 0x18 to 0x1B, which COS refuses.")


def bucket_check(bucket: str) -> None:
    """Raise Refused unless `bucket` is a full name: lower-case letters, digits, hyphens, then the APPID.

    The name becomes a part of the host, so nothing else may get through.
    """
    if not isinstance(bucket, str) or not _BUCKET.fullmatch(bucket):
        raise Refused(
            f"{bucket!r} is not a full bucket name: lower-case letters, digits and hyphens, "
            "then a hyphen and the APPID, as in photos-1250000000."
        )


def key_is_xml_safe(key: str) -> bool:
    """Return whether an XML 1.0 document can hold `key`; most control characters it cannot, even escaped."""
    return _NOT_IN_XML.search(key) is None


def key_quote(key: str) -> str:
    """Return `key` percent-encoded for a request target; slashes and dot segments stay as they are."""
    return quote(key, safe="/")
