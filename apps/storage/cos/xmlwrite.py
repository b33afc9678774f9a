"""Writes the XML bodies of requests. Element order is the documented one; no namespace, as COS expects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from apps.storage.cos.arguments import (
    PART_NUMBER_MAX,
    mapping_argument,
    method_argument,
    number_argument,
    part_number,
    permission_argument,
    records_argument,
    required_text,
    text_argument,
)
from apps.storage.cos.documented import grantee_from_documented
from apps.storage.cos.keys import key_is_xml_safe
from apps.storage.errors import Refused

# What one request may hold. Source: COS limits, 2025-12.
GRANTS_MAX = 100
CORS_RULES_MAX = 100
TAGS_MAX = 50

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


def bucket_body(zones: str) -> bytes:
    """Return the body of PUT Bucket that chooses availability zones, such as MAZ."""
    return _tag("CreateBucketConfiguration", _leaf("BucketAZConfig", zones)).encode()


def parts_argument(parts: object) -> list[tuple[str, str]]:
    """Return the number and the ETag of each part, ascending; raises Refused for anything else."""
    records = records_argument("Parts", parts, "PartNumber", "ETag", least=1, most=PART_NUMBER_MAX)
    numbers = [part_number(record["PartNumber"]) for record in records]
    for before, after in pairwise(numbers):
        if int(after) <= int(before):
            raise Refused(f"Parts must ascend; {after} follows {before}.")
    etags = [required_text("ETag", record["ETag"]) for record in records]
    return list(zip(numbers, etags, strict=True))


def complete_body(parts: Iterable[tuple[str, str]]) -> bytes:
    """Return the body of Complete Multipart Upload; ETags get their quotes if they have none."""
    listed = (
        _tag("Part", _leaf("PartNumber", number) + _leaf("ETag", _quoted(etag))) for number, etag in parts
    )
    return _tag("CompleteMultipartUpload", "".join(listed)).encode()


def acl_body(policy: object) -> bytes:
    """Return the body of PUT ACL from `Owner` and `AccessControlList`, in the shape that GET ACL returns.

    Raises Refused for what is no policy.
    """
    fields = mapping_argument("AccessControlPolicy", policy, "Owner", "AccessControlList")
    owner = grantee_from_documented(dict(mapping_argument("Owner", fields["Owner"])))
    listed = mapping_argument("AccessControlList", fields["AccessControlList"], "Grant")
    grants = records_argument("Grant", listed["Grant"], "Grantee", "Permission", most=GRANTS_MAX)
    named = _tag("Owner", _leaf("ID", required_text("The ID of Owner", owner.get("ID"))))
    body = named + _tag("AccessControlList", "".join(_grant(grant) for grant in grants))
    return _tag("AccessControlPolicy", body).encode()


def cors_body(rules: object, *, extra: object = ()) -> bytes:
    """Return the body of PUT Bucket CORS. Rules have the documented plural fields, the wire singular ones.

    `extra`, and `Extra` in a rule, are further elements by name and text. Raises Refused for what is no rule,
    and without any: that is Delete Bucket CORS.
    """
    records = records_argument("CORSRules", rules, least=1, most=CORS_RULES_MAX)
    listed = (_cors_rule(f"Entry {number} of CORSRules", rule) for number, rule in enumerate(records, 1))
    return _tag("CORSConfiguration", "".join(listed) + _further(extra)).encode()


def tagging_body(tags: object) -> bytes:
    """Return the body of PUT Bucket Tagging from `Key` and `Value` mappings; raises Refused for others."""
    records = records_argument("Tags", tags, "Key", "Value", most=TAGS_MAX)
    listed = (
        _leaf("Key", required_text("The Key of a tag", tag["Key"]))
        + _leaf("Value", text_argument("The Value of a tag", tag["Value"]))
        for tag in records
    )
    return _tag("Tagging", _tag("TagSet", "".join(_tag("Tag", tag) for tag in listed))).encode()


def _cors_rule(name: str, rule: Mapping[str, Any]) -> str:
    fields = [_leaf("ID", text_argument(f"The ID of {name}", rule["ID"]))] if rule.get("ID") else []
    for field in ("AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader"):
        fields += [_leaf(field, text) for text in _cors_texts(f"{field}s of {name}", field, rule)]
    if rule.get("MaxAgeSeconds") not in (None, ""):
        age = number_argument(f"MaxAgeSeconds of {name}", rule["MaxAgeSeconds"])
        fields.append(_leaf("MaxAgeSeconds", str(age)))
    return _tag("CORSRule", "".join(fields) + _further(rule.get("Extra", ())))


def _further(elements: object) -> str:
    if not isinstance(elements, list | tuple):
        raise Refused(f"Extra must be a list of name and text, not {type(elements).__name__}.")
    leaves = []
    for element in elements:
        name, text = element if isinstance(element, list | tuple) and len(element) == 2 else (None, None)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Refused(f"{name!r} cannot be the name of an XML element.")
        leaves.append(_leaf(name, text_argument(name, text)))
    return "".join(leaves)


def _cors_texts(name: str, field: str, rule: Mapping[str, Any]) -> list[str]:
    given = rule.get(f"{field}s") or rule.get(field) or ()
    values = [given] if isinstance(given, str) else given
    if not isinstance(values, Iterable) or isinstance(values, bytes | Mapping):
        raise Refused(f"{name} must be a list of text, not {type(given).__name__}.")
    texts = [required_text(name, value) for value in values]
    if not texts and field in ("AllowedOrigin", "AllowedMethod"):
        raise Refused(f"{name} is missing: a rule needs at least one.")
    return [method_argument(name, text) for text in texts] if field == "AllowedMethod" else texts


def _grant(grant: Mapping[str, Any]) -> str:
    grantee = grantee_from_documented(dict(mapping_argument("Grantee", grant["Grantee"])))
    name = "URI" if grantee.get("URI") else "ID"
    identity = required_text("The ID or URI of a Grantee", grantee.get(name))
    kind = grantee.get("Type") or ("Group" if name == "URI" else "CanonicalUser")
    permission = permission_argument("Permission", grant["Permission"])
    who = f'<Grantee xmlns:xsi="{_XSI}" xsi:type="{_escape(str(kind))}">{_leaf(name, identity)}</Grantee>'
    return _tag("Grant", who + _leaf("Permission", permission))


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
