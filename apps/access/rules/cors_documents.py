"""CORS rules as text: the XML that a store keeps, and JSON with the documented names, both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]
from django.utils.translation import gettext as _

from apps.storage.cors import Cors, CorsRule

# By the name on the wire: the field of a rule. The documented arguments are the plurals of these.
_LISTS = {
    "AllowedOrigin": "origins",
    "AllowedMethod": "methods",
    "AllowedHeader": "allowed_headers",
    "ExposeHeader": "exposed_headers",
}
_TEXT_MAX = 1 << 20


class NotRules(ValueError):
    """The text is no CORS configuration; the message says where it stops being one."""


def cors_xml(cors: Cors) -> str:
    """Return the document as it is sent to a store, without line breaks."""
    rules = "".join(_leaf("CORSRule", _rule_xml(rule), is_text=False) for rule in cors.rules)
    return _leaf("CORSConfiguration", rules + _extras_xml(cors.extras), is_text=False)


def cors_xml_shown(cors: Cors) -> str:
    """Return the document with a line for each element, for people."""
    lines = cors_xml(cors).replace("><", ">\n<").split("\n")
    depth, shown = 0, []
    for line in lines:
        depth -= line.startswith("</")
        shown.append("  " * depth + line)
        depth += not line.startswith("</") and "</" not in line
    return "\n".join(shown)


def cors_record(cors: Cors) -> dict[str, Any]:
    """Return the rules as JSON data, with the names of the documented arguments."""
    record: dict[str, Any] = {"CORSRules": [_rule_record(rule) for rule in cors.rules]}
    if cors.extras:
        record["Extra"] = [list(pair) for pair in cors.extras]
    return record


def cors_json(cors: Cors) -> str:
    """Return the rules as JSON text, for people."""
    return json.dumps(cors_record(cors), ensure_ascii=False, indent=2)


def cors_read(text: str) -> Cors:
    """Return the rules in a text of either kind; raises NotRules with a sentence."""
    text = text.strip()
    if len(text) > _TEXT_MAX:
        raise NotRules(_("This is far more than a bucket can hold."))
    return _xml_read(text) if text.startswith("<") else record_read(_json_read(text))


def record_read(record: object) -> Cors:
    """Return the rules in JSON data: a list of rules, or an object with CORSRules; raises NotRules."""
    extras: object = ()
    if isinstance(record, Mapping):
        extras = record.get("Extra", ())
        record = record.get("CORSRules", record.get("CORSRule"))
    if not isinstance(record, list):
        raise NotRules(_("A list of rules is expected, or an object with CORSRules."))
    rules = tuple(_rule_read(number, one) for number, one in enumerate(record, 1))
    return Cors(rules=rules, extras=_extras_read(extras))


def is_whole(text: str) -> bool:
    """Tell whether a text can be sent: JSON may hold one half of a surrogate pair, which nothing encodes."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _json_read(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NotRules(_("This is neither JSON nor XML.")) from None


def _rule_read(number: int, record: object) -> CorsRule:
    if not isinstance(record, Mapping):
        raise NotRules(_("Rule %(number)s is not an object.") % {"number": number})
    lists = {field: _texts(number, name, record) for name, field in _LISTS.items()}
    return CorsRule(
        **lists,
        max_age_s=_age_read(number, record.get("MaxAgeSeconds")),
        id=_text(number, "ID", record.get("ID") or ""),
        extras=_extras_read(record.get("Extra", ())),
    )


def _texts(number: int, name: str, record: Mapping[str, Any]) -> tuple[str, ...]:
    given = record.get(f"{name}s", record.get(name, ()))
    values = [given] if isinstance(given, str) else given
    if not isinstance(values, list | tuple):
        raise NotRules(_wrong(number, name))
    return tuple(_text(number, name, value).strip() for value in values)


def _text(number: int, name: str, value: object) -> str:
    if not isinstance(value, str) or not is_whole(value):
        raise NotRules(_wrong(number, name))
    return value


def _age_read(number: int, value: object) -> int | None:
    if value is None or value == "":
        return None
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise NotRules(_wrong(number, "MaxAgeSeconds"))
    return int(text)


def _extras_read(value: object) -> tuple[tuple[str, str], ...]:
    pairs = []
    for pair in value if isinstance(value, list | tuple) else [None]:
        match pair:
            case [str(name), str(text)] if is_whole(name) and is_whole(text):
                pairs.append((name, text))
            case _other:
                raise NotRules(_("Extra must be a list of pairs of text."))
    return tuple(pairs)


def _wrong(number: int, name: str) -> str:
    return _("%(name)s of rule %(number)s cannot be read.") % {"name": name, "number": number}


def _xml_read(text: str) -> Cors:
    try:
        root = fromstring(text)
    except (ParseError, DefusedXmlException, ValueError):
        raise NotRules(_("This XML cannot be read.")) from None
    if _local(root) != "CORSConfiguration":
        raise NotRules(_("The XML must begin with CORSConfiguration."))
    rules = [_rule_of(node) for node in root if _local(node) == "CORSRule"]
    return record_read(rules)


def _rule_of(node: Element) -> dict[str, Any]:
    record: dict[str, Any] = {name: [] for name in _LISTS} | {"Extra": []}
    for child in node:
        name, text = _local(child), (child.text or "").strip()
        if name in _LISTS:
            record[name].append(text)
        elif name in ("ID", "MaxAgeSeconds"):
            record[name] = text
        else:
            record["Extra"].append([name, text])
    return record


def _local(node: Element) -> str:
    return str(node.tag).rpartition("}")[2]


def _rule_record(rule: CorsRule) -> dict[str, Any]:
    record: dict[str, Any] = {"ID": rule.id} if rule.id else {}
    record |= {f"{name}s": list(getattr(rule, field)) for name, field in _LISTS.items()}
    if rule.max_age_s is not None:
        record["MaxAgeSeconds"] = rule.max_age_s
    if rule.extras:
        record["Extra"] = [list(pair) for pair in rule.extras]
    return record


def _rule_xml(rule: CorsRule) -> str:
    parts = [_leaf("ID", rule.id)] if rule.id else []
    for name, field in _LISTS.items():
        parts += [_leaf(name, value) for value in getattr(rule, field)]
    if rule.max_age_s is not None:
        parts.append(_leaf("MaxAgeSeconds", str(rule.max_age_s)))
    return "".join(parts) + _extras_xml(rule.extras)


def _extras_xml(extras: tuple[tuple[str, str], ...]) -> str:
    return "".join(_leaf(name, text) for name, text in extras)


def _leaf(name: str, content: str, *, is_text: bool = True) -> str:
    inner = escape(content, {'"': "&quot;", "\r": "&#13;"}) if is_text else content
    return f"<{name}>{inner}</{name}>"
