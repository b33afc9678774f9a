"""A process that asks for one page again and again: of the console, or of the store with the SDK."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from harness.as_sdk import sdk_open
from harness.sender import Clock


def console_reader(spec: Mapping[str, Any]) -> Callable[[], int]:
    """Return a call that fetches a page of the console over a kept connection and returns its rows."""
    line = http.client.HTTPConnection("127.0.0.1", spec["port"], timeout=60)
    headers = {"Cookie": spec["cookie"], "Accept": "text/html"}

    def read() -> int:
        line.request("GET", spec["target"], headers=headers)
        answer = line.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise AssertionError(f"the page was answered with {answer.status}")
        return body.count(b'<td class="c-pick">')

    return read


def sdk_reader(spec: Mapping[str, Any]) -> Callable[[], int]:
    """Return a call that lists the same page with the official SDK and returns its lines."""
    client, wanted = sdk_open(spec["store"]), spec["page"]

    def read() -> int:
        page = client.list_objects(**wanted)
        return len(page.get("Contents", [])) + len(page.get("CommonPrefixes", []))

    return read


def main() -> None:
    """Read a page `count` times, once before for nothing, and print what it took and the rows found."""
    spec = json.load(sys.stdin)
    read = (sdk_reader if spec["client"] == "sdk" else console_reader)(spec)
    rows = read()
    clock = Clock()
    found = {read() for _ in range(spec["count"])}
    print(json.dumps(clock.result(rows=sorted(found | {rows}))))


if __name__ == "__main__":
    main()
