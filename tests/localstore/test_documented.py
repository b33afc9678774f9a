"""What docs/localstore.md shows works as it stands there."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

from apps.localstore import LocalStore
from apps.localstore.faults import KINDS
from tests.localstore.conftest import OWNER, Connect
from tests.localstore.test_faults import control
from tests.localstore.wire import Wire

PAGE = Path(__file__).parents[2].joinpath("docs/localstore.md").read_text("utf-8")
SENT = re.findall(r"/-/(\w+) -d '(.*)'", PAGE)


def test_python_example_runs(store: LocalStore) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    for shown, real in (
        ("AKID…", OWNER.secret_id),
        ('"…"', repr(OWNER.secret_key)),
        (":9000", f":{store.port}"),
        ("photos-", "documented-"),
    ):
        assert shown in example
        example = example.replace(shown, real)
    printed = io.StringIO()

    with contextlib.redirect_stdout(printed):
        exec(example, {})

    assert printed.getvalue() == "b'hello'\n"
    with Wire(store.port, OWNER, "documented-1250000000") as wire:
        assert wire.call("DELETE", "/a/b.txt").status == 204
        assert wire.call("DELETE", "/").status == 204


@pytest.mark.parametrize(("path", "body"), SENT)
def test_examples_of_the_control_channel_are_accepted(
    store: LocalStore, connect: Connect, path: str, body: str
) -> None:
    wanted = json.loads(body.replace("AKID…", OWNER.secret_id))
    if path == "accounts":
        wanted["kept"] = False

    reply = control(store, connect, "POST", f"/-/{path}", wanted)

    assert reply.status == 200, reply.body


def test_every_kind_of_fault_has_its_example() -> None:
    shown = {json.loads(body)["kind"] for path, body in SENT if path == "faults"}

    assert shown == set(KINDS)
    assert all(f"`{kind}`" in PAGE for kind in KINDS)
