"""What a caller may pass: read generously, as documented in 2017 and today, or refused with a sentence.

Everything here happens before a request is sent. Text, numbers and lists come from forms and scripts, so that
a wrong one is an ordinary event, and each gets `errors.Refused` with what is wrong and what would be right.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypeVar

from apps.storage.errors import Refused
from apps.storage.types import Credentials

PART_NUMBER_MAX = 10_000

Callback = TypeVar("Callback")

# A line break in a value would begin another header, and a NUL ends it early.
_REFUSED_IN_HEADER = re.compile("[\x00\r\n]")
_GRANT = re.compile(r'\s*(?:id|uin|uri)\s*=\s*"[^",]+"\s*', re.IGNORECASE)
_GRANT_NAME_2017 = re.compile(r'\buin(?=\s*=\s*")', re.IGNORECASE)
_CANNED = re.compile(r"[a-z]+(?:-[a-z]+)*")
_TOKEN = re.compile(r"[A-Z]+(?:_[A-Z]+)*")
_DECIMAL = re.compile(r"[0-9]{1,20}")


def text_argument(name: str, value: object) -> str:
    """Return `value`, which must be text without half of a Unicode pair; raises Refused."""
    if not isinstance(value, str):
        raise Refused(f"{name} must be text, not {type(value).__name__}.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused(f"{name} holds half of a Unicode pair.") from None
    return value


def required_text(name: str, value: object) -> str:
    """Return text that is not blank; raises Refused."""
    text = "" if value is None else text_argument(name, value)
    if not text.strip():
        raise Refused(f"{name} is missing.")
    return text


def header_argument(name: str, value: object) -> str:
    """Return text that can be the value of a header; raises Refused."""
    text = text_argument(name, value)
    if _REFUSED_IN_HEADER.search(text):
        raise Refused(f"{name} must not hold line breaks.")
    # HTTP cuts blanks off the ends; signing them would make a signature that cannot match.
    return text.strip(" \t")


def credentials_check(credentials: Credentials) -> None:
    """Raise Refused for a key pair or a token that is no text, or would begin another header."""
    for name, value in (
        ("SecretId", credentials.secret_id),
        ("SecretKey", credentials.secret_key),
        ("The token", credentials.token or ""),
    ):
        if not isinstance(value, str) or _REFUSED_IN_HEADER.search(value):
            # The value is not quoted: it is a secret.
            raise Refused(f"{name} must be text without line breaks.")


def path_argument(name: str, value: object) -> str:
    """Return a path that a file system can have, whether or not it is there; raises Refused."""
    path = text_argument(name, os.fspath(value) if isinstance(value, os.PathLike) else value)
    if not path or "\0" in path:
        raise Refused(f"{name} is no path: {path!r}.")
    return path


def date_argument(name: str, value: object) -> str:
    """Return an HTTP date, given as text or as an aware datetime; raises Refused."""
    if not isinstance(value, datetime):
        return header_argument(name, value)
    if value.tzinfo is None:
        raise Refused(
            f"{name} needs a time zone: the store's clock is in UTC, and nobody said which this is."
        )
    return format_datetime(value.astimezone(UTC), usegmt=True)


def number_argument(name: str, value: object, *, least: int = 0, most: int | None = None) -> int:
    """Return a whole number, given as one or as decimal digits; raises Refused outside `least` to `most`."""
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        number = int(value)
    else:
        raise Refused(f"{name} must be a whole number of at least {least}, not {value!r}.")
    if number < least or (most is not None and number > most):
        limits = f"at least {least}" if most is None else f"between {least} and {most}"
        raise Refused(f"{name} must be {limits}, not {number}.")
    return number


def flag_argument(name: str, value: object) -> bool:
    """Return a truth value, given as one or as the text "true" or "false" in any case; raises Refused."""
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise Refused(f"{name} must be true or false, not {value!r}.")


def mapping_argument(name: str, value: object, *required: str) -> Mapping[str, Any]:
    """Return a mapping that has the `required` fields; raises Refused."""
    if not isinstance(value, Mapping):
        raise Refused(f"{name} must be a mapping, not {type(value).__name__}.")
    for field in required:
        if value.get(field) is None:
            raise Refused(f"{name} has no {field}.")
    return value


def records_argument(
    name: str, value: object, *required: str, least: int = 0, most: int | None = None
) -> list[Mapping[str, Any]]:
    """Return a list of `least` to `most` mappings that have the `required` fields; raises Refused."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise Refused(f"{name} must be a list, not {type(value).__name__}.")
    records = list(value)
    if len(records) < least or (most is not None and len(records) > most):
        limits = f"at least {least}" if most is None else f"{least} to {most}"
        raise Refused(f"{name} must have {limits} entries, not {len(records)}.")
    return [
        mapping_argument(f"Entry {number} of {name}", record, *required)
        for number, record in enumerate(records, 1)
    ]


def part_number(value: object, name: str = "PartNumber") -> str:
    """Return the number of a part, 1 to 10000, as text; raises Refused."""
    return str(number_argument(name, value, least=1, most=PART_NUMBER_MAX))


def length_argument(value: object, name: str = "ContentLength") -> int | None:
    """Return a length in bytes, None where nobody says it; raises Refused."""
    return None if value is None or value == "" else number_argument(name, value)


def callback_argument(name: str, value: Callback | None) -> Callback | None:
    """Return a function, or None; raises Refused for what cannot be called."""
    if value is not None and not callable(value):
        raise Refused(f"{name} must be a function, not {type(value).__name__}.")
    return value


def crc64_argument(name: str, value: object) -> str | None:
    """Return a CRC-64 as its decimal text, None where it is not known; raises Refused."""
    return None if value is None else str(number_argument(name, value, most=(1 << 64) - 1))


def grants_argument(name: str, value: object) -> str:
    """Return the value of a grant header; raises Refused for text that is no list of grants.

    The 2017 document writes a grantee as `uin="…"`, today's service as `id="…"` with the same numbers inside.
    Source: PUT Bucket acl, 2026-08.
    """
    text = header_argument(name, value)
    if not all(_GRANT.fullmatch(grant) for grant in text.split(",")):
        raise Refused(
            f'{name} must be grants as in id="100000000001",id="100000000001/100000000011", not {text!r}.'
        )
    return _GRANT_NAME_2017.sub("id", text)


def canned_argument(name: str, value: object) -> str:
    """Return the name of a canned ACL. Which names exist is for the store to say; raises Refused."""
    text = header_argument(name, value)
    if not _CANNED.fullmatch(text):
        raise Refused(f"{name} must be the name of a canned ACL, such as private, not {text!r}.")
    return text


def permission_argument(name: str, value: object) -> str:
    """Return a permission, also one that we do not know, which must survive a rewrite; raises Refused."""
    text = text_argument(name, value)
    if not _TOKEN.fullmatch(text):
        raise Refused(f"{name} must be a permission, such as READ or WRITE_ACP, not {text!r}.")
    return text


def storage_class_argument(name: str, value: object) -> str:
    """Return today's token of a storage class: `Standard_IA` of 2017 is `STANDARD_IA`; raises Refused."""
    token = header_argument(name, value).upper()
    if not _TOKEN.fullmatch(token):
        raise Refused(f"{name} must be a storage class, such as STANDARD_IA, not {value!r}.")
    return token


def method_argument(name: str, value: object) -> str:
    """Return an HTTP method in upper case; the 2017 document writes "Get". Raises Refused."""
    text = required_text(name, value).strip().upper()
    if not (text.isascii() and text.isalpha()):
        raise Refused(f"{name} must be an HTTP method, such as PUT, not {value!r}.")
    return text
