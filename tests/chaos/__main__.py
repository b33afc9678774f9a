"""`python -m tests.chaos --rounds 200 --seed 7`: torment a console, and say what it takes to see it again."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from random import SystemRandom

from tests.chaos.console import TormentedConsole
from tests.chaos.ground import ground_lay
from tests.chaos.person import Person
from tests.chaos.rounds import round_run


def main() -> int:
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    console = TormentedConsole(folder=folder / "data")
    failed = 0
    print(f"Seed {options.seed}; the console's data and log are in {folder}.", flush=True)
    console.start()
    try:
        person = Person(console)
        ground = ground_lay(console, person)
        for number in range(options.first, options.first + options.rounds):
            began = time.monotonic()
            this = round_run(console, person, ground, seed=options.seed, number=number)
            took_s = time.monotonic() - began
            print(f"round {number}: {'WRONG' if this.wrong else 'well'} after {took_s:.1f} s", flush=True)
            if this.wrong or options.verbose:
                print(this.words(), flush=True)
            if this.wrong:
                failed += 1
                print(f"Again: python -m tests.chaos --rounds 1 --first {number} --seed {options.seed}")
                if not options.go_on:
                    break
    finally:
        console.stop()
    print(f"{number - options.first + 1} rounds, {failed} wrong.", flush=True)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the number of the first round")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    parser.add_argument("--go-on", action="store_true", help="do not stop at the first round that goes wrong")
    parser.add_argument("--verbose", action="store_true", help="print what happened in each round")
    return parser.parse_args()


sys.exit(main())
