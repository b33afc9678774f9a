"""Tencent Cloud COS behind the store contract."""

from __future__ import annotations

from apps.storage.features import CredentialField
from apps.storage.providers.cos.features import FEATURES
from apps.storage.providers.cos.store import CosStore
from apps.storage.registry import Provider
from apps.storage.types import Credentials, Endpoint

__all__ = ["PROVIDER", "CosStore"]


def _open(credentials: Credentials, endpoint: Endpoint) -> CosStore:
    return CosStore(credentials, endpoint)


PROVIDER = Provider(
    name="cos",
    label="Tencent Cloud COS",
    credential_fields=(
        CredentialField("secret_id", "SecretId", help_text="Of a CAM user with only the rights it needs."),
        CredentialField("secret_key", "SecretKey", is_secret=True),
        CredentialField(
            "token", "Session token", is_secret=True, is_required=False, help_text="Only for temporary keys."
        ),
    ),
    features=FEATURES,
    open=_open,
)
