"""Addresses that carry their signature. They are secrets while they last: never log them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack
from urllib.parse import quote, urlencode

from apps.storage.cos.addresses import bucket_host
from apps.storage.cos.arguments import mapping_argument, method_argument, number_argument, text_argument
from apps.storage.cos.calls import Caller
from apps.storage.cos.keys import key_check, key_quote
from apps.storage.cos.messages import query_quote
from apps.storage.cos.options import ResponseOptions, headers_of, parameters_of
from apps.storage.errors import Refused


class PresignOperations(Caller):
    """Get Object Url: presigned GET and PUT."""

    def get_object_url(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        Method: str = "GET",
        Expires: int | str = 900,
        Query: Mapping[str, str] | None = None,
        VersionId: str | None = None,
        **options: Unpack[ResponseOptions],
    ) -> str:
        """Return a URL that lets anybody do `Method` on the object for `Expires` seconds. Sends nothing.

        `Response…` options and `Query` (such as `partNumber`) become signed parameters. Of the headers only
        the host is signed, so that a browser may add its own. A temporary key's token is part of the URL.
        Raises Refused for an illegal key and for a client without a key pair, TypeError for an unknown
        option. Source: COS "Presigned URL", 2026-08.
        """
        if not self._signer.has_key_pair:
            raise Refused("An address cannot be signed without a key pair.")
        key_check(Key)
        host = bucket_host(self.endpoint, Bucket, Region)
        headers_of(options, ResponseOptions)
        extra = mapping_argument("Query", Query or {})
        query = [
            *parameters_of({"VersionId": VersionId, **options}),
            *((name, text_argument(f"{name} in Query", value)) for name, value in extra.items()),
        ]
        if self._signer.token:
            query.append(("x-cos-security-token", self._signer.token))
        signature = self._signer.presigned(
            method=method_argument("Method", Method),
            path=f"/{Key}",
            query=query,
            headers=[("Host", host)],
            expires_s=number_argument("Expires", Expires, least=1),
        )
        # An empty list of parameters keeps its equals sign, as in every signature of the official SDKs.
        signed = urlencode(signature, quote_via=quote, safe="")
        target = f"/{key_quote(Key)}?{signed}&{query_quote(query)}".removesuffix("&")
        return f"{self.endpoint.scheme}://{host}{target}"
