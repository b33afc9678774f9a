"""Where the Node SDK is not there, the tests that need it say why; where it is broken, they fail."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from harness.node import NodeBroken, NodeMissing, node_command

PINS = Path(__file__).parents[2] / "bench" / "node"
SCRIPT = Path("any.cjs")


def programs(folder: Path, **scripts: str) -> str:
    """Return a PATH that holds nothing but these programs."""
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_lock_file_names_no_registry() -> None:
    lock = json.loads((PINS / "package-lock.json").read_text())
    packages = lock["packages"].values()

    assert lock["packages"]["node_modules/cos-nodejs-sdk-v5"]["version"] == "3.0.0"
    assert {package["resolved"] for package in packages if "resolved" in package} == set()


def test_machine_without_node_is_told_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path))
    with pytest.raises(NodeMissing, match=r"^node is not installed\.$"):
        node_command(SCRIPT, folder=tmp_path / "sdk")

    monkeypatch.setenv("PATH", programs(tmp_path, node=""))
    with pytest.raises(NodeMissing, match=r"^npm is not installed\.$"):
        node_command(SCRIPT, folder=tmp_path / "sdk")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("npm error code ECONNREFUSED", NodeMissing),
        ("npm error code ENOTFOUND", NodeMissing),
        ("npm error code EINTEGRITY", NodeBroken),
        ("npm error code E404", NodeBroken),
    ],
)
def test_unreachable_registry_is_no_broken_lock_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, kind: type[Exception]
) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path, node="", npm=f"echo {said} >&2; exit 1"))

    with pytest.raises(kind, match=said):
        node_command(SCRIPT, folder=tmp_path / "sdk")


def test_second_call_installs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    count = "echo once >> calls; MKDIR -p node_modules".replace("MKDIR", str(shutil.which("mkdir")))
    monkeypatch.setenv("PATH", programs(tmp_path, node="", npm=count))

    for _ in range(2):
        command = node_command(SCRIPT, folder=tmp_path / "sdk")

    assert command == [str(tmp_path / "node"), "any.cjs"]
    assert (tmp_path / "sdk" / "calls").read_text() == "once\n"
