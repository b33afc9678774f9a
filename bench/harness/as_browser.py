"""A browser that uploads one file: start, slices over four connections, live events until the job is done.

Where the console says so, it sends parts to the store itself, each after it has computed the part's CRC-64,
and reports them to the console, as the console's script does.
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import sys
import threading
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastcrc import crc64

from harness.sender import Clock, Piece, Sender

LOOK_AGAIN_S = 2.0
ADDRESSES_AT_ONCE = 4
ENDED = {"done", "parked", "canceled"}


class Page:
    """An open page of the console: its cookies, and the stream of live events."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._port = spec["port"]
        self._headers = {
            "Cookie": spec["cookie"],
            "X-CSRFToken": spec["csrf"],
            "Accept": "application/json",
        }
        self._states: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()

    def listen(self) -> None:
        """Open the stream of events, as every page of the console does."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        connection.request("GET", "/jobs/events/", headers=self._headers)
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"{response.status} for the live events")
        threading.Thread(target=self._follow, args=(response,), daemon=True).start()

    def _follow(self, response: http.client.HTTPResponse) -> None:
        for line in response:
            if line.startswith(b"data:"):
                message = json.loads(line[5:])
                self._states.put((message["id"], message["state"]))

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        data = json.dumps(body) if body is not None else None
        connection.request(method, path, data, {**self._headers, "Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        if response.status >= 300:
            raise RuntimeError(f"{response.status} for {path}: {answer[:500]!r}")
        result: dict[str, Any] = json.loads(answer)
        return result

    def submit(self, path: str, fields: Mapping[str, str]) -> str:
        """Send a form and return where it leads. Raises RuntimeError when it is shown again."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        headers = {
            **self._headers,
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "text/html",
        }
        connection.request("POST", path, urlencode(fields), headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        if response.status != 302:
            raise RuntimeError(f"{response.status} for {path}: {answer[-2000:]!r}")
        return response.headers["Location"]

    def wait_done(self, started: Mapping[str, Any]) -> None:
        """Wait until the job has ended; a message may be lost, so the page looks itself now and then."""
        while True:
            try:
                job, state = self._states.get(timeout=LOOK_AGAIN_S)
            except queue.Empty:
                job, state = started["job"], self.ask("GET", started["state_url"])["state"]
            if job != started["job"] or state not in ENDED:
                continue
            if state != "done":
                raise RuntimeError(f"the job is {state}: {self.ask('GET', started['state_url'])}")
            return


def slices_of(started: Mapping[str, Any], size: int) -> list[Piece]:
    """Return the slices that the console asked for."""
    part_size = started["part_size"]
    return [
        Piece(f"{started['slice_url']}{number + 1}", number * part_size, _length(number, part_size, size))
        for number in range(started["parts"])
    ]


def _length(number: int, part_size: int, size: int) -> int:
    return min(part_size, size - number * part_size)


class DirectParts:
    """What a page knows of an upload that goes straight to the store."""

    def __init__(self, page: Page, started: Mapping[str, Any], file: Path) -> None:
        self._page = page
        self._started = started
        self._file = os.open(file, os.O_RDONLY)
        self._lock = threading.Lock()
        self._addresses: dict[int, str] = {}
        self._digests: dict[int, int] = {}

    def _number(self, piece: Piece) -> int:
        return int(piece.offset // self._started["part_size"]) + 1

    def aim(self, piece: Piece) -> Piece:
        """Return the piece with a presigned address; addresses are asked for a few at a time."""
        number = self._number(piece)
        self._digests[number] = crc64.xz(os.pread(self._file, piece.length, piece.offset))
        with self._lock:
            if number not in self._addresses:
                last = min(number + ADDRESSES_AT_ONCE, self._started["parts"] + 1)
                answer = self._tell("addresses", {"numbers": list(range(number, last))})
                self._addresses |= {int(name): url for name, url in answer["addresses"].items()}
        url = urlsplit(self._addresses[number])
        return Piece(f"{url.path}?{url.query}", piece.offset, piece.length)

    def report(self, piece: Piece, headers: Message) -> None:
        number = self._number(piece)
        crc = str(self._digests[number])
        if headers["x-cos-hash-crc64ecma"] != crc:
            raise RuntimeError(f"part {number} arrived changed")
        part = {"number": number, "size": piece.length, "etag": headers["ETag"], "crc64": crc}
        self._tell("parts", {"parts": [part]})

    def _tell(self, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._page.ask("POST", f"{self._started['state_url']}{what}/", body)


def sender_for(page: Page, started: Mapping[str, Any], spec: Mapping[str, Any]) -> Sender:
    """Return what sends the pieces: slices to the console, or parts to the store."""
    file, speed = Path(spec["file"]), spec.get("bytes_per_second", 0.0)
    if started["path"] == "console":
        return Sender(port=spec["port"], file=file, bytes_per_second=speed)
    parts = DirectParts(page, started, file)
    return Sender(
        port=spec["store_port"],
        file=file,
        headers={"Host": spec["store_host"]},
        bytes_per_second=speed,
        aim=parts.aim,
        on_stored=parts.report,
    )


def upload(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Upload the file of a spec and return what it cost this process."""
    file = Path(spec["file"])
    size = file.stat().st_size
    page = Page(spec)
    page.listen()
    clock = Clock()
    wanted = {"key": spec["key"], "size": size, "type": "application/octet-stream", "replace": True}
    started = page.ask("POST", f"/b/{spec['connection']}/{spec['bucket']}/uploads/", wanted)
    if started["path"] != spec.get("path", "console"):
        raise RuntimeError(f"the console chose the path {started['path']!r}")
    sender = sender_for(page, started, spec)
    sender.send(slices_of(started, size), connections=spec.get("connections", 4))
    sent = clock.result()["wall_s"]
    page.wait_done(started)
    return clock.result(held_back=sender.held_back, sent_s=sent, parts=started["parts"])


def main() -> None:
    print(json.dumps(upload(json.load(sys.stdin))))


if __name__ == "__main__":
    main()
