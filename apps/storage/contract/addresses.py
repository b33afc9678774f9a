"""Addresses of objects that work without a key, for as long as they last."""

from __future__ import annotations

from typing import Protocol


class Addresses(Protocol):
    """Presigned URLs. They are secrets: never log them. Making one sends nothing."""

    def presign_get(
        self, *, bucket: str, region: str, key: str, expires_s: int, filename: str | None = None
    ) -> str:
        """Return a URL that downloads the object for `expires_s` seconds, saved as `filename` if given."""

    def presign_put(self, *, bucket: str, region: str, key: str, expires_s: int) -> str:
        """Return a URL that stores the object for `expires_s` seconds."""
