"""The Node SDK, installed by npm into a cache folder that Git ignores."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from harness.processes import BENCH, ROOT

PACKAGE = "cos-nodejs-sdk-v5@3.0.0"
FOLDER = ROOT / ".node"
SCRIPT = BENCH / "harness" / "as_node.cjs"
INSTALL_S = 300


def node_command() -> list[str] | None:
    """Return the command that uploads with the Node SDK, None where there is no node or no registry."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    if not (FOLDER / "node_modules" / "cos-nodejs-sdk-v5").is_dir() and not _installed(npm):
        return None
    return [node, str(SCRIPT)]


def node_environment() -> dict[str, str]:
    return {"NODE_PATH": str(FOLDER / "node_modules"), "NODE_NO_WARNINGS": "1"}


def node_version() -> str:
    node = shutil.which("node")
    if node is None:
        return "not installed"
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _installed(npm: str) -> bool:
    FOLDER.mkdir(exist_ok=True)
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(FOLDER), PACKAGE]
    try:
        done = subprocess.run(command, capture_output=True, timeout=INSTALL_S, check=False, cwd=FOLDER)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and Path(FOLDER, "node_modules", "cos-nodejs-sdk-v5").is_dir()
