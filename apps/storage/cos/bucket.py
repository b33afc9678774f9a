"""Operations on a bucket itself, and the listing of what is inside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Unpack

from apps.storage import errors
from apps.storage.cos.addresses import bucket_host, region_canonical
from apps.storage.cos.arguments import text_argument
from apps.storage.cos.bodies import BytesBody
from apps.storage.cos.calls import Caller, Result, xml_request
from apps.storage.cos.messages import Answer, Repeat
from apps.storage.cos.options import BucketOptions, Pairs, encoding_parameter, headers_of, parameters_of
from apps.storage.cos.xmlread import Decoder, Element, text_of, xml_parse
from apps.storage.cos.xmlwrite import bucket_body


class BucketOperations(Caller):
    """Head, Put, Delete, Get Bucket and Get Bucket Location."""

    def head_bucket(self, *, Bucket: str, Region: str) -> Result:
        """Return `BucketExist` and `BucketAuth`: a missing or forbidden bucket is an answer, not an error.

        READ on the bucket is needed for both to be true. Raises Refused for a name that no bucket can have,
        and Unavailable when the store gives no answer. Source: HEAD Bucket, 2026-08.
        """
        try:
            answer = self._bucket_call("Head Bucket", "HEAD", Bucket, Region)
        except errors.BucketNotFound as error:
            return {"BucketExist": False, "BucketAuth": False, "RequestId": error.request_id}
        except errors.Denied as error:
            return {"BucketExist": True, "BucketAuth": False, "RequestId": error.request_id}
        return {"BucketExist": True, "BucketAuth": True, "RequestId": answer.request_id}

    def put_bucket(
        self,
        *,
        Bucket: str,
        Region: str,
        BucketAZConfig: str | None = None,
        **options: Unpack[BucketOptions],
    ) -> Result:
        """Create a bucket and return its `Location`, the host that answers for it.

        `BucketAZConfig="MAZ"` spreads it over several zones, where the region has them. Raises Conflict when
        the name is taken, by us or by others. Not repeated when the connection breaks: the second try of a
        success is a conflict. Source: PUT Bucket, 2026-08.
        """
        answer = self._bucket_call(
            "Put Bucket",
            "PUT",
            Bucket,
            Region,
            repeat=Repeat.NEVER,
            **_bucket_request(BucketAZConfig, headers_of(options, BucketOptions)),
        )
        return {"Location": bucket_host(self.endpoint, Bucket, Region), "RequestId": answer.request_id}

    def delete_bucket(self, *, Bucket: str, Region: str) -> Result:
        """Delete an empty bucket and return `DeleteBucketSuccess`.

        Raises Conflict while it holds objects, versions or unfinished uploads. Not repeated when the
        connection breaks. Source: DELETE Bucket, 2026-08.
        """
        answer = self._bucket_call(
            "Delete Bucket", "DELETE", Bucket, Region, accepts=(200, 204), repeat=Repeat.NEVER
        )
        return {"DeleteBucketSuccess": True, "RequestId": answer.request_id}

    def get_bucket_location(self, *, Bucket: str, Region: str) -> Result:
        """Return `LocationConstraint`: today's name of the region, also where the store says an old one.

        Raises BucketNotFound, and Denied for anybody but the owner. Source: GET Bucket Location, 2026-08.
        """
        answer = self._bucket_call("Get Bucket Location", "GET", Bucket, Region, query=(("location", ""),))
        root = xml_parse(answer.body, "LocationConstraint")
        # One capture of the real answer says `cos.ap-beijing`, and old buckets may still have an alias.
        told = (root.text or "").strip()
        try:
            return {"LocationConstraint": region_canonical(told), "RequestId": answer.request_id}
        except errors.Refused:
            raise errors.Unavailable(
                "The store did not name a region.",
                request_id=answer.request_id,
                operation="Get Bucket Location",
            ) from None

    def get_bucket(
        self,
        *,
        Bucket: str,
        Region: str,
        Prefix: str | None = "",
        Delimiter: str | None = "",
        Marker: str | None = "",
        MaxKeys: int | str | None = None,
        EncodingType: str | None = "url",
    ) -> Result:
        """Return one page of objects, in UTF-8 byte order of keys, decoded.

        `Contents` are records with `Key`, `Size` (bytes, as text), `ETag` (with quotes), `LastModified`
        (ISO 8601), `StorageClass` and `Owner`; `CommonPrefixes` are records with `Prefix`. Both are lists,
        empty rather than absent. `MaxKeys` bounds both together, at most 1000. While `IsTruncated` is "true",
        the next page begins after `Marker=NextMarker`, which is filled in where the store leaves it out.
        `url` is the only encoding and always asked for: without it a key with a control character breaks the
        XML. Raises BucketNotFound and Denied. Source: GET Bucket, 2026-08.
        """
        options = {"Prefix": Prefix, "Delimiter": Delimiter, "Marker": Marker, "MaxKeys": MaxKeys}
        answer = self._get_bucket(Bucket, Region, options, EncodingType)
        return {**_listing(answer.body), "RequestId": answer.request_id}

    def get_bucket_xml(
        self,
        *,
        Bucket: str,
        Region: str,
        Prefix: str | None = "",
        Delimiter: str | None = "",
        Marker: str | None = "",
        MaxKeys: int | str | None = None,
    ) -> bytes:
        """Return one page of objects as the store wrote it, for a caller who has a reader of its own.

        A thousand records cost more to make than to receive. Names in it are encoded, where it says so.
        Raises BucketNotFound and Denied. Source: GET Bucket, 2026-08.
        """
        options = {"Prefix": Prefix, "Delimiter": Delimiter, "Marker": Marker, "MaxKeys": MaxKeys}
        return self._get_bucket(Bucket, Region, options).body

    def _get_bucket(
        self, bucket: str, region: str, options: Mapping[str, Any], encoding: str | None = "url"
    ) -> Answer:
        query = (*parameters_of(options), encoding_parameter(encoding))
        return self._bucket_call("Get Bucket", "GET", bucket, region, query=query)

    def get_bucket_pages(
        self,
        *,
        Bucket: str,
        Region: str,
        Prefix: str | None = "",
        Delimiter: str | None = "",
        Marker: str | None = "",
        MaxKeys: int | str | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of Get Bucket from `Marker` to the end, each when it is asked for.

        One page is held at a time, so that memory does not grow with the bucket. Raises Unavailable for a
        store that would have the same page read again. Source: GET Bucket, 2026-08.
        """
        marker, is_truncated = Marker, "true"
        while is_truncated == "true":
            page = self.get_bucket(
                Bucket=Bucket,
                Region=Region,
                Prefix=Prefix,
                Delimiter=Delimiter,
                Marker=marker,
                MaxKeys=MaxKeys,
            )
            before, marker, is_truncated = marker, page["NextMarker"], page["IsTruncated"]
            yield page
            # The next page is read without this one in memory.
            del page
            # Byte order, and not only another marker: two pages that name each other would never end either.
            if is_truncated == "true" and marker.encode() <= (before or "").encode():
                raise errors.Unavailable("The store lists no further than before.", operation="Get Bucket")


def _bucket_request(zones: str | None, headers: Pairs) -> dict[str, Any]:
    if not zones:
        return {"body": BytesBody(b""), "headers": headers}
    request = xml_request(bucket_body(text_argument("BucketAZConfig", zones)))
    return {**request, "headers": (*request["headers"], *headers)}


def _listing(body: bytes) -> Result:
    root = xml_parse(body, "ListBucketResult")
    decoder = Decoder(root)
    contents = list(decoder.records(root, "Contents"))
    prefixes = decoder.prefixes(root)
    names = [record["Key"] for record in contents] + prefixes
    return {
        "Name": text_of(root, "Name"),
        "Prefix": decoder.child(root, "Prefix"),
        "Marker": decoder.child(root, "Marker"),
        "MaxKeys": text_of(root, "MaxKeys"),
        "Delimiter": decoder.child(root, "Delimiter"),
        "EncodingType": decoder.encoding,
        "Encoding-Type": decoder.encoding,
        **page_end(root, decoder, names),
        "CommonPrefixes": [{"Prefix": prefix} for prefix in prefixes],
        "Contents": contents,
    }


def page_end(root: Element, decoder: Decoder, names: Iterable[str]) -> dict[str, str]:
    """Return `IsTruncated` and `NextMarker` of a page with these names on it.

    A truncated page that does not say where it ends does so with the last name, byte-wise.
    """
    is_truncated = text_of(root, "IsTruncated", "false").lower()
    marker = decoder.child(root, "NextMarker")
    if not marker and is_truncated == "true":
        marker = max(names, key=str.encode, default="")
    return {"IsTruncated": is_truncated, "NextMarker": marker}
