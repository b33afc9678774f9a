"""Which ports are free, and which ones the parts of this console keep between runs."""

from __future__ import annotations

import errno
import socket

from console.supervisor.datafolder import DataFolder
from console.supervisor.failures import CannotStart


def port_require_free(host: str, port: int) -> None:
    """Raise CannotStart, with the sentence to read, when the web server could not listen there."""
    try:
        _bind_once(host, port)
    except OSError as error:
        raise CannotStart(_why_not(host, port, error)) from None
    except OverflowError:
        raise CannotStart(f"PORT must be between 1 and 65535, not {port}.") from None


def port_keep(folder: DataFolder, name: str, *, wanted: int = 0) -> int:
    """Return the port of a part that listens on this machine only: the one of last time, while it is free.

    Connections and running jobs remember it, so that it changes only when something else took it. Without a
    `wanted` one the first port is any: two consoles that start at once would both find the same one free.
    """
    ports = folder.read("ports")
    remembered = ports.get(name)
    candidates = [remembered] if isinstance(remembered, int) else []
    port = next((p for p in (*candidates, wanted) if p and _is_free(p)), 0) or _any_free()
    folder.write("ports", ports | {name: port})
    return port


def _bind_once(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        # Another program that set SO_REUSEADDR, too, is met only here.
        probe.listen(1)
        bound: int = probe.getsockname()[1]
        return bound


def _is_free(port: int) -> bool:
    try:
        return _bind_once("127.0.0.1", port) == port
    except (OSError, OverflowError):
        return False


def _any_free() -> int:
    return _bind_once("127.0.0.1", 0)


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken. Choose another one, as in: PORT={port + 1} make run"
    if error.errno == errno.EACCES:
        return f"Port {port} needs root. Choose one above 1023, as in: PORT=8000 make run"
    return f"The console cannot listen on {host}:{port} ({error.strerror}). Check HOST and PORT."
