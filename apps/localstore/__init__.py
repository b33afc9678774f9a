"""The embedded object store: a durable COS-protocol server (XML API v5) on one folder."""

from __future__ import annotations

from apps.localstore.accounts import Account
from apps.localstore.server import LocalStore, Tuning

__all__ = ["Account", "LocalStore", "Tuning"]
