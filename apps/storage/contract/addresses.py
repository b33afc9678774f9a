"""Addresses of objects that work without a key, for as long as they last."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from apps.storage.types import ObjectRef, ResponseHeaders


class Addresses(Protocol):
    """Addresses of objects. Making one sends nothing. Presigned ones are secrets: never log them.

    An anonymous store has nothing to sign with: its presigned addresses raise Refused, the plain one works.
    """

    def object_url(self, *, bucket: str, region: str, key: str) -> str:
        """Return the plain address of an object, which works for whoever its grants let in."""

    def object_of_url(self, url: str) -> ObjectRef | None:
        """Return the object that a plain or presigned address of this store means, None for any other."""

    def url_expires_at(self, url: str) -> datetime | None:
        """Return when the signature in an address ends, None for one that has none, or half of one."""

    def presign_get(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        expires_s: int,
        filename: str | None = None,
        is_inline: bool = False,
        response: ResponseHeaders | None = None,
        version_id: str | None = None,
    ) -> str:
        """Return a URL that reads the object for `expires_s` seconds.

        With `filename` a browser saves it under that name, or with `is_inline` shows it. `response` replaces
        other headers; its own disposition goes before both.
        """

    def presign_put(self, *, bucket: str, region: str, key: str, expires_s: int) -> str:
        """Return a URL that stores the object for `expires_s` seconds."""

    def presign_part(
        self, *, bucket: str, region: str, key: str, upload_id: str, number: int, expires_s: int
    ) -> str:
        """Return a URL that stores part `number` of an upload for `expires_s` seconds."""
