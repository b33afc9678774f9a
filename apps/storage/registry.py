"""Finds the providers in `apps/storage/providers/` and opens one by name.

The modules are looked up by file name rather than imported by hand: a static import here would tie every
app to every provider's libraries, and a new provider would need an edit besides its own file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from apps.storage import providers
from apps.storage.features import CredentialField, Features
from apps.storage.store import ObjectStore
from apps.storage.types import Credentials, Endpoint


@dataclass(frozen=True)
class Provider:
    """What a file in `providers/` exports as `PROVIDER`."""

    name: str
    label: str
    credential_fields: tuple[CredentialField, ...]
    features: Features
    open: Callable[[Credentials, Endpoint], ObjectStore]


@cache
def provider_names() -> tuple[str, ...]:
    """Return the names of all providers, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(providers.__path__)))


@cache
def provider_get(name: str) -> Provider:
    """Return the provider called `name`; raises LookupError for a name that no file has."""
    if name not in provider_names():
        raise LookupError(f"There is no storage provider called {name!r}.")
    module = importlib.import_module(f"{providers.__name__}.{name}")
    provider: Provider = module.PROVIDER
    return provider


def store_open(name: str, *, credentials: Credentials, endpoint: Endpoint) -> ObjectStore:
    """Return a store of provider `name`; no request is sent yet."""
    return provider_get(name).open(credentials, endpoint)
