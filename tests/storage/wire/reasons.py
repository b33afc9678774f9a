"""Why requests differ, where they do: the differences that several operations have."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

from tests.storage.wire.facts import Differ

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def decoded(query: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the parameters that a raw query means, whatever their order."""
    pairs = (pair.partition("=") for pair in query)
    return sorted((unquote_plus(name), unquote_plus(value)) for name, _, value in pairs)


def by_tag(tree: Any) -> Any:
    """Return an XML tree whose children are sorted by name; those of one name stay in their order."""
    tag, attributes, text, children = tree
    return tag, attributes, text, sorted(map(by_tag, children), key=lambda child: str(child[0]))


def types_as_children(tree: Any) -> Any:
    """Return an XML tree that says `<Type>` where it said `xsi:type`."""
    tag, attributes, text, children = tree
    types = [("Type", {}, attributes[_XSI_TYPE], [])] if _XSI_TYPE in attributes else []
    return tag, {}, text, [*types, *map(types_as_children, children)]


# Whatever the operation. None of these is signed, and the store does nothing with them.
PYTHON_ALWAYS = {
    "header user-agent": Differ("each says who it is", "cos-console", "cos-python-sdk-v5.1.9.44"),
    "header accept-encoding": Differ(
        "we want the bytes as they are stored, never compressed on the way", None, "gzip, deflate"
    ),
    "header connection": Differ("HTTP/1.1 keeps connections anyway", None, "keep-alive"),
}
NODE_ALWAYS = {
    "header user-agent": Differ("each says who it is", "cos-console", "cos-nodejs-sdk-v5-3.0.0"),
    "header accept": Differ("libcurl and the Python SDK send it, node does not", "*/*", None),
    "header connection": Differ("HTTP/1.1 keeps connections anyway", None, "keep-alive"),
}

BARE_NAME = {
    "query": Differ("we write ?acl as the documentation does, both SDKs write ?acl=", after=decoded),
}
BLANKS = {"query": Differ("we write a blank as %20, as it is signed; the SDK writes a plus", after=decoded)}
ORDER = {"query": Differ("the order is free: the signature sorts the parameters", after=decoded)}
NO_LENGTH = {
    "header content-length": Differ(
        "a DELETE or HEAD without a body needs no length; the SDK sends and signs 0",
        None,
        "of the body (signed)",
    )
}
WITH_DIGEST = {
    "header content-type": Differ(
        "the documentation demands the type and the MD5 of XML bodies; the SDK leaves both out here",
        "application/xml (signed)",
        None,
    ),
    "header content-md5": Differ("as for the type", "of the body (signed)", None),
}
GRANTEE_TYPE = {
    "body": Differ(
        "the published XML has the grantee's type as xsi:type, the SDKs send a child", after=types_as_children
    )
}
CHILD_ORDER = {"body": Differ("we write the children in the documented order", after=by_tag)}
NO_SHA1 = {
    "header x-cos-content-sha1": Differ(
        "the SDK has no argument for it", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12 (signed)", None
    )
}
EMPTY_CACHE_CONTROL = {
    "header cache-control": Differ(
        "the SDK sends it empty, so that no proxy adds one; an empty header means an absent one", None, ""
    )
}
EMPTY_HEADERS = {
    **EMPTY_CACHE_CONTROL,
    "header content-type": Differ("sent empty, which means absent, too", None, ""),
}
