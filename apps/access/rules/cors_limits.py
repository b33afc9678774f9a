"""What a store refuses to keep as CORS rules, each with a sentence for the field it was typed into.

Source: COS PUT Bucket cors and "Specifications and limits", 2026-08.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from apps.access.rules.cors import EVERYBODY
from apps.access.rules.cors_documents import cors_xml
from apps.storage.cors import Cors, CorsRule
from apps.storage.features import CorsLimits

ID_MAX = 255
# Longer than any browser remembers; more digits than this are a slip of the finger.
MAX_AGE_MAX_S = 999_999_999

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VISIBLE = re.compile(r"[!-~]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._*-]+)(:([0-9]{1,5}|\*))?")


def origin_problem(origin: str) -> str | None:
    """Return why a rule cannot hold this origin, None where it can."""
    if origin == EVERYBODY:
        return None
    if origin.lower() == "null":
        return _("A store takes no “null”: it would be every sandboxed frame and every local file.")
    if not _VISIBLE.fullmatch(origin):
        return _("“%(origin)s” holds blanks or letters outside ASCII. Write such a host as xn--….") % {
            "origin": origin
        }
    if origin.count(EVERYBODY) > 1:
        return _("“%(origin)s” has more than one *. Only one is allowed.") % {"origin": origin}
    scheme, separator, rest = origin.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme.replace(EVERYBODY, "a")):
        return _("“%(origin)s” has no scheme. Write https://%(origin)s.") % {"origin": origin}
    return _host_problem(origin, rest)


def _host_problem(origin: str, rest: str) -> str | None:
    host = rest.removesuffix("/")
    if _HOST.fullmatch(host) and _is_readable(origin):
        return None
    if "/" in host or "?" in host or "#" in host:
        return _("“%(origin)s” is an address. An origin ends after the host and the port.") % {
            "origin": origin
        }
    return _("“%(origin)s” is no origin. Write it like https://app.example.com or https://*.example.com.") % {
        "origin": origin
    }


def _is_readable(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)


def allowed_header_problem(name: str) -> str | None:
    """Return why a rule cannot allow this header, None where it can."""
    if not _TOKEN.fullmatch(name):
        return _not_a_header(name)
    if name.count(EVERYBODY) > 1:
        return _("“%(name)s” has more than one *. Only one is allowed.") % {"name": name}
    return None


def exposed_header_problem(name: str) -> str | None:
    """Return why a rule cannot expose this header, None where it can."""
    if not _TOKEN.fullmatch(name):
        return _not_a_header(name)
    if EVERYBODY in name:
        return _("“%(name)s”: headers to read must be named one by one, without *.") % {"name": name}
    return None


def method_problem(method: str, limits: CorsLimits) -> str | None:
    """Return why a rule cannot hold this method, None where it can."""
    if method in limits.methods:
        return None
    return _("The store knows no %(method)s here, only %(known)s.") % {
        "method": method,
        "known": ", ".join(limits.methods),
    }


def id_problem(name: str) -> str | None:
    """Return why this cannot be the name of a rule, None where it can."""
    if len(name) > ID_MAX:
        return _("A name has at most %(count)s characters.") % {"count": ID_MAX}
    if not name.isprintable():
        return _("A name cannot hold line breaks or control characters.")
    return None


def repeated_ids(rules: Iterable[CorsRule]) -> set[str]:
    """Return the names that more than one rule has."""
    return {name for name, count in Counter(rule.id for rule in rules if rule.id).items() if count > 1}


def document_problems(cors: Cors, limits: CorsLimits) -> list[str]:
    """Return why a store would not take all the rules together."""
    problems = []
    if len(cors.rules) > limits.rules_max:
        problems.append(
            _("These are %(count)s rules; a bucket has at most %(limit)s.")
            % {"count": len(cors.rules), "limit": limits.rules_max}
        )
    size = document_size(cors.rules, cors)
    if size > limits.document_bytes_max:
        problems.append(
            _("All rules together are %(size)s bytes; a store takes at most %(limit)s. Shorten the lists.")
            % {"size": f"{size:,}", "limit": f"{limits.document_bytes_max:,}"}
        )
    return problems


def document_size(rules: Sequence[CorsRule], cors: Cors) -> int:
    """Return the bytes of the document that is sent for these rules; 0 without any."""
    return len(cors_xml(Cors(rules=tuple(rules), extras=cors.extras)).encode()) if rules else 0


def _not_a_header(name: str) -> str:
    return _("“%(name)s” cannot be the name of a header.") % {"name": name}
