"""A boto-style client of Tencent Cloud Object Storage; needs no web framework."""

from __future__ import annotations

from apps.storage.cos.calls import Retries
from apps.storage.cos.cancel import CancelToken
from apps.storage.cos.client import CosClient
from apps.storage.cos.curl import Timeouts
from apps.storage.cos.download import Download

__all__ = ["CancelToken", "CosClient", "Download", "Retries", "Timeouts"]
