"""Reads the store's XML by local name: the same answer has come with five namespaces, and with none."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from apps.storage.cos.documented import grantee_documented, owner_documented
from apps.storage.errors import Unavailable

Element = ET.Element

# The fullest pages have 1000 uploads or 2000 buckets, some 25 tags each, and nothing is five deep. What has
# more is not an answer, and would cost a hundred bytes of memory for each of its own.
_TAGS_MAX = 250_000
_DEPTH_MAX = 16

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


_NOT_XML = "The answer is not readable; it may come from a proxy in between."


def xml_parse(body: bytes, *roots: str) -> Element:
    """Return the root of a UTF-8 document, with namespaces cut off its tags.

    Raises Unavailable when it is not XML, or more of it than any answer has, and when its root is none of
    `roots`: a page of a proxy can be well-formed, and would read as an empty list. A document type is refused
    unread: without one, XML has no entities, so this costs nothing where a hardened parser written in Python
    takes several times longer.
    """
    xml_check(body)
    try:
        # The encoding is fixed, so that no declaration can hide a document type behind UTF-16.
        root = ET.fromstring(body.strip(), parser=ET.XMLParser(encoding="utf-8"))  # noqa: S314
    except ET.ParseError:
        raise Unavailable(_NOT_XML) from None
    if b"xmlns" in body:
        _namespaces_cut(root)
    if roots and root.tag not in roots:
        raise Unavailable(_NOT_XML)
    return root


def xml_check(body: bytes) -> None:
    """Raise Unavailable for a document that is not to be read at all: see `xml_parse`."""
    if b"<!" in body and (b"<!DOCTYPE" in body or b"<!ENTITY" in body):
        raise Unavailable("The answer carries a document type, which the store never sends.")
    # No tag is shorter than three bytes, and counting those of a page takes as long as reading a tenth of it.
    if len(body) > 3 * _TAGS_MAX and body.count(b"<") > _TAGS_MAX:
        raise Unavailable("The answer has more in it than any answer should have.")


def _namespaces_cut(root: Element) -> None:
    for element in root.iter():
        if element.tag[0] == "{":
            element.tag = element.tag.rpartition("}")[2]


def text_of(element: Element, path: str, default: str = "") -> str:
    """Return the text of the child at `path`, or `default` where it is absent or empty."""
    return element.findtext(path) or default


def record_of(element: Element, *, depth: int = 0) -> dict[str, Any]:
    """Return children by name, text or nested records. For elements that do not repeat.

    Raises Unavailable for one that is nested deeper than any answer.
    """
    if depth > _DEPTH_MAX:
        raise Unavailable("The answer is nested deeper than any answer should be.")
    return {
        child.tag: record_of(child, depth=depth + 1) if len(child) else child.text or "" for child in element
    }


def record_at(element: Element, path: str) -> dict[str, Any]:
    """Return the record of the child at `path`, empty where there is none."""
    child = element.find(path)
    return record_of(child) if child is not None else {}


def records_of(element: Element, path: str) -> list[dict[str, Any]]:
    """Return a record for each child at `path`."""
    return [record_of(child) for child in element.iterfind(path)]


def grants_of(root: Element) -> dict[str, Any]:
    """Return an AccessControlPolicy as `Owner` and `AccessControlList`, raw: no label is derived from it.

    A grantee has `Type` and `ID` or `URI`. The type is an attribute on today's wire and was a child before.
    `Unknown` names the elements that these fields leave out.
    """
    grants = []
    for grant in root.iterfind("AccessControlList/Grant"):
        grantee = grant.find("Grantee")
        fields = record_of(grantee) if grantee is not None else {}
        kind = (grantee.get(_XSI_TYPE) or grantee.get("type")) if grantee is not None else None
        if kind:
            fields["Type"] = kind
        grants.append({"Grantee": grantee_documented(fields), "Permission": text_of(grant, "Permission")})
    return {
        "Owner": owner_documented(record_at(root, "Owner")),
        "AccessControlList": {"Grant": grants},
        "Unknown": list(dict.fromkeys(_unknown_in_policy(root))),
    }


def rest_of(
    element: Element, *, texts: frozenset[str], branches: frozenset[str] = frozenset()
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return what `element` holds beside `texts` and `branches`: plain texts by name, and other names.

    The second list has what more than a text hangs on, also where a text was expected: attributes, children.
    """
    extra, unknown = [], []
    for child in element:
        if child.tag in branches:
            continue
        if len(child) or child.attrib:
            unknown.append(f"{element.tag}/{child.tag}")
        elif child.tag not in texts:
            extra.append((child.tag, child.text or ""))
    return extra, unknown


# What may hang on an element of a policy: plain texts, and elements that have children of their own.
_IN_POLICY = {
    "AccessControlPolicy": (frozenset[str](), frozenset({"Owner", "AccessControlList"})),
    "AccessControlList": (frozenset[str](), frozenset({"Grant"})),
    "Grant": (frozenset({"Permission"}), frozenset({"Grantee"})),
    "Grantee": (
        frozenset({"Type", "ID", "URI", "DisplayName", "uin", "Subacount", "Subaccount"}),
        frozenset[str](),
    ),
}


def _unknown_in_policy(element: Element) -> list[str]:
    """Return the names of what the fields of a policy leave out, from `element` down, but for its owner."""
    # A root by any other name is read as a policy, too.
    texts, branches = _IN_POLICY.get(element.tag, _IN_POLICY["AccessControlPolicy"])
    found = []
    for child in element:
        if child.tag in branches:
            found += _unknown_in_policy(child) if child.tag in _IN_POLICY else []
        elif child.tag not in texts or len(child) or child.attrib:
            found.append(f"{element.tag}/{child.tag}")
    return found


class Decoder:
    """Undoes `encoding-type=url` where the store says that it applied it, and only there.

    The element is called EncodingType, Encoding-Type or Encoding-type, depending on the operation.
    """

    def __init__(self, root: Element) -> None:
        self.encoding = next((child.text or "" for child in root if _is_encoding(child.tag)), "")
        self._is_url = self.encoding.lower() == "url"

    def text(self, value: str) -> str:
        """Return `value` decoded."""
        return unquote(value) if self._is_url and "%" in value else value

    def child(self, element: Element, name: str) -> str:
        """Return the decoded text of a child, empty when absent."""
        return self.text(element.findtext(name) or "")

    def prefixes(self, root: Element) -> list[str]:
        """Return the common prefixes of a listing, decoded."""
        return [self.text(node.text or "") for node in root.iterfind("CommonPrefixes/Prefix")]

    def records(self, root: Element, name: str) -> Iterator[dict[str, Any]]:
        """Yield a record for each child called `name`, with its `Key` decoded; raises Unavailable without."""
        for element in root.iterfind(name):
            yield self.record(element)

    def record(self, element: Element) -> dict[str, Any]:
        """Return the record of one element, with its `Key` decoded; raises Unavailable without."""
        record = record_of(element)
        key = record.get("Key")
        if not key or not isinstance(key, str):
            raise Unavailable("The answer lists something without a key.")
        record["Key"] = self.text(key)
        return record


def _is_encoding(tag: str) -> bool:
    return tag.replace("-", "").lower() == "encodingtype"
