"""The data folder: may it be written, is another console using it, which addresses were used last time."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from console.supervisor.failures import CannotStart


class DataFolder:
    """One running console per folder: the lock is held until this process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = path / "run"
        self.logs = path / "logs"
        self._lock: int | None = None

    def prepare(self) -> None:
        """Create the folders. Raises CannotStart when they cannot be written."""
        try:
            for folder in (self.path, self.run, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
            # The sign-in link and the logs are nobody else's business.
            # Sessions are in there, and what people sent on its way: nobody else of this machine may look.
            self.path.chmod(0o700)
            self.run.chmod(0o700)
            self.logs.chmod(0o700)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise CannotStart(
                f"The data folder {self.path} cannot be written ({error.strerror}). "
                "Set DATA_DIR to a folder that this user may write."
            ) from None

    def lock(self) -> None:
        """Claim the folder. Raises CannotStart when another console runs from it."""
        # Children must not inherit it: one that lingers would keep the folder claimed.
        descriptor = os.open(self.run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            address = self.read("up").get("address")
            where = f"at {address}" if address else f"from {self.path}"
            raise CannotStart(
                f"The console is already running {where}. Stop that one with Ctrl-C, "
                "or give this one a DATA_DIR and a PORT of its own."
            ) from None
        self._lock = descriptor
        self.forget("up")

    def read(self, name: str) -> dict[str, Any]:
        """Return what was written under this name; nothing, or nothing legible, gives an empty dict."""
        try:
            value = json.loads((self.run / f"{name}.json").read_text())
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a small JSON file that only this user can read, whole or not at all."""
        draft = self.run / f".{name}.json"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(value, indent=1) + "\n")
        draft.replace(self.run / f"{name}.json")

    def forget(self, name: str) -> None:
        (self.run / f"{name}.json").unlink(missing_ok=True)
