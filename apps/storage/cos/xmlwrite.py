"""Writes the XML bodies of requests. Element order is the documented one; no namespace, as COS expects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apps.storage.cos.keys import key_is_xml_safe
from apps.storage.errors import Refused

_NAME = re.compile(r"[^\W\d][\w.-]*")
_XSI = "http://www.w3.org/2001/XMLSchema-instance"

# A carriage return must be a reference: a parser turns a literal one into a line feed, which is another key.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})


def delete_body(keys: Iterable[tuple[str, str | None]], *, is_quiet: bool) -> bytes:
    """Return the body of Delete Multiple Objects for (key, version id) pairs.

    Raises Refused for a key that XML cannot express; such keys are deleted one by one.
    """
    objects = "".join(
        _tag("Object", _leaf("Key", key) + (_leaf("VersionId", version) if version else ""))
        for key, version in keys
    )
    return _tag("Delete", _leaf("Quiet", "true" if is_quiet else "false") + objects).encode()


def complete_body(parts: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the body of Complete Multipart Upload; ETags get their quotes if they have none."""
    listed = "".join(
        _tag("Part", _leaf("PartNumber", str(part["PartNumber"])) + _leaf("ETag", _quoted(str(part["ETag"]))))
        for part in parts
    )
    return _tag("CompleteMultipartUpload", listed).encode()


def acl_body(policy: Mapping[str, Any]) -> bytes:
    """Return the body of PUT ACL from `Owner` and `AccessControlList`, in the shape that GET ACL returns."""
    grants = "".join(_grant(grant) for grant in policy["AccessControlList"]["Grant"])
    owner = _tag("Owner", _leaf("ID", str(policy["Owner"]["ID"])))
    return _tag("AccessControlPolicy", owner + _tag("AccessControlList", grants)).encode()


def cors_body(rules: Sequence[Mapping[str, Any]], *, extra: Sequence[tuple[str, str]] = ()) -> bytes:
    """Return the body of PUT Bucket CORS. Rules have the documented plural fields, the wire singular ones.

    `extra`, and `Extra` in a rule, are further elements by name and text.
    """
    content = "".join(_cors_rule(rule) for rule in rules) + _further(extra)
    return _tag("CORSConfiguration", content).encode()


def tagging_body(tags: Iterable[Mapping[str, str]]) -> bytes:
    """Return the body of PUT Bucket Tagging from `Key` and `Value` mappings."""
    listed = "".join(_tag("Tag", _leaf("Key", tag["Key"]) + _leaf("Value", tag["Value"])) for tag in tags)
    return _tag("Tagging", _tag("TagSet", listed)).encode()


def _cors_rule(rule: Mapping[str, Any]) -> str:
    fields = [_leaf("ID", str(rule["ID"]))] if rule.get("ID") else []
    for singular in ("AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader"):
        values = rule.get(f"{singular}s") or rule.get(singular) or ()
        fields += [_leaf(singular, value) for value in ([values] if isinstance(values, str) else values)]
    if rule.get("MaxAgeSeconds") not in (None, ""):
        fields.append(_leaf("MaxAgeSeconds", str(rule["MaxAgeSeconds"])))
    return _tag("CORSRule", "".join(fields) + _further(rule.get("Extra", ())))


def _further(elements: Sequence[tuple[str, str]]) -> str:
    for name, _ in elements:
        if not _NAME.fullmatch(name):
            raise Refused(f"{name!r} cannot be the name of an XML element.")
    return "".join(_leaf(name, text) for name, text in elements)


def _grant(grant: Mapping[str, Any]) -> str:
    grantee = grant["Grantee"]
    name = "URI" if grantee.get("URI") else "ID"
    kind = grantee.get("Type") or ("Group" if name == "URI" else "CanonicalUser")
    who = f'<Grantee xmlns:xsi="{_XSI}" xsi:type="{_escape(kind)}">{_leaf(name, grantee[name])}</Grantee>'
    return _tag("Grant", who + _leaf("Permission", grant["Permission"]))


def _quoted(etag: str) -> str:
    return etag if etag.startswith('"') else f'"{etag}"'


def _tag(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>"


def _leaf(name: str, text: str) -> str:
    return _tag(name, _escape(text))


def _escape(text: str) -> str:
    if not key_is_xml_safe(text):
        raise Refused("A control character cannot be written in an XML request.")
    return text.translate(_ESCAPES)
