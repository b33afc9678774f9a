"""People with open pages: every page listens, a process announces, and each message's way is timed.

CPU is read from the moment at which all pages are open, because opening one is a request like any other.
"""

from __future__ import annotations

import http.client
import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from harness import procfs
from harness.processes import python

OPEN_S = 60.0
# After the last message; what has not come by then is lost.
LATEST_S = 3.0
READ_SIZE = 1 << 16


class Page:
    """One open page: the numbers that it heard of each job, and how long each message took."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.sock = socket.create_connection(("127.0.0.1", spec["port"]), timeout=OPEN_S)
        head = f"GET /jobs/events/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {spec['cookie']}"
        self.sock.sendall(f"{head}\r\nAccept: text/event-stream\r\n\r\n".encode())
        self.heard: dict[str, list[int]] = {}
        self.delays_s: list[float] = []
        self._rest = b""

    def wait_open(self) -> None:
        while b"retry:" not in self._rest:
            data = self.sock.recv(READ_SIZE)
            if not data or (b"\r\n" in data and b" 200 " not in data.split(b"\r\n")[0] and not self._rest):
                raise RuntimeError(f"no live page: {data[:200]!r}")
            self._rest += data
        self._rest = b""
        self.sock.setblocking(False)

    def read(self) -> bool:
        """Take in what has come and return whether the page is still open."""
        data = self.sock.recv(READ_SIZE)
        now = time.monotonic()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data: ") and b'"sent_at"' in line:
                message = json.loads(line[6:])
                self.delays_s.append(now - message["sent_at"])
                self.heard.setdefault(message["id"], []).append(message["number"])
        return bool(data)


def listen(pages: Sequence[Page], announcer: subprocess.Popen[str]) -> int:
    """Read all pages until a while after the last announcement; return how many were cut off."""
    selector, cut_off, until = selectors.DefaultSelector(), 0, None
    for page in pages:
        selector.register(page.sock, selectors.EVENT_READ, page)
    while until is None or time.monotonic() < until:
        if until is None and announcer.poll() is not None:
            until = time.monotonic() + LATEST_S
        for key, _ in selector.select(0.1):
            if not key.data.read():
                selector.unregister(key.fileobj)
                cut_off += 1
    return cut_off


def asked_s(spec: Mapping[str, Any]) -> float:
    """Return how long a page of the console takes while all the others are open."""
    begun = time.monotonic()
    line = http.client.HTTPConnection("127.0.0.1", spec["port"], timeout=OPEN_S)
    line.request("GET", "/jobs/tray/", headers={"Cookie": spec["cookie"]})
    response = line.getresponse()
    response.read()
    line.close()
    if response.status != 200:
        raise RuntimeError(f"{response.status} while pages are open")
    return time.monotonic() - begun


def audience(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Open the pages of a spec, have the messages announced, and return delays, losses and CPU."""
    pages = [Page(spec) for _ in range(spec["pages"])]
    for page in pages:
        page.wait_open()
    time.sleep(1.0)
    page_s = asked_s(spec)
    before = {name: procfs.cpu_s(pids) for name, pids in spec["groups"].items()}
    started = time.monotonic()
    announcer = subprocess.Popen(python("announcer"), stdin=subprocess.PIPE, text=True)
    assert announcer.stdin is not None
    with announcer.stdin as words:
        json.dump(
            {"jobs": spec["jobs"], "messages": spec["messages"], "per_second": spec["per_second"]}, words
        )
    cut_off = listen(pages, announcer)
    talk_s = time.monotonic() - started - LATEST_S
    cpu_s = {name: procfs.cpu_s(pids) - before[name] for name, pids in spec["groups"].items()}
    if announcer.returncode:
        raise RuntimeError("the announcer failed")
    delays = sorted(delay for page in pages for delay in page.delays_s)
    last = {f"job-{number % spec['jobs']}": number for number in range(spec["messages"])}
    return {
        "cores": {name: used / talk_s for name, used in cpu_s.items()},
        "p50_s": delays[len(delays) // 2],
        "p99_s": delays[len(delays) * 99 // 100],
        "worst_s": delays[-1],
        "page_s": page_s,
        "lost": len(pages) * spec["messages"] - len(delays),
        "stale": sum(
            page.heard.get(job, [-1])[-1] != number for page in pages for job, number in last.items()
        ),
        "cut_off": cut_off,
    }


def main() -> None:
    print(json.dumps(audience(json.load(sys.stdin))))


if __name__ == "__main__":
    main()
