"""Who may sign requests: root accounts, their users, and where their keys are kept."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """One key pair. `root_uin` owns buckets; `sub_uin` marks a user below that root.

    `token`, when set, must travel with every request (temporary keys), which
    ends at `expires_at`, in unix seconds.
    """

    root_uin: str = "100000000001"
    appid: str = "1250000000"
    secret_id: str = "AKIDLOCALSTORE"  # noqa: S105
    secret_key: str = field(default="", repr=False)
    sub_uin: str | None = None
    token: str | None = field(default=None, repr=False)
    expires_at: int | None = None

    @property
    def uin(self) -> str:
        """Return the uin that acts: the user's below a root, else the root's."""
        return self.sub_uin or self.root_uin

    @property
    def principal(self) -> str:
        """Return the canonical id that grants name."""
        return principal_id(self.root_uin, self.uin)

    @property
    def is_root(self) -> bool:
        """Tell whether this is the root itself, which owns what it creates."""
        return self.uin == self.root_uin


def principal_id(root_uin: str, uin: str | None = None) -> str:
    """Return `qcs::cam::uin/ROOT:uin/USER`, the canonical storage form of a grantee."""
    return f"qcs::cam::uin/{root_uin}:uin/{uin or root_uin}"


class Directory:
    """The accounts of one running store, found by secret id or by root uin.

    Looking up takes no lock, because each change makes a new dictionary; who
    changes it sees to it that nobody else does at the same time.
    """

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._by_key = {account.secret_id: account for account in accounts}

    def add(self, account: Account) -> None:
        """Let another key pair sign from now on."""
        self._by_key = self._by_key | {account.secret_id: account}

    def remove(self, secret_id: str) -> bool:
        """Forget a key pair; False when it is not known."""
        rest = {key: account for key, account in self._by_key.items() if key != secret_id}
        known = len(rest) < len(self._by_key)
        self._by_key = rest
        return known

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_key.values())

    def by_secret_id(self, secret_id: str) -> Account | None:
        """Return the account that this key belongs to."""
        return self._by_key.get(secret_id)

    def appid_of(self, root_uin: str) -> str:
        """Return the APPID of a root; bucket lists name their owner by it."""
        return next((a.appid for a in self._by_key.values() if a.root_uin == root_uin), root_uin)


def accounts_load(path: Path) -> list[Account]:
    """Return the accounts saved in a file; no file gives an empty list."""
    try:
        rows = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return []
    return [Account(**row) for row in rows]


def accounts_save(path: Path, accounts: Iterable[Account]) -> None:
    """Write the accounts so that only this user can read them, whole or not at all."""
    temporary = path.with_suffix(".tmp")
    text = json.dumps([asdict(account) for account in accounts], indent=1)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)


def _with_fresh_keys(account: Account) -> Account:
    """Return the account with a secret id and a secret key of the usual shape."""
    return replace(account, secret_id="AKID" + secrets.token_hex(16), secret_key=secrets.token_urlsafe(24))


def account_random() -> Account:
    """Return a root account of the usual number with a fresh key pair."""
    return _with_fresh_keys(Account())


def account_root() -> Account:
    """Return a root account with a number, an APPID and a key pair that nobody else has."""
    uin, appid = 200_000_000_000 + secrets.randbelow(10**11), 1_300_000_000 + secrets.randbelow(10**8)
    return _with_fresh_keys(Account(root_uin=str(uin), appid=str(appid)))


def account_user(root: Account, sub_uin: str = "") -> Account:
    """Return a user below a root with a key pair of its own."""
    number = sub_uin or str(300_000_000_000 + secrets.randbelow(10**11))
    return _with_fresh_keys(replace(root, sub_uin=number, token=None, expires_at=None))


def account_temporary(account: Account, expires_at: int) -> Account:
    """Return temporary keys that act for an account until a moment in unix seconds."""
    return _with_fresh_keys(replace(account, token=secrets.token_urlsafe(48), expires_at=expires_at))
