"""Addresses of objects: plain and presigned."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

from apps.storage.cos.addresses import object_address, region_canonical
from apps.storage.cos.keys import key_check
from apps.storage.errors import Refused
from apps.storage.providers.cos.client import OnClient
from apps.storage.providers.cos.values import disposition_of, response_options
from apps.storage.types import ObjectRef, ResponseHeaders

# Both public suffixes mean the same buckets. Source: COS "Regions and access endpoints", 2026-08.
_SUFFIXES = ("myqcloud.com", "tencentcos.cn")
_HOST = re.compile(r"([a-z0-9-]+-[0-9]+)\.cos(?:-internal|-website)?\.([a-z0-9-]+)\.(.+)")
# Global acceleration stands where a region does, and leads to the bucket wherever that lies.
_EVERYWHERE = re.compile(r"accelerate(-.+)?")


class AddressCalls(OnClient):
    """`contract.addresses` on the COS client."""

    def object_url(self, *, bucket: str, region: str, key: str) -> str:
        key_check(key)
        return object_address(self.client.endpoint, bucket, region, key)

    def object_of_url(self, url: str) -> ObjectRef | None:
        try:
            parts = urlsplit(url.strip())
            host = _HOST.fullmatch(parts.hostname or "")
            key = unquote(parts.path[1:], errors="strict")
            if host is None or host[3] not in (*_SUFFIXES, self.client.endpoint.suffix.partition(":")[0]):
                return None
            key_check(key)
            region = "" if _EVERYWHERE.fullmatch(host[2]) else region_canonical(host[2])
            return ObjectRef(host[1], region, key)
        except (ValueError, Refused):
            return None

    def url_expires_at(self, url: str) -> datetime | None:
        # `q-sign-time` is `start;end` in unix seconds. Source: COS "Request signature", 2026-08.
        with suppress(ValueError, OverflowError, OSError):
            said = parse_qs(urlsplit(url.strip()).query).get("q-sign-time", [""])[0]
            return datetime.fromtimestamp(int(said.partition(";")[2]), UTC)
        return None

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
        response = response or ResponseHeaders()
        disposition = response.content_disposition or disposition_of(filename, is_inline=is_inline)
        options = response_options(replace(response, content_disposition=disposition))
        return self.client.get_object_url(
            Bucket=bucket, Region=region, Key=key, Expires=expires_s, VersionId=version_id, **options
        )

    def presign_put(self, *, bucket: str, region: str, key: str, expires_s: int) -> str:
        return self.client.get_object_url(
            Bucket=bucket, Region=region, Key=key, Method="PUT", Expires=expires_s
        )

    def presign_part(
        self, *, bucket: str, region: str, key: str, upload_id: str, number: int, expires_s: int
    ) -> str:
        return self.client.get_object_url(
            Bucket=bucket,
            Region=region,
            Key=key,
            Method="PUT",
            Expires=expires_s,
            Query={"partNumber": str(number), "uploadId": upload_id},
        )
