"""Forms of grants as a browser would send them, read off the page that was shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

from django.test import Client

_INPUT = re.compile(r"<input\b[^>]*>")
_SELECT = re.compile(r'<select\b[^>]*name="([^"]+)"[^>]*>(.*?)</select>', re.S)
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')


def fields_of(page: str) -> dict[str, str]:
    """Return the fields of the editor's form with the values that the page gives them."""
    start = max(page.find('class="card access-form"'), page.find('class="access-review'), 0)
    form = page[start : page.index("</form>", start)]
    fields: dict[str, str] = {}
    for tag in _INPUT.findall(form):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if attributes.get("type") in ("radio", "checkbox") and " checked" not in tag:
            continue
        if "name" in attributes:
            fields[attributes["name"]] = unescape(attributes.get("value", ""))
    for name, options in _SELECT.findall(form):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        fields[name] = unescape(chosen[1]) if chosen else ""
    return fields


def left(fields: Mapping[str, str], *rows: Mapping[str, str], choice: str = "named") -> dict[str, str]:
    """Return a form with other rows than it came with, and another choice."""
    kept = {name: value for name, value in fields.items() if not name.startswith("grant-")}
    table = {f"grant-{index}-{name}": value for index, row in enumerate(rows) for name, value in row.items()}
    count = {"grant-TOTAL_FORMS": str(len(rows)), "grant-INITIAL_FORMS": "0"}
    return {**kept, **count, **table, "choice": choice}


def row(kind: str, permission: str = "READ", account: str = "", sub_account: str = "") -> dict[str, str]:
    return {"kind": kind, "permission": permission, "account": account, "sub_account": sub_account}


def opened(client: Client, url: str) -> dict[str, str]:
    """Return the form of the page at `url`, as it is shown now."""
    return fields_of(client.get(url).text)
