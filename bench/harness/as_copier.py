"""A browser that has the console copy an object, and listens until the job is done."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from harness.as_browser import Page
from harness.sender import Clock

JOB = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def copy(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Have `source` copied to `key` in the same bucket and return what it cost this process."""
    page = Page(spec)
    page.listen()
    clock = Clock()
    path = f"/b/{spec['connection']}/{spec['bucket']}/object/copy/?key={spec['source']}"
    location = page.submit(path, {"bucket": spec["bucket"], "key": spec["key"]})
    found = JOB.search(location)
    if found is None:
        raise RuntimeError(f"no job was started: {location!r}")
    page.wait_done({"job": found[0], "state_url": f"/transfers/{found[0]}/"})
    return clock.result()


def main() -> None:
    print(json.dumps(copy(json.load(sys.stdin))))


if __name__ == "__main__":
    main()
