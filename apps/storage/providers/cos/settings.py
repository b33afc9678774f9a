"""CORS rules, preflights and tags between the client's dictionaries and the contract's values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from apps.storage.cors import Cors, CorsRule, Preflight
from apps.storage.cos.records import record_text
from apps.storage.errors import Refused
from apps.storage.tags import Tag


def cors_of(result: Mapping[str, Any]) -> Cors:
    """Return the answer of Get Bucket CORS."""
    return Cors(
        rules=tuple(_rule_of(record) for record in result["CORSRule"]),
        extras=tuple(result["Extra"]),
        unknown=tuple(result["Unknown"]),
    )


def cors_options(cors: Cors) -> dict[str, Any]:
    """Return the arguments of Put Bucket CORS; raises Refused when the write would lose something."""
    if cors.unknown:
        raise Refused(
            f"The CORS rules hold {', '.join(cors.unknown)}, which would be lost by writing them back."
        )
    if not cors.rules:
        raise Refused("Without a rule the other CORS settings cannot be kept.")
    return {"CORSRules": [_record_of(rule) for rule in cors.rules], "Extra": cors.extras}


def preflight_of(result: Mapping[str, Any]) -> Preflight:
    """Return the answer of Options Object."""
    age = result["AccessControlMaxAge"]
    return Preflight(
        is_allowed=not result["OptionsForbidden"],
        origin=result["AccessControlAllowOrigin"],
        methods=_listed(result["AccessControlAllowMethods"]),
        headers=_listed(result["AccessControlAllowHeaders"]),
        exposed_headers=_listed(result["AccessControlExposeHeaders"]),
        max_age_s=int(age) if _is_plain_number(age) else None,
        has_credentials=result["AccessControlAllowCredentials"].lower() == "true",
        request_id=result["RequestId"],
    )


def tags_of(result: Mapping[str, Any]) -> tuple[Tag, ...]:
    """Return the answer of Get Bucket Tagging."""
    return tuple(
        Tag(record_text(record, "Key"), record_text(record, "Value", "")) for record in result["Tags"]
    )


def tag_records(tags: Iterable[Tag]) -> list[dict[str, str]]:
    """Return tags as Put Bucket Tagging takes them."""
    return [{"Key": tag.key, "Value": tag.value} for tag in tags]


def tag_options(tags: Sequence[Tag]) -> dict[str, Any]:
    """Return the argument that gives a new bucket or object its tags, in a header."""
    pairs = (f"{quote(tag.key, safe='')}={quote(tag.value, safe='')}" for tag in tags)
    return {"Tagging": "&".join(pairs)} if tags else {}


def _rule_of(record: Mapping[str, Any]) -> CorsRule:
    age, extras = record["MaxAgeSeconds"], list(record["Extra"])
    if age and not _is_plain_number(age):
        # Not a number that would come out the same: kept as it is, like an element nobody knows.
        extras.append(("MaxAgeSeconds", age))
        age = ""
    return CorsRule(
        origins=tuple(record["AllowedOrigin"]),
        methods=tuple(record["AllowedMethod"]),
        allowed_headers=tuple(record["AllowedHeader"]),
        exposed_headers=tuple(record["ExposeHeader"]),
        max_age_s=int(age) if age else None,
        id=record["ID"],
        extras=tuple(extras),
    )


def _record_of(rule: CorsRule) -> dict[str, Any]:
    return {
        "ID": rule.id,
        "AllowedOrigins": rule.origins,
        "AllowedMethods": rule.methods,
        "AllowedHeaders": rule.allowed_headers,
        "ExposeHeaders": rule.exposed_headers,
        "MaxAgeSeconds": rule.max_age_s,
        "Extra": rule.extras,
    }


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _is_plain_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and str(int(text[:20])) == text
