"""Bucket tags: their limits, their XML and their header."""

from __future__ import annotations

import unicodedata
from xml.etree.ElementTree import Element

from apps.localstore.errors import StoreError
from apps.localstore.markup import child, children, document, leaf, node, parse, text_of
from apps.localstore.records import Fields
from apps.localstore.request import parse_query

TAGS_LIMIT = 50
KEY_LIMIT = 128
VALUE_LIMIT = 256
RESERVED = ("qcs:", "project", "项目")


def tags_checked(tags: Fields) -> Fields:
    """Return the tags. Raises InvalidTag on a limit, a repeated key or a character out of the set."""
    keys = [key for key, _ in tags]
    if len(tags) > TAGS_LIMIT or len(set(keys)) != len(keys):
        raise StoreError("InvalidTag", "A tag set has up to 50 tags with different keys.")
    for key, value in tags:
        if not 0 < len(key) <= KEY_LIMIT or len(value) > VALUE_LIMIT or not _is_plain(key + value):
            raise StoreError("InvalidTag")
        if key.startswith(RESERVED):
            raise StoreError("InvalidTag", "The tag key is reserved.")
    return tags


def _is_plain(text: str) -> bool:
    return all(c in " +-=._:/@" or unicodedata.category(c)[0] in "LNM" for c in text)


def tags_parse(body: bytes) -> Fields:
    """Return the tags of a Tagging document. Raises MalformedXML or InvalidTag."""
    tag_set = child(parse(body, "Tagging"), "TagSet")
    if tag_set is None:
        raise StoreError("MalformedXML")
    return tags_checked(tuple(_tag(element) for element in children(tag_set, "Tag")))


def _tag(element: Element) -> tuple[str, str]:
    if child(element, "Key") is None:
        raise StoreError("MalformedXML")
    return text_of(element, "Key"), text_of(element, "Value")


def tags_of_header(value: str) -> Fields:
    """Return the tags of `x-cos-tagging: k1=v1&k2=v2`, whose parts are url-encoded."""
    return tags_checked(tuple(parse_query(value)))


def tags_document(tags: Fields) -> bytes:
    """Return the Tagging document."""
    rows = [node("Tag", leaf("Key", key), leaf("Value", value)) for key, value in tags]
    return document(node("Tagging", node("TagSet", *rows)), declared=False)
