"""Addresses that need no key: presigned URLs."""

from __future__ import annotations

from typing import Any

from apps.storage.providers.cos.client import OnClient
from apps.storage.providers.cos.values import attachment_of


class AddressCalls(OnClient):
    """`contract.addresses` on the COS client."""

    def presign_get(
        self, *, bucket: str, region: str, key: str, expires_s: int, filename: str | None = None
    ) -> str:
        options: dict[str, Any] = {"ResponseContentDisposition": attachment_of(filename)} if filename else {}
        return self.client.get_object_url(Bucket=bucket, Region=region, Key=key, Expires=expires_s, **options)

    def presign_put(self, *, bucket: str, region: str, key: str, expires_s: int) -> str:
        return self.client.get_object_url(
            Bucket=bucket, Region=region, Key=key, Method="PUT", Expires=expires_s
        )
