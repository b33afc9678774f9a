"""A request taken apart into facts, so that two requests differ in a list of names and not in a blob."""

from __future__ import annotations

import base64
import hashlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.storage.recorder import Seen

Facts = dict[str, Any]
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Differ:
    """One listed difference: what we send, what they send, and why ours is right.

    Where the values are long, `after` is what makes them equal: it is applied to both.
    """

    because: str
    ours: Any = None
    theirs: Any = None
    after: Callable[[Any], Any] | None = None

    def holds(self, pair: Pair) -> bool:
        """Return whether the difference is still there, and is the one that was described."""
        if self.after is None:
            return pair == (self.ours, self.theirs)
        return bool(pair[0] != pair[1] and self.after(pair[0]) == self.after(pair[1]))


def facts_of(seen: Seen) -> Facts:
    """Return what matters of a request: raw target, every header and whether it is signed, the body.

    The digest and the length of a body are checked here, because bodies that mean the same may be written
    differently.
    """
    path, _, query = seen.target.partition("?")
    signed = set(filter(None, seen.authorization.get("q-header-list", "").split(";")))
    headers = {
        f"header {name}": _header(name, value, seen.body, is_signed=name in signed)
        for name, value in seen.headers.items()
        if name != "authorization"
    }
    return {
        "method": seen.method,
        "path": path,
        "query": tuple(query.split("&")) if query else (),
        "is signed": bool(seen.headers.get("authorization")),
        "signed parameters": seen.authorization.get("q-url-param-list"),
        "signed but absent": tuple(sorted(signed - seen.headers.keys())),
        "body": _body(seen.body),
        **headers,
    }


def differences(ours: Facts, theirs: Facts) -> dict[str, Pair]:
    """Return (ours, theirs) for each fact that is not equal; None stands for absent."""
    names = [*ours, *(name for name in theirs if name not in ours)]
    pairs = {name: (ours.get(name), theirs.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def unexplained(found: Mapping[str, Pair], *listed: Mapping[str, Differ]) -> dict[str, Any]:
    """Return the differences that no list explains, and the explanations that nothing needs (with None)."""
    reasons = {name: reason for each in listed for name, reason in each.items()}
    surprises: dict[str, Any] = {
        name: pair for name, pair in found.items() if name not in reasons or not reasons[name].holds(pair)
    }
    return {**surprises, **{name: None for name in reasons if name not in found}}


def given(seen: Seen) -> dict[str, str]:
    """Return the decoded parameters that have a value."""
    return {name: value for name, value in seen.query.items() if value}


def _header(name: str, value: str, body: bytes, *, is_signed: bool) -> str:
    if name == "content-length" and value == str(len(body)):
        value = "of the body"
    if name == "content-md5" and value == base64.b64encode(hashlib.md5(body).digest()).decode():
        value = "of the body"
    return f"{value} (signed)" if is_signed else value


def _body(body: bytes) -> Any:
    return _tree(ET.fromstring(body)) if body.startswith(b"<") else body


def _tree(node: ET.Element) -> Any:
    text = (node.text or "").strip() if len(node) else node.text or ""
    return (re.sub("{.*}", "", node.tag), dict(node.attrib), text, [_tree(child) for child in node])
