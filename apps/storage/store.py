"""The narrow contract between the console and whatever holds the objects.

Each method is one operation of the store, named as the operation; sizes are bytes, keys are opaque text.
All of them raise `apps.storage.errors.StorageError` subclasses and nothing else. Implementations are safe
to call from several threads at once.

`on_progress` is called with the bytes of this body sent so far, which may fall back when an attempt is
repeated, and about once a second while nothing moves. Returning False stops the call with `Canceled`.
"""

from __future__ import annotations

from typing import Protocol

from apps.storage.contract.access import Access
from apps.storage.contract.addresses import Addresses
from apps.storage.contract.buckets import Buckets
from apps.storage.contract.multipart import Multipart
from apps.storage.contract.objects import ObjectBody, Objects
from apps.storage.features import Features
from apps.storage.types import FileSlice

__all__ = ["FileSlice", "ObjectBody", "ObjectStore"]


class ObjectStore(Buckets, Access, Objects, Multipart, Addresses, Protocol):
    """What a page or a job may ask of a store."""

    features: Features

    def anonymous(self) -> ObjectStore:
        """Return the same store as somebody without a key sees it: a proof of what is public."""
