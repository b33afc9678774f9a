"""Cross-origin rules: parsing, showing, and matching them against requests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from apps.localstore.digits import whole_number
from apps.localstore.errors import StoreError
from apps.localstore.markup import children, document, leaf, node, parse, text_of

METHODS = ("PUT", "GET", "POST", "DELETE", "HEAD")
RULES_LIMIT = 100
BODY_LIMIT = 64 * 1024
# These become headers of answers, so that nothing else may get in, least of all a line break.
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VISIBLE = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class CorsRule:
    """One rule; the first that matches decides."""

    id: str
    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...]
    max_age_s: str

    def admits(self, origin: str, method: str, headers: Iterable[str]) -> bool:
        """Tell whether the rule covers this origin, this method and each requested header."""
        if method not in self.methods or not any(_fits(pattern, origin) for pattern in self.origins):
            return False
        return all(any(_fits(pattern, name) for pattern in self.headers) for name in headers)


def _fits(pattern: str, value: str) -> bool:
    """Compare without case; at most one `*` stands for any run of characters."""
    before, star, after = pattern.lower().partition("*")
    value = value.lower()
    if not star:
        return before == value
    return value.startswith(before) and value.endswith(after) and len(value) >= len(before) + len(after)


def cors_parse(body: bytes) -> tuple[CorsRule, ...]:
    """Return the rules of a CORSConfiguration. Raises XMLSizeLimit, MalformedXML, InvalidArgument."""
    if len(body) > BODY_LIMIT:
        raise StoreError("XMLSizeLimit")
    rules = tuple(_rule(element) for element in children(parse(body, "CORSConfiguration"), "CORSRule"))
    if not 0 < len(rules) <= RULES_LIMIT:
        raise StoreError("MalformedXML", "A CORS configuration has 1 to 100 rules.")
    return rules


def _texts(element: Element, name: str) -> tuple[str, ...]:
    return tuple(
        (found.text or "").strip() for found in children(element, name) if (found.text or "").strip()
    )


def _rule(element: Element) -> CorsRule:
    rule = CorsRule(
        text_of(element, "ID"),
        _texts(element, "AllowedOrigin"),
        _texts(element, "AllowedMethod"),
        _texts(element, "AllowedHeader"),
        _texts(element, "ExposeHeader"),
        text_of(element, "MaxAgeSeconds").strip(),
    )
    if not rule.origins or not rule.methods:
        raise StoreError("MalformedXML", "A CORS rule needs an origin and a method.")
    if any(method not in METHODS for method in rule.methods):
        raise StoreError("InvalidArgument", "A CORS method is PUT, GET, POST, DELETE or HEAD.")
    if not all(_origin_is_valid(origin) for origin in rule.origins):
        raise StoreError("InvalidArgument", "An origin is *, or a scheme and a host with at most one *.")
    if not all(HEADER_NAME.fullmatch(name) for name in rule.headers + rule.exposed):
        raise StoreError("InvalidArgument", "A CORS header is the name of a header.")
    if any("*" in name for name in rule.exposed) or any(name.count("*") > 1 for name in rule.headers):
        raise StoreError("InvalidArgument", "Exposed headers hold no *, allowed headers at most one.")
    if rule.max_age_s and whole_number(rule.max_age_s) is None:
        raise StoreError("InvalidArgument", "MaxAgeSeconds is a number.")
    return rule


def _origin_is_valid(origin: str) -> bool:
    if origin == "*":
        return True
    if origin.count("*") > 1 or not VISIBLE.fullmatch(origin):
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc and parts.path in ("", "/"))


def cors_document(rules: Iterable[CorsRule]) -> bytes:
    """Return the CORSConfiguration as it was put, ID first."""
    return document(node("CORSConfiguration", *(_rule_xml(rule) for rule in rules)))


def _rule_xml(rule: CorsRule) -> str:
    lists = (
        ("AllowedOrigin", rule.origins),
        ("AllowedMethod", rule.methods),
        ("AllowedHeader", rule.headers),
        ("ExposeHeader", rule.exposed),
    )
    parts = [leaf("ID", rule.id)] if rule.id else []
    parts += [leaf(name, value) for name, values in lists for value in values]
    if rule.max_age_s:
        parts.append(leaf("MaxAgeSeconds", rule.max_age_s))
    return node("CORSRule", *parts)


def cors_pack(rules: Iterable[CorsRule]) -> str:
    """Return rules as a column value."""
    return json.dumps([asdict(rule) for rule in rules])


def cors_unpack(text: str | None) -> tuple[CorsRule, ...]:
    """Return the rules of a column value."""
    lists = ("origins", "methods", "headers", "exposed")
    rows = json.loads(text) if text else []
    return tuple(CorsRule(**row | {name: tuple(row[name]) for name in lists}) for row in rows)


def cors_headers(
    rules: Iterable[CorsRule], *, origin: str, method: str, requested: str = ""
) -> list[tuple[str, str]] | None:
    """Return the headers of the first rule that admits a request, or None."""
    names = [name.strip().lower() for name in requested.split(",") if name.strip()]
    rule = next((rule for rule in rules if rule.admits(origin, method, names)), None)
    if rule is None:
        return None
    if "*" in rule.origins:
        headers = [("Access-Control-Allow-Origin", "*")]
    else:
        headers = [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true")]
    headers.append(("Access-Control-Allow-Methods", ",".join(rule.methods)))
    allowed = names if "*" in rule.headers else [name.lower() for name in rule.headers]
    rest = {
        "Access-Control-Allow-Headers": ",".join(allowed),
        "Access-Control-Expose-Headers": ",".join(rule.exposed),
        "Access-Control-Max-Age": rule.max_age_s,
    }
    return [*headers, *((name, value) for name, value in rest.items() if value), ("Vary", "Origin")]
