"""What people do while everything breaks. Each deed has its own dice: threads cannot mix them up."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import quote

from apps.storage.digest import crc64_update
from apps.storage.errors import ObjectNotFound
from tests.chaos.console import BUCKET, CONNECTION
from tests.chaos.ground import Ground, Place
from tests.chaos.pace import MIB
from tests.chaos.person import LOOK_EVERY_S, PATIENCE_S, Answer, Person, Stuck

SIZES = (0, 1, 70_000, MIB, MIB + 1, 2 * MIB, 3 * MIB + 500_000, 5 * MIB)
WRITTEN_BY = ("PutObject", "CopyObject", "CompleteMultipartUpload")
STRANGERS = "groups/global/AllUsers"
# What a person chooses on the sheet: all that the store keeps of it is compared in the end.
OPTIONS = {
    "cache_control": "max-age=9",
    "content_language": "zh-CN",
    "metadata": "team: blue",
    "acl": "public-read",
    "public": "public",
}
PLACE = f"/b/{CONNECTION}/{BUCKET}"


def content_of(dice: Random, *, largest: int = 5 * MIB) -> bytes:
    return dice.randbytes(dice.choice([size for size in SIZES if size <= largest]))


@dataclass
class Deed:
    """Something that one person does to keys that nobody else touches."""

    person: Person
    ground: Ground
    dice: Random
    prefix: str
    jobs: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """Store what has to be there before anything breaks."""

    def run(self) -> None:
        raise NotImplementedError

    def verify(self) -> None:
        raise NotImplementedError

    @property
    def moved(self) -> list[tuple[str, str]]:
        """The pairs of keys of which one at least must be there at each moment, in whichever bucket."""
        return []

    def note(self, text: str) -> None:
        self.log.append(f"{time.strftime('%H:%M:%S')} {self.prefix} {text}")

    def job_of(self, key: str) -> str | None:
        """Return the latest transfer to a key, which may have been begun by a request without an answer."""
        rows = self.person.console.rows(
            "SELECT job_id FROM transfers_transfer WHERE key = ? ORDER BY id DESC LIMIT 1", key
        )
        return _dashed(rows[0]["job_id"]) if rows else None


def _dashed(hexadecimal: str) -> str:
    parts = (
        hexadecimal[:8],
        hexadecimal[8:12],
        hexadecimal[12:16],
        hexadecimal[16:20],
        hexadecimal[20:],
    )
    return "-".join(parts)


def put(place: Place, key: str, content: bytes, **options: Any) -> None:
    place.client.put_object(**place.at, Key=key, Body=content, **options)


def read(place: Place, key: str) -> bytes | None:
    try:
        body = place.client.get_object(**place.at, Key=key)["Body"]
    except ObjectNotFound:
        return None
    return body if isinstance(body, bytes) else b"".join(body)


def require_same(place: Place, key: str, content: bytes | None) -> None:
    """Raise unless the object is what it should be, byte by byte; None is no object."""
    found = read(place, key)
    if found != content:
        sizes = [None if one is None else len(one) for one in (found, content)]
        raise Stuck(f"{key} is not what it should be: {sizes[0]} bytes, and {sizes[1]} were expected.")


def require_headers(place: Place, key: str, **wanted: str) -> None:
    headers = place.client.head_object(**place.at, Key=key)
    found = {name: headers.get(name.replace("_", "-")) for name in wanted}
    if found != wanted:
        raise Stuck(f"{key} has the headers {found}, not {wanted}.")


def require_access(place: Place, key: str, *, is_public: bool) -> None:
    """Raise unless strangers may read the object, or may not."""
    granted = place.client.get_object_acl(**place.at, Key=key)
    if (STRANGERS in repr(granted)) != is_public:
        raise Stuck(f"{key} should {'' if is_public else 'not '}be public: {granted}")


class Upload(Deed):
    """A file sent in slices: out of order, some twice, some cut off; perhaps paused, perhaps canceled."""

    # Of what parks with this code nobody says that it is to be tried again.
    gives_up_at = ""

    @property
    def place(self) -> Place:
        return self.ground.own

    def prepare(self) -> None:
        self.key = f"{self.prefix}/Übung {self.dice.randrange(100)}%+.bin"
        self.content = content_of(self.dice)
        self.old = content_of(self.dice, largest=MIB) if self.dice.random() < 0.25 else None
        self.pauses = self.dice.random() < 0.25
        self.cancels = self.dice.random() < 0.25
        self.cancel_after_s = self.dice.uniform(0.0, 1.5)
        self.has_options = self.dice.random() < 0.35
        self.state = ""
        if self.old is not None:
            put(self.place, self.key, self.old)

    def run(self) -> None:
        started = self._start()
        self.jobs.append(started["job"])
        self.note(f"upload of {len(self.content)} bytes is job {started['job']}")
        self.began_at = time.monotonic()
        numbers = list(range(1, started["parts"] + 1))
        # Whoever cancels has not sent everything by then, where there is more than one slice.
        self._send(started, numbers[: len(numbers) - 1 or 1] if self.cancels else numbers)
        self.state = self.person.wait_for_end(
            started["job"], while_waiting=lambda row: self._mind(started), gives_up_at=self.gives_up_at
        )
        self.note(f"upload is {self.state}")

    def _start(self) -> dict[str, Any]:
        wanted = {
            "key": self.key,
            "size": len(self.content),
            "type": "application/x-chaos",
            "replace": self.old is not None,
            "options": self._options() if self.has_options else "",
        }
        answer = self.person.insist(lambda: self._asked(wanted), why="No upload began")
        if answer.status != 201:
            raise Stuck(f"The upload was refused: {answer.status} {answer.body[:300]!r}")
        return answer.json()

    def _options(self) -> str:
        """Have the sheet check what the object shall get, and return its signed answer."""
        path = f"/b/{CONNECTION}/{self.place.bucket}/uploads/sheet/"
        answer = self.person.insist(lambda: self.person.post(path, OPTIONS), why="No sheet")
        if "options" not in answer.json():
            raise Stuck(f"The sheet refused: {answer.status} {answer.body[:300]!r}")
        return str(answer.json()["options"])

    def _asked(self, wanted: dict[str, Any]) -> Answer:
        """Ask for an upload; after an answer that was lost, perhaps go on with what began all the same."""
        answer = self.person.post(f"/b/{CONNECTION}/{self.place.bucket}/uploads/", wanted, as_json=True)
        job = self.job_of(self.key) if answer.status != 201 and self.dice.random() < 0.5 else None
        if job is None or self.person.state_of(job)["state"] not in {"queued", "running", "parked"}:
            return answer
        self.note(f"goes on with what waits for its file: job {job}")
        found = self.person.ask("GET", f"/transfers/{job}/")
        return replace(found, status=201) if found.status == 200 else answer

    def _send(self, started: dict[str, Any], numbers: list[int]) -> None:
        self.dice.shuffle(numbers)
        twice = [number for number in numbers if self.dice.random() < 0.15]
        cut = [number for number in numbers if self.dice.random() < 0.15]
        with ThreadPoolExecutor(3) as pool:
            for number in cut:
                pool.submit(self.person.slice_cut_off, *self._slice(started, number))
            for number in numbers + twice:
                pool.submit(self.person.slice_put, *self._slice(started, number))

    def _slice(self, started: dict[str, Any], number: int) -> tuple[str, bytes]:
        size = started["part_size"]
        return f"{started['slice_url']}{number}", self.content[(number - 1) * size : number * size]

    def _mind(self, started: dict[str, Any]) -> None:
        """Do what a tray does between two looks: send what is missing, press what the dice say."""
        if self.cancels and time.monotonic() - self.began_at > self.cancel_after_s:
            self.person.press(started["job"], "cancel")
        elif self.pauses:
            self.pauses = False
            self.person.press(started["job"], "pause")
        now = self.person.ask("GET", started["state_url"]).json()
        if now.get("state") == "paused":
            self.person.press(started["job"], "resume")
        if now.get("state") not in {"queued", "running"} or self.cancels:
            return
        missing = set(range(1, started["parts"] + 1)) - set(now["received"])
        if missing and "slice_url" in now:
            self._send({**started, "slice_url": now["slice_url"]}, sorted(missing))

    def verify(self) -> None:
        if self.state == "canceled":
            require_same(self.place, self.key, self.old)
            return
        require_same(self.place, self.key, self.content)
        require_headers(self.place, self.key, content_type="application/x-chaos")
        require_access(self.place, self.key, is_public=self.has_options)
        if self.has_options:
            require_headers(
                self.place,
                self.key,
                cache_control="max-age=9",
                content_language="zh-CN",
                x_cos_meta_team="blue",
            )


class Direct(Upload):
    """A file whose parts go to the store with addresses from the console, which only hears of them."""

    @property
    def place(self) -> Place:
        return self.ground.open

    def _send(self, started: dict[str, Any], numbers: list[int]) -> None:
        if started["path"] != "direct":
            super()._send(started, numbers)
            return
        self.dice.shuffle(numbers)
        with ThreadPoolExecutor(3) as pool:
            for number in numbers:
                pool.submit(self._send_part, started, number)

    def _send_part(self, started: dict[str, Any], number: int) -> None:
        """Ask for an address, send the part, and report it; what fails is missing at the next look."""
        path, headers = f"/transfers/{started['job']}/", {"Origin": self.person.console.address}
        found = self.person.post(f"{path}addresses/", {"numbers": [number]}, as_json=True).json()
        _url, content = self._slice({**started, "slice_url": ""}, number)
        if "addresses" not in found:
            return
        stored = self.person.store_put(found["addresses"][str(number)], content, **headers)
        if stored.status != 200:
            return
        said = {name.lower(): value for name, value in stored.headers.items()}
        part = {
            "number": number,
            "size": len(content),
            "etag": said["etag"],
            "crc64": str(crc64_update(content)),
        }
        self.person.post(f"{path}parts/", {"parts": [part]}, as_json=True)


class Copy(Deed):
    """One object copied by the workers, in one request or in parts; perhaps paused, perhaps canceled."""

    action = "copy"

    def prepare(self) -> None:
        self.source, self.key = f"{self.prefix}/source", f"{self.prefix}/copy of+source"
        self.content = content_of(self.dice)
        self.pauses = self.dice.random() < 0.3
        self.cancels = self.dice.random() < 0.15
        self.to = self.dice.choice([self.ground.own, self.ground.own, self.ground.near, self.ground.far])
        self.is_replaced = self.dice.random() < 0.25
        self.state = ""
        put(self.ground.own, self.source, self.content, ContentType="text/x-chaos", CacheControl="max-age=7")

    def run(self) -> None:
        job = self._start()
        self.jobs.append(job)
        self.note(f"{self.action} of {len(self.content)} bytes to {self.to.bucket} is job {job}")
        self.state = self.person.wait_for_end(job, while_waiting=lambda row: self._mind(job, row["state"]))
        self.note(f"copy is {self.state}")

    def _start(self) -> str:
        path = f"{PLACE}/object/copy/?key={quote(self.source)}"
        fields = {"bucket": self.to.named_from(CONNECTION), "key": self.key, "action": self.action}
        if self.is_replaced:
            fields |= OPTIONS | {"directive": "replace", "content_type": "text/x-new"}
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            answer = self.person.post(path, fields)
            job = _job_in(answer) or self.job_of(self.key)
            if job is not None:
                return job
            time.sleep(LOOK_EVERY_S)
        raise Stuck(f"No copy began: {answer.status} {answer.body[-300:]!r}")

    def _mind(self, job: str, state: str) -> None:
        if self.cancels:
            self.person.press(job, "cancel")
        elif self.pauses and state in {"queued", "running"}:
            self.pauses = False
            self.person.press(job, "pause")
        elif state == "paused":
            self.person.press(job, "resume")

    def verify(self) -> None:
        require_same(self.ground.own, self.source, self.content)
        if self.state == "canceled":
            require_same(self.to, self.key, None)
            return
        self._require_copied()

    def _require_copied(self) -> None:
        require_same(self.to, self.key, self.content)
        type_, cache = ("text/x-new", "max-age=9") if self.is_replaced else ("text/x-chaos", "max-age=7")
        require_headers(self.to, self.key, content_type=type_, cache_control=cache)
        require_access(self.to, self.key, is_public=self.is_replaced)


class Move(Copy):
    """One object moved: copied, compared, and only then deleted where it was."""

    action = "move"

    @property
    def moved(self) -> list[tuple[str, str]]:
        return [(self.source, self.key)]

    def verify(self) -> None:
        require_same(self.ground.own, self.source, None if self.state == "done" else self.content)
        if self.state == "done" or read(self.to, self.key) is not None:
            self._require_copied()
        self._require_compared()

    def _require_compared(self) -> None:
        """Raise when the store saw the source deleted without a look at both since the copy was there."""
        seen = [
            (entry["operation"], entry["key"])
            for entry in self.person.console.journal()
            if entry["key"] in (self.source, self.key) and int(entry["status"]) < 300
        ]
        written = [at for at, (name, key) in enumerate(seen) if key == self.key and name in WRITTEN_BY]
        deleted = [at for at, (name, key) in enumerate(seen) if (name, key) == ("DeleteObject", self.source)]
        # A store that was killed meanwhile has forgotten what it did.
        if written and deleted:
            between = seen[written[0] : deleted[0]]
            if not {("HeadObject", self.source), ("HeadObject", self.key)} <= set(between):
                raise Stuck(f"{self.source} was deleted without a look at both: {seen}")


def _job_in(answer: Answer) -> str | None:
    parts = answer.headers.get("Location", "").strip("/").split("/")
    return parts[1] if answer.status == 302 and parts[0] == "jobs" and len(parts) > 1 else None


class Many(Deed):
    """Many objects at once: selected, planned, confirmed, and what failed tried again."""

    def prepare(self) -> None:
        # A move has most to lose.
        self.action = self.dice.choice(("move", "move", "move", "copy", "delete"))
        self.folder, self.target = f"{self.prefix}/from/", f"{self.prefix}/to/"
        self.contents = {
            f"name {number}": content_of(self.dice, largest=self.dice.choice((MIB, 4 * MIB)))
            for number in range(self.dice.randint(1, 5))
        }
        self.to = self.dice.choice([self.ground.own, self.ground.own, self.ground.near, self.ground.far])
        self.state = ""
        for name, content in self.contents.items():
            put(self.ground.own, f"{self.folder}{name}", content, ContentType="text/x-chaos")

    @property
    def moved(self) -> list[tuple[str, str]]:
        if self.action != "move":
            return []
        return [(f"{self.folder}{name}", f"{self.target}from/{name}") for name in self.contents]

    def run(self) -> None:
        job = self._planned()
        self.jobs.append(job)
        self.note(f"{self.action} of {len(self.contents)} objects to {self.to.bucket} is job {job}")
        for attempt in range(4):
            self.state = self.person.wait_for_end(
                job, while_waiting=lambda row: self._confirm(job, row["state"])
            )
            row = self.person.state_of(job)
            self.note(f"{self.action} is {self.state}, {row['objects_failed']} failed, attempt {attempt}")
            if self.state == "canceled" or not row["objects_failed"]:
                return
            self.person.insist(lambda: self.person.post(f"/jobs/{job}/batch/retry/"), why="No retry")

    def _planned(self) -> str:
        fields = {
            "action": self.action,
            "scope": "keys",
            "prefix": quote(f"{self.prefix}/"),
            "folder": quote(self.folder),
        }
        until = time.monotonic() + PATIENCE_S
        while True:
            answer = self.person.post(f"{PLACE}/batch/", fields)
            if job := _job_in(answer):
                return job
            if time.monotonic() > until or (400 <= answer.status < 500 and answer.status != 403):
                raise Stuck(f"No plan began: {answer.status} {answer.body[-300:]!r}")
            time.sleep(LOOK_EVERY_S)

    def _confirm(self, job: str, state: str) -> None:
        if state == "planning" and self.action != "delete":
            # The folder goes along under its own name.
            self.person.post(
                f"/jobs/{job}/options/",
                {
                    "bucket": self.to.named_from(CONNECTION),
                    "prefix": self.target,
                    "access": "kept" if self.to is self.ground.own else "default",
                },
            )
        if state == "planned":
            self.person.post(
                f"/jobs/{job}/plan/",
                {"typed": str(len(self.contents)), "collision": "replace", "is_compared": "on"},
            )

    def verify(self) -> None:
        failed = self.person.state_of(self.jobs[0])["objects_failed"]
        if failed:
            raise Stuck(f"{failed} objects failed again and again: {self._reasons()}")
        for name, content in self.contents.items():
            require_same(self.ground.own, f"{self.folder}{name}", content if self.action == "copy" else None)
            if self.action != "delete":
                require_same(self.to, f"{self.target}from/{name}", content)
                require_headers(self.to, f"{self.target}from/{name}", content_type="text/x-chaos")

    def _reasons(self) -> list[tuple[str, ...]]:
        rows = self.person.console.rows(
            "SELECT o.key, o.state, o.error_code, o.error_message FROM batches_batchobject o "
            "JOIN batches_batch b ON b.id = o.batch_id WHERE b.job_id = ? AND o.state = 'failed'",
            self.jobs[0].replace("-", ""),
        )
        return [tuple(row) for row in rows]


class Delete(Deed):
    """One object deleted on its page."""

    def prepare(self) -> None:
        self.key = f"{self.prefix}/gone soon"
        put(self.ground.own, self.key, b"x")

    def run(self) -> None:
        path = f"{PLACE}/object/delete/?key={quote(self.key)}"
        until = time.monotonic() + PATIENCE_S
        while self.person.console.stored_rows("SELECT 1 FROM objects WHERE key = ?", self.key.encode()):
            self.person.post(path, {"etag": ""})
            if time.monotonic() > until:
                raise Stuck(f"{self.key} is not deleted.")
            time.sleep(LOOK_EVERY_S)

    def verify(self) -> None:
        require_same(self.ground.own, self.key, None)
