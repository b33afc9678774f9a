"""What a new console needs before somebody can use it: a way to sign in, and something to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.accounts.services import administrator_ensure, sign_in_link_create
from apps.connections.services import connection_from_environment
from apps.localstore.accounts import Account
from apps.localstore.serve import ServeError, ServeOptions, accounts_of, environment_pair
from console.demo import demo_ensure
from console.supervisor.datafolder import DataFolder
from console.supervisor.failures import CannotStart
from console.supervisor.ports import port_keep


@dataclass(frozen=True)
class EmbeddedStore:
    """Where the embedded store will listen, and the account that owns what is in it."""

    port: int
    account: Account


def embedded_store(folder: DataFolder, *, wanted_port: int) -> EmbeddedStore:
    """Choose the port and, on the first run, make the account, so that its key is printed nowhere.

    Raises CannotStart when the store's folder cannot be used.
    """
    secret_id, secret_key = environment_pair()
    options = ServeOptions(data=folder.path / "store", secret_id=secret_id, secret_key=secret_key)
    try:
        account = accounts_of(options, lambda _text: None)[0]
    except ServeError as error:
        raise CannotStart(str(error)) from error
    return EmbeddedStore(port=port_keep(folder, "store", wanted=wanted_port), account=account)


def environment_require_whole(environ: Mapping[str, str]) -> None:
    """Raise CannotStart for half of a key pair, which would otherwise be passed over in silence."""
    for first, second in (
        ("COS_SECRET_ID", "COS_SECRET_KEY"),
        ("LOCALSTORE_SECRET_ID", "LOCALSTORE_SECRET_KEY"),
    ):
        if bool(environ.get(first)) != bool(environ.get(second)):
            raise CannotStart(f"{first} and {second} belong together: set both, or neither.")


def sign_in_path() -> str:
    """Return the path of a fresh one-time link that signs the administrator in."""
    return sign_in_link_create(administrator_ensure())


def connections_prepare(
    folder: DataFolder, *, store: EmbeddedStore | None, environ: Mapping[str, str]
) -> list[str]:
    """Create or follow the connections of the environment and of the demo. Returns what there is to tell."""
    owner = administrator_ensure()
    connection_from_environment(owner=owner, environ=environ)
    if store is None:
        return []
    return demo_ensure(folder, owner=owner, port=store.port, account=store.account)
