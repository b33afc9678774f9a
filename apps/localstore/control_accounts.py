"""Further key pairs while the store runs, so that one person can try what grants do.

    GET    /-/accounts               who may sign, without the secrets
    POST   /-/accounts               `{}` makes another root account; `{"root_uin": …}` a user below a
                                     root, with `sub_uin` if its number matters; `{"secret_id": …,
                                     "seconds": 900}` temporary keys with a token for an account
    DELETE /-/accounts?secret_id=…   forget a key pair

What is made here is kept in a file of the data folder; keys made with `"kept": false` are not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from apps.localstore.accounts import Account, Directory, account_root, account_temporary, account_user

SECRETS = ("secret_key", "token")
FIELDS = frozenset({"root_uin", "sub_uin", "secret_id", "seconds", "kept"})
Keep = Callable[[Iterable[Account]], None]


class Register:
    """The accounts of a running store, and those of them that were added to it.

    `keep` writes the added ones somewhere; without it they end with the process.
    """

    def __init__(self, directory: Directory, added: Iterable[Account] = (), keep: Keep | None = None) -> None:
        self._directory = directory
        self._added = {account.secret_id: account for account in added}
        self._keep = keep
        self._lock = threading.Lock()
        for account in self._added.values():
            directory.add(account)

    def listed(self) -> list[dict[str, Any]]:
        """Return everybody who may sign, without what only they should know."""
        return [{n: v for n, v in _shown(a).items() if n not in SECRETS} for a in self._directory]

    def make(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Add a key pair and return all of it. Raises ValueError with a sentence."""
        if not isinstance(wanted, dict) or set(wanted) - FIELDS:
            raise ValueError(f"an account is described by an object with {', '.join(sorted(FIELDS))}")
        with self._lock:
            account = self._made(wanted)
            self._directory.add(account)
            if wanted.get("kept", True):
                self._added[account.secret_id] = account
                self._save()
        return _shown(account)

    def _made(self, wanted: dict[str, Any]) -> Account:
        if "secret_id" in wanted:
            account = self._directory.by_secret_id(str(wanted["secret_id"]))
            if account is None:
                raise ValueError("no account has this secret_id")
            return account_temporary(account, int(time.time() + float(wanted.get("seconds", 1800))))
        if "root_uin" not in wanted:
            return account_root()
        root = next((a for a in self._directory if a.root_uin == wanted["root_uin"] and a.is_root), None)
        sub_uin = str(wanted.get("sub_uin", ""))
        if root is None or (sub_uin and not (sub_uin.isascii() and sub_uin.isdigit())):
            raise ValueError("root_uin must be that of a root account, and sub_uin a number")
        return account_user(root, sub_uin)

    def forget(self, secret_id: str) -> bool:
        """Remove a key pair; False when there is none. Those not added here return with the next start."""
        with self._lock:
            known = self._directory.remove(secret_id)
            if self._added.pop(secret_id, None) is not None:
                self._save()
        return known

    def _save(self) -> None:
        if self._keep is not None:
            self._keep(self._added.values())


def _shown(account: Account) -> dict[str, Any]:
    return {**asdict(account), "grantee": account.principal}
