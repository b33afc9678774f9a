"""Building and reading the small XML documents of the protocol."""

from __future__ import annotations

import re
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

from apps.localstore.errors import StoreError

DECLARATION = "<?xml version='1.0' encoding='utf-8' ?>\n"
# The results that may be streamed have another one.
RESULT_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
ILLEGAL = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ud800-\\udfff\\ufffe\\uffff]")
BODY_LIMIT = 2 * 1024 * 1024


def well_formed(text: str) -> str:
    """Return text with the characters that XML cannot hold percent-encoded.

    Keys may hold them. Lists have an encoding for that; single names do not.
    """
    return ILLEGAL.sub(lambda match: quote(match[0], errors="surrogateescape"), text)


def leaf(name: str, value: object) -> str:
    """Return one element holding escaped text; booleans become `true` and `false`."""
    if isinstance(value, bool):
        value = "true" if value else "false"
    text = escape(str(value), {'"': "&quot;", "\r": "&#13;"})
    return f"<{name}>{text}</{name}>" if text else f"<{name}/>"


def node(name: str, *parts: str, attributes: str = "") -> str:
    """Return one element around parts that are XML already."""
    inner = "".join(parts)
    return f"<{name}{attributes}>{inner}</{name}>" if inner else f"<{name}{attributes}/>"


def document(xml: str, *, declared: bool = True) -> bytes:
    """Return the bytes of a whole document.

    Some operations of the live service send a declaration and some do not.
    """
    return ((DECLARATION if declared else "") + xml).encode("utf-8", "surrogateescape")


def result_document(xml: str) -> bytes:
    """Return the bytes of the result of a copy or a complete."""
    return RESULT_DECLARATION.encode() + document(xml, declared=False)


def undeclared(body: bytes) -> bytes:
    """Return a document without its declaration, whichever it has."""
    start = body.find(b"?>") + 2 if body.startswith(b"<?xml") else 0
    return body[start:].lstrip()


def local_name(element: Element) -> str:
    """Return the tag without its namespace: clients in the field send several."""
    return str(element.tag).rpartition("}")[2]


def parse(body: bytes, root: str) -> Element:
    """Return the root element, which must be called `root`.

    Raises MissingRequestBodyError or MalformedXML. Document type definitions
    and entities are refused before they are expanded.
    """
    if not body.strip():
        raise StoreError("MissingRequestBodyError")
    try:
        element: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise StoreError("MalformedXML") from error
    if local_name(element) != root:
        raise StoreError("MalformedXML")
    return element


def children(element: Element, name: str) -> list[Element]:
    """Return the direct children with this local name, in order."""
    return [child for child in element if local_name(child) == name]


def child(element: Element, name: str) -> Element | None:
    """Return the first direct child with this local name."""
    return next(iter(children(element, name)), None)


def text_of(element: Element, name: str) -> str:
    """Return the text of the first such child, or an empty string."""
    found = child(element, name)
    return "" if found is None else (found.text or "")
