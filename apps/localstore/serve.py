"""The store as a process of its own: accounts from the folder, one sentence on failure, a clean end."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from apps.localstore.accounts import Account, account_random, accounts_load, accounts_save
from apps.localstore.engine import DataFolderError, folder_claim
from apps.localstore.server import LocalStore, Tuning

ACCOUNTS_FILE = "accounts.json"
ADDED_FILE = "accounts-added.json"
Say = Callable[[str], None]


class ServeError(Exception):
    """The store cannot run; the text is one sentence for a person."""


@dataclass(frozen=True)
class ServeOptions:
    """What the command line says. A key pair given here beats the saved one and is not saved."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 9000
    control_token: str | None = None
    secret_id: str = ""
    secret_key: str = ""
    tuning: Tuning = field(default_factory=Tuning)


def accounts_of(options: ServeOptions, say: Say) -> list[Account]:
    """Return the accounts to serve; the first start makes one and says its key pair, once.

    Raises ServeError when the folder or the file in it cannot be used.
    """
    if bool(options.secret_id) != bool(options.secret_key):
        raise ServeError("A secret id and a secret key must be given together.")
    path = options.data / ACCOUNTS_FILE
    try:
        options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        saved = _loaded(path)
        if options.secret_id:
            first = saved[0] if saved else Account()
            return [replace(first, secret_id=options.secret_id, secret_key=options.secret_key), *saved[1:]]
        if not saved:
            saved = _first_made(options.data, path)
            say(f"SecretId {saved[0].secret_id}\nSecretKey {saved[0].secret_key}\nKept in {path}.")
    except OSError as error:
        raise ServeError(f"The data folder {options.data} cannot be used: {error.strerror}.") from error
    return saved


def _first_made(data: Path, path: Path) -> list[Account]:
    """Save a first account, in a folder that nobody else is starting in. Raises ServeError."""
    try:
        claim = folder_claim(data)
    except DataFolderError as error:
        raise ServeError(str(error)) from error
    try:
        # Another first start may have come before: its key pair has been shown already.
        saved = _loaded(path)
        if saved:
            raise ServeError(f"The data folder {data} is in use by another process.")
        saved = [account_random()]
        accounts_save(path, saved)
    finally:
        os.close(claim)
    return saved


def _loaded(path: Path) -> list[Account]:
    try:
        return accounts_load(path)
    except (TypeError, ValueError, AttributeError) as error:
        raise ServeError(f"The file {path} is not a list of accounts; repair or remove it.") from error


def store_start(options: ServeOptions, say: Say) -> LocalStore:
    """Return a store that listens. Raises ServeError."""
    accounts = accounts_of(options, say)
    added = options.data / ADDED_FILE
    store = LocalStore(
        data=options.data,
        accounts=accounts,
        added=_loaded(added),
        keep=lambda accounts: accounts_save(added, accounts),
        host=options.host,
        port=options.port,
        control_token=options.control_token,
        tuning=options.tuning,
    )
    try:
        store.start()
    except DataFolderError as error:
        raise ServeError(str(error)) from error
    except OSError as error:
        raise ServeError(_listen_sentence(options, error)) from error
    except OverflowError:
        raise ServeError(f"The port must be between 0 and 65535, not {options.port}.") from None
    return store


def _listen_sentence(options: ServeOptions, error: OSError) -> str:
    address = f"{options.host}:{options.port}"
    if error.errno == errno.EADDRINUSE:
        return f"Port {options.port} on {options.host} is taken; free it or choose another with --port."
    return f"The store cannot listen on {address}: {error.strerror or error}."


def serve(options: ServeOptions, say: Say) -> None:
    """Run until SIGTERM or SIGINT. Raises ServeError when it cannot start."""
    store = store_start(options, say)
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    say(f"The store listens on http://{options.host}:{store.port} and keeps {options.data}.")
    # Event.wait alone would delay signals on some platforms; a bounded wait never does.
    while not done.wait(3600):
        pass
    store.stop()


def environment_pair() -> tuple[str, str]:
    """Return the key pair that the environment gives, or empty strings."""
    return os.environ.get("LOCALSTORE_SECRET_ID", ""), os.environ.get("LOCALSTORE_SECRET_KEY", "")
