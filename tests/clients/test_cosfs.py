"""cosfs, the fsspec filesystem for COS: the tests that its authors ship, unchanged, against the store."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.clients.conftest import ROOT, Served, bucket_put
from tests.conftest import REGION

# Both tests look at one run, so they belong to one worker.
pytestmark = [pytest.mark.xdist_group("cosfs"), pytest.mark.timeout(300)]

BUCKET = "cosfs-1250000000"
SHIPPED = Counter({"test_core": 102, "test_fsspec_api": 37, "test_utils": 15, "test_version": 5})
APPEND = "Append Object is not among the operations that the store serves: 501 NotImplemented."
MISSES = {
    "test_core.TestCosFile.test_file_write_append_new": APPEND,
    "test_core.TestCosFile.test_file_write_append_existing": APPEND,
}


@dataclass(frozen=True)
class Outcome:
    """How the shipped tests ended, each under `module.Class.name`, and what the console showed."""

    passed: frozenset[str]
    missed: frozenset[str]
    console: str


@pytest.fixture(scope="module")
def outcome(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    bucket_put(served.port, served.account, BUCKET)
    folder = tmp_path_factory.mktemp("cosfs")

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "--pyargs", "cosfs.tests", "-k", "not performance", *OPTIONS],
        cwd=folder,
        env=environment(served),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    )

    return read_report(folder / "report.xml", ended.stdout)


# Nothing of this repository's own configuration, plugins or paths reaches the tests of others.
OPTIONS = [
    *("-c", os.devnull, "--rootdir", ".", "-p", "no:cacheprovider"),
    *("-p", "tests.clients.redirect", "--junitxml", "report.xml", "-ra", "-q"),
]


def environment(served: Served) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {
        "COS_SECRET_ID": served.account.secret_id,
        "COS_SECRET_KEY": served.account.secret_key,
        "COS_REGION": REGION,
        "COS_BUCKET": BUCKET,
        "COS_STORE_PORT": str(served.port),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(ROOT),
    }


def read_report(path: Path, console: str) -> Outcome:
    if not path.exists():
        pytest.fail(f"The tests of cosfs wrote no report. They said:\n{console}")
    passed, missed = set(), set()
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.attrib['classname']}.{case.attrib['name']}".removeprefix("cosfs.tests.")
        (missed if len(case) else passed).add(name)
    return Outcome(frozenset(passed), frozenset(missed), console)


def test_only_what_is_listed_is_missed(outcome: Outcome) -> None:
    assert outcome.missed == MISSES.keys(), outcome.console


def test_every_shipped_test_has_run(outcome: Outcome) -> None:
    ran = Counter(name.split(".")[0] for name in outcome.passed | outcome.missed)

    assert ran == SHIPPED, outcome.console
