"""What several people or pages do at once: many small files, one key for two, somebody else's upload."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any
from urllib.parse import quote

from apps.storage.digest import crc64_update
from tests.chaos.console import BUCKET, CONNECTION
from tests.chaos.deeds import PLACE, Deed, Upload, read, require_headers, require_same
from tests.chaos.pace import MIB
from tests.chaos.person import LOOK_EVERY_S, PATIENCE_S, Answer, Stuck


class Pack(Deed):
    """Many small files in one batch: several in a request, and by itself what is not taken."""

    def prepare(self) -> None:
        self.files = {
            f"{self.prefix}/small/{number} ü.txt": self.dice.randbytes(self.dice.choice((0, 1, 900, 40_000)))
            for number in range(self.dice.randint(2, 30))
        }
        self.pauses = self.dice.random() < 0.2
        self.cancels = self.dice.random() < 0.15
        self.state = ""

    def run(self) -> None:
        size = sum(map(len, self.files.values()))
        batch = {"prefix": f"{self.prefix}/", "files": len(self.files), "bytes": size}
        path = f"{PLACE}/uploads/start/"
        answer = self.person.insist(lambda: self.person.post(path, batch, as_json=True), why="No batch")
        if answer.status != 201:
            raise Stuck(f"The batch was refused: {answer.status} {answer.body[:300]!r}")
        self.job = answer.json()["parent"]
        self.jobs.append(self.job)
        self.note(f"{len(self.files)} files of {size} bytes are job {self.job}")
        left = self._packed(answer.json()["pack_url"], dict(self.files))
        for key in left:
            self._sent_alone(key)
        self._close(answer.json()["state_url"])
        self.state = self.person.wait_for_end(self.job, while_waiting=lambda row: self._mind(row["state"]))
        self.note(f"{len(self.files)} files are {self.state}")

    def _packed(self, url: str, left: dict[str, bytes]) -> list[str]:
        """Send packs until the console has taken each file, or wants it sent by itself."""
        until = time.monotonic() + PATIENCE_S
        while left and time.monotonic() < until:
            some = dict(list(left.items())[:10])
            listed = [
                {"key": key, "size": len(content), "type": "text/x-small"} for key, content in some.items()
            ]
            body = json.dumps({"files": listed}).encode() + b"\n" + b"".join(some.values())
            answer = self.person.ask("POST", url, body, **{"X-CSRFToken": self.person.csrf})
            taken = answer.json().get("taken") if answer.status == 200 else None
            if answer.status == 410:
                return []
            if not taken:
                self._mind(self.person.state_of(self.job)["state"])
                time.sleep(LOOK_EVERY_S)
                continue
            for key in some:
                del left[key]
            left_alone = [key for key, is_taken in zip(some, taken, strict=True) if not is_taken]
            for key in left_alone:
                self._sent_alone(key)
        return list(left)

    def _sent_alone(self, key: str) -> None:
        """Send a file as any other; what is there already came with a pack whose answer was lost."""
        wanted = {"key": key, "size": len(self.files[key]), "type": "text/x-small", "parent": self.job}
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            answer = self.person.post(f"{PLACE}/uploads/", wanted, as_json=True)
            if answer.status == 201:
                self.person.slice_put(f"{answer.json()['slice_url']}1", self.files[key])
                return
            if answer.status in {409, 410}:
                return
            self._mind(self.person.state_of(self.job)["state"])
            time.sleep(LOOK_EVERY_S)
        raise Stuck(f"{key} was not begun: {answer.status} {answer.body[:300]!r}")

    def _close(self, url: str) -> None:
        said = {"skipped": 0, "skipped_bytes": 0, "is_closed": True}
        self.person.insist(lambda: self.person.post(url, said, as_json=True), why="The batch is not closed")

    def _mind(self, state: str) -> None:
        self._send_what_waits()
        if self.cancels:
            self.person.press(self.job, "cancel")
        elif self.pauses and state == "running":
            self.pauses = False
            self.person.press(self.job, "pause")
        elif state == "paused":
            self.person.press(self.job, "resume")

    def _send_what_waits(self) -> None:
        """Send again what the console has not: its row stood before its bytes came."""
        rows = self.person.console.rows(
            "SELECT t.key, t.job_id FROM transfers_transfer t JOIN jobs_job j ON j.id = t.job_id "
            "LEFT JOIN transfers_transferpart p ON p.transfer_id = t.id "
            "WHERE j.parent_id = ? AND j.state IN ('queued', 'running') AND p.id IS NULL",
            self.job.replace("-", ""),
        )
        for row in rows:
            text = row["job_id"]
            job = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
            now = self.person.ask("GET", f"/transfers/{job}/").json()
            if "slice_url" in now and not now["received"]:
                self.person.slice_put(f"{now['slice_url']}1", self.files[row["key"]])

    def verify(self) -> None:
        for key, content in self.files.items():
            if self.state == "canceled" and read(self.ground.own, key) is None:
                continue
            require_same(self.ground.own, key, content)
            require_headers(self.ground.own, key, content_type="text/x-small")


class Rival(Upload):
    """One of two uploads to a key that nobody said may be replaced."""

    gives_up_at = "TargetTaken"

    def prepare_for(self, key: str) -> None:
        self.prepare()
        self.key, self.old, self.pauses, self.cancels = key, None, False, False

    def _asked(self, wanted: dict[str, Any]) -> Answer:
        # Whatever waits for a file of this key may be the other one's.
        return self.person.post(f"{PLACE}/uploads/", wanted, as_json=True)

    def run(self) -> None:
        try:
            super().run()
        except Stuck as refused:
            if "The upload was refused: 409" not in str(refused):
                raise
            self.state = "refused"


class Rivals(Deed):
    """Two people send different files to one key at once: one of them wins, and knows it."""

    def prepare(self) -> None:
        own = [Random(self.dice.random()) for _ in range(2)]
        self.both = [
            Rival(self.person, self.ground, dice, f"{self.prefix}/rival {number}")
            for number, dice in enumerate(own)
        ]
        for rival in self.both:
            rival.prepare_for(f"{self.prefix}/one key")
            rival.old = None
        self.both[1].content = self.both[0].content[:-1] + b"other"

    def run(self) -> None:
        with ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(rival.run) for rival in self.both]:
                future.result()
        self.jobs += [job for rival in self.both for job in rival.jobs]
        self.log += [line for rival in self.both for line in rival.log]

    def verify(self) -> None:
        done = [rival for rival in self.both if rival.state == "done"]
        if len(done) != 1:
            raise Stuck(f"Of two who sent one key these were done: {[rival.state for rival in self.both]}")
        require_same(self.ground.own, self.both[0].key, done[0].content)


class Adoption(Upload):
    """Somebody's upload with some parts that another program left, continued with its file."""

    def prepare(self) -> None:
        super().prepare()
        self.content, self.has_options = self.dice.randbytes(3 * MIB + 77), False
        place = self.place
        begun = place.client.multipart_init(**place.at, Key=self.key, ContentType="application/x-chaos")
        self.upload_id = begun["UploadId"]
        self.there = self.dice.sample((1, 2, 3), self.dice.randint(1, 3))
        for number in self.there:
            place.client.multipart_upload(
                **place.at,
                Key=self.key,
                UploadId=self.upload_id,
                PartNumber=number,
                Body=self.content[(number - 1) * MIB : number * MIB],
            )

    def _asked(self, wanted: dict[str, Any]) -> Answer:
        # Part numbers and sizes decide what is asked for again; each was compared with the file.
        compared = {
            str(number): str(crc64_update(self.content[(number - 1) * MIB : number * MIB]))
            for number in self.there
        }
        path = f"/b/{CONNECTION}/{BUCKET}/unfinished/continue/?key={quote(self.key)}&upload={self.upload_id}"
        answer = self.person.post(path, {"size": len(self.content), "compared": compared}, as_json=True)
        job = self.job_of(self.key)
        if answer.status == 201 or job is None:
            return answer
        found = self.person.ask("GET", f"/transfers/{job}/")
        # The answer to an earlier attempt was lost: the upload is a job of this person already.
        return Answer(201, found.headers, found.body) if found.status == 200 else Answer(0)
