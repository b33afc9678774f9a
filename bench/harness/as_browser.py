"""A browser that uploads one file: start, slices over four connections, live events until the job is done."""

from __future__ import annotations

import http.client
import json
import queue
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.sender import Clock, Piece, Sender

LOOK_AGAIN_S = 2.0
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


def upload(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Upload the file of a spec and return what it cost this process."""
    file = Path(spec["file"])
    size = file.stat().st_size
    page = Page(spec)
    page.listen()
    sender = Sender(port=spec["port"], file=file, bytes_per_second=spec.get("bytes_per_second", 0.0))
    clock = Clock()
    wanted = {"key": spec["key"], "size": size, "type": "application/octet-stream", "replace": True}
    started = page.ask("POST", f"/b/{spec['connection']}/{spec['bucket']}/uploads/", wanted)
    sender.send(slices_of(started, size), connections=spec.get("connections", 4))
    sent = clock.result()["wall_s"]
    page.wait_done(started)
    return clock.result(held_back=sender.held_back, sent_s=sent, parts=started["parts"])


def main() -> None:
    print(json.dumps(upload(json.load(sys.stdin))))


if __name__ == "__main__":
    main()
