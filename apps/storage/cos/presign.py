"""Addresses that carry their signature. They are secrets while they last: never log them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from apps.storage.cos.addresses import bucket_host
from apps.storage.cos.calls import Caller
from apps.storage.cos.keys import key_check, key_quote
from apps.storage.cos.messages import query_quote
from apps.storage.cos.options import parameters_of


class PresignOperations(Caller):
    """Get Object Url: presigned GET and PUT."""

    def get_object_url(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        Method: str = "GET",
        Expires: int = 900,
        Query: Mapping[str, str] | None = None,
        **options: Any,
    ) -> str:
        """Return a URL that lets anybody do `Method` on the object for `Expires` seconds. Sends nothing.

        `Response…` options and `Query` (such as `partNumber`) become signed parameters. Of the headers only
        the host is signed, so that a browser may add its own. A temporary key's token is part of the URL.
        Raises Refused for an illegal key. Source: COS "Presigned URL", 2026-08.
        """
        key_check(Key)
        host = bucket_host(self.endpoint, Bucket, Region)
        query = [*parameters_of(options), *(Query or {}).items()]
        if self._signer.token:
            query.append(("x-cos-security-token", self._signer.token))
        signature = self._signer.presigned(
            method=Method, path=f"/{Key}", query=query, headers=[("Host", host)], expires_s=Expires
        )
        # An empty list of parameters keeps its equals sign, as in every signature of the official SDKs.
        signed = urlencode(signature, quote_via=quote, safe="")
        target = f"/{key_quote(Key)}?{signed}&{query_quote(query)}".removesuffix("&")
        return f"{self.endpoint.scheme}://{host}{target}"
