"""A short torment on every run of the tests; `make chaos` goes on for two hundred rounds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.console import TormentedConsole
from tests.chaos.ground import ground_lay
from tests.chaos.person import Person
from tests.chaos.rounds import round_run

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("chaos"), pytest.mark.timeout(240)]

SEED = 1617
ROUNDS = 1


@pytest.fixture
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TormentedConsole]:
    console = TormentedConsole(folder=tmp_path_factory.mktemp("chaos") / "data")
    console.start()
    yield console
    console.stop()


def test_nothing_is_lost_and_nothing_is_left(console: TormentedConsole) -> None:
    person = Person(console)
    ground = ground_lay(console, person)

    for number in range(ROUNDS):
        this = round_run(console, person, ground, seed=SEED, number=number)

        assert not this.wrong, f"{this.words()}\n{console.log()}"
