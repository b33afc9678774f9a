"""One round: people at work, everything breaking, and then the question what is left of it."""

from __future__ import annotations

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from tests.chaos import leftovers
from tests.chaos.console import TormentedConsole
from tests.chaos.crowds import Adoption, Pack, Rivals
from tests.chaos.deeds import Copy, Deed, Delete, Direct, Many, Move, Upload
from tests.chaos.ground import Ground
from tests.chaos.person import Person, Stuck
from tests.chaos.troubles import LASTS_S, Trouble, suffer, troubles_of

WATCH_EVERY_S = 0.05
KINDS: tuple[tuple[type[Deed], int], ...] = (
    (Upload, 4),
    (Direct, 2),
    (Copy, 3),
    (Move, 3),
    (Many, 4),
    (Delete, 1),
    (Pack, 2),
    (Rivals, 2),
    (Adoption, 1),
)


@dataclass
class Round:
    """What a seed and a number make: the same deeds and the same troubles each time."""

    seed: int
    number: int
    deeds: list[Deed] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def words(self) -> str:
        """Return everything about a round that somebody needs who looks for what went wrong."""
        lines = [f"seed {self.seed}, round {self.number}"]
        lines += [f"  {trouble.at_s:5.2f} s  {trouble.words}" for trouble in self.troubles]
        lines += [f"  {line}" for deed in self.deeds for line in deed.log]
        return "\n".join(lines + [f"  WRONG: {text}" for text in self.wrong])


def deeds_of(person: Person, ground: Ground, dice: Random, prefix: str) -> list[Deed]:
    """Return what happens in a round."""
    chosen: list[Deed] = []
    for number in range(dice.randint(3, 6)):
        own = Random(dice.random())
        kind = dice.choices([kind for kind, _ in KINDS], weights=[weight for _, weight in KINDS])[0]
        chosen.append(kind(person, ground, own, f"{prefix}/{number}"))
    return chosen


def round_run(console: TormentedConsole, person: Person, ground: Ground, *, seed: int, number: int) -> Round:
    """Run one round to its end and return it; `wrong` is empty when all is as it should be."""
    dice = Random(f"{seed}/{number}")
    prefix = f"chaos-{seed}-{number}-{time.time_ns() % 10**6}"
    this = Round(seed, number, deeds_of(person, ground, dice, prefix), troubles_of(dice))
    console.wait_until_well()
    for deed in this.deeds:
        deed.prepare()
    watch = Watch(console, this.deeds)
    with watch.watching(), ThreadPoolExecutor(len(this.deeds) + 1) as pool:
        running = [pool.submit(_begin, deed) for deed in this.deeds]
        suffering = pool.submit(suffer, console, this.troubles, began=time.monotonic())
        suffering.result()
        _heal(console)
        for deed, future in zip(this.deeds, running, strict=True):
            if error := future.exception():
                this.wrong.append(f"{deed.prefix}: {type(error).__name__}: {error}")
    this.wrong += watch.wrong
    this.wrong += _verified(console, this, person, ground)
    return this


def _begin(deed: Deed) -> None:
    # A trouble finds some things just beginning and some just ending.
    time.sleep(deed.dice.uniform(0.0, LASTS_S / 2))
    deed.run()


def _heal(console: TormentedConsole) -> None:
    console.redis_keep_away(is_away=False)
    console.disk_fill(is_full=False)
    console.wait_until_well()
    console.faults_clear()


def _verified(console: TormentedConsole, this: Round, person: Person, ground: Ground) -> list[str]:
    wrong = []
    # A disk that is full again by a timer would be a trouble of the next round.
    console.disk_fill(is_full=False)
    _cancel_unknown(console, this, person)
    for deed in this.deeds:
        try:
            deed.verify()
        except Stuck as error:
            wrong.append(str(error))
        except Exception as error:
            wrong.append(f"{deed.prefix}: {type(error).__name__}: {error}")
    try:
        leftovers.require_none(console)
    except Stuck as error:
        wrong.append(str(error))
    _clean(console, this, ground)
    return wrong


def _cancel_unknown(console: TormentedConsole, this: Round, person: Person) -> None:
    """Cancel what was begun by requests whose answer was lost: it waits for its file, or for a yes."""
    known = {job.replace("-", "") for deed in this.deeds for job in deed.jobs}
    rows = console.rows("SELECT id FROM jobs_job WHERE state NOT IN ('done', 'canceled', 'canceling')")
    for row in rows:
        if row["id"] not in known:
            with suppress(Stuck):
                person.press(_dashed(row["id"]), "cancel")


def _dashed(text: str) -> str:
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _clean(console: TormentedConsole, this: Round, ground: Ground) -> None:
    """Delete the round's objects, so that two hundred rounds need no more disk than one."""
    for deed in this.deeds:
        like = "SELECT bucket, key FROM objects WHERE CAST(key AS TEXT) LIKE ?"
        for row in console.stored_rows(like, f"{deed.prefix}/%"):
            place = ground.place_of(row["bucket"])
            place.client.delete_object(**place.at, Key=bytes(row["key"]).decode())


class Watch:
    """Looks all the time whether an object that is moved is in neither place."""

    def __init__(self, console: TormentedConsole, deeds: list[Deed]) -> None:
        self.console = console
        self.pairs = [pair for deed in deeds for pair in deed.moved]
        self.wrong: list[str] = []
        self.over = threading.Event()

    def watching(self) -> Watch:
        return self

    def __enter__(self) -> None:
        self.thread = threading.Thread(target=self._look)
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _look(self) -> None:
        # One statement sees one state of the store.
        each = "SELECT ?, EXISTS(SELECT 1 FROM objects WHERE key IN (?, ?))"
        looks = " UNION ALL ".join(each for _ in self.pairs)
        values = [value for source, to in self.pairs for value in (source, source.encode(), to.encode())]
        while self.pairs and not self.wrong and not self.over.wait(WATCH_EVERY_S):
            for source, is_there in self.console.stored_rows(looks, *values):
                if not is_there:
                    self.wrong.append(f"{source} is in neither place.")


def remove(console: TormentedConsole) -> None:
    console.stop()
    shutil.rmtree(console.folder, ignore_errors=True)
