"""The official Node SDK, installed by npm from a committed lock file into a folder that Git ignores.

The benchmarks race it, and the tests compare our requests with its requests.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
FOLDER = _ROOT / ".node"
_PINS = (_ROOT / "bench" / "node" / "package.json", _ROOT / "bench" / "node" / "package-lock.json")
# pytest ends a test after two minutes, and a machine without a registry must know by then.
_INSTALL_S = 90
_NPM = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
_HURRY = ("--fetch-retries", "1", "--fetch-retry-mintimeout", "1000", "--fetch-retry-maxtimeout", "2000")
# What npm says when there is no registry to ask; any other failure is ours to repair.
_UNREACHABLE = ("EAI_AGAIN", "ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "E407")


class NodeMissing(Exception):
    """This machine cannot run the SDK: no node, no npm, or no registry. The text says which."""


class NodeBroken(Exception):
    """npm is there and answers, but does not install what the lock file says."""


def node_command(script: Path, *, folder: Path = FOLDER) -> list[str]:
    """Return the command that runs `script` where it can load the SDK, which is installed first.

    Safe in several processes at once: one installs, the others wait. Raises NodeMissing, NodeBroken.
    """
    node = _program("node")
    if not _is_installed(folder):
        npm = _program("npm")
        with _alone(folder):
            if not _is_installed(folder):
                _install(npm, folder)
    return [node, str(script)]


def node_environment() -> dict[str, str]:
    """Return what the environment of the command needs."""
    return {"NODE_PATH": str(FOLDER / "node_modules"), "NODE_NO_WARNINGS": "1"}


def node_version() -> str:
    """Return what node calls itself."""
    node = shutil.which("node")
    if node is None:
        return "not installed"
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NodeMissing(f"{name} is not installed.")
    return found


def _is_installed(folder: Path) -> bool:
    return _stamp(folder).is_file() and _stamp(folder).read_text() == _pinned()


def _stamp(folder: Path) -> Path:
    # npm empties this folder before it begins, so an interrupted installation leaves no stamp.
    return folder / "node_modules" / ".pinned"


def _pinned() -> str:
    return hashlib.sha256(b"".join(pin.read_bytes() for pin in _PINS)).hexdigest()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(npm: str, folder: Path) -> None:
    for pin in _PINS:
        shutil.copy(pin, folder)
    command = [npm, *_NPM, *_HURRY, "--prefix", str(folder)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_INSTALL_S, check=False, cwd=folder
        )
    except subprocess.TimeoutExpired:
        raise NodeMissing(f"npm installed nothing within {_INSTALL_S} seconds.") from None
    if done.returncode != 0:
        said = done.stderr.strip()
        kind = NodeMissing if any(code in said for code in _UNREACHABLE) else NodeBroken
        raise kind(f"npm could not install the Node SDK:\n{said[-1000:]}")
    _stamp(folder).write_text(_pinned())
