"""A store that knows one multipart upload and one source: enough for a slice upload and a slice copy."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

import fastcrc

from tests.storage.recorder import Seen, reply
from tests.storage.wire.case import BUCKET, HOST, KEY

UPLOAD_ID = "1585130821cbb7df"
_UPLOADS = b"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"
_BEGUN = (
    f"<InitiateMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>{KEY}</Key><UploadId>{UPLOAD_ID}</UploadId>"
    "</InitiateMultipartUploadResult>"
).encode()
_DONE = (
    f"<CompleteMultipartUploadResult><Location>http://{HOST}/{quote(KEY)}</Location>"
    f'<Bucket>{BUCKET}</Bucket><Key>{KEY}</Key><ETag>"x-3"</ETag></CompleteMultipartUploadResult>'
).encode()


class PartStore:
    """Answers like a store that holds `source`, an object to copy from, with its headers."""

    def __init__(self, source: bytes = b"", **headers: str) -> None:
        self._source = source
        self._headers = headers
        self._parts: dict[int, bytes] = {}

    def answer(self, seen: Seen) -> bytes:
        """Return the answer to any request of a slice upload or a slice copy."""
        query = seen.query
        if seen.method == "HEAD":
            return self._headed()
        if "uploads" in query:
            return reply(200, _UPLOADS if seen.method == "GET" else _BEGUN)
        if seen.method == "POST":
            return self._completed()
        if "x-cos-copy-source" in seen.headers:
            return self._copied(seen)
        if "partNumber" in query:
            self._parts[int(query["partNumber"])] = seen.body
        return reply(200, ETag=_etag(seen.body), **_crc(seen.body))

    def _headed(self) -> bytes:
        # Only the length of the body is announced.
        fields = {"ETag": _etag(self._source), **_crc(self._source), **self._headers}
        return reply(200, Content_Length=str(len(self._source)), **fields)

    def _copied(self, seen: Seen) -> bytes:
        first, _, last = seen.headers.get("x-cos-copy-source-range", "").removeprefix("bytes=").partition("-")
        copied = self._source[int(first or 0) : int(last or len(self._source)) + 1]
        name = "CopyPartResult" if first else "CopyObjectResult"
        if first:
            self._parts[int(seen.query["partNumber"])] = copied
        crc = _crc(copied)
        return reply(200, f"<{name}><ETag>{_etag(copied)}</ETag></{name}>".encode(), **crc)

    def _completed(self) -> bytes:
        whole = b"".join(self._parts[number] for number in sorted(self._parts))
        return reply(200, _DONE, **_crc(whole))


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


def _crc(data: bytes) -> dict[str, str]:
    return {"x_cos_hash_crc64ecma": str(fastcrc.crc64.xz(data))}
