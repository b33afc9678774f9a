"""The published and the computed vectors of the request signature.

Set A was computed with the Python SDK and again with the Node SDK; A5 is a presigned URL. Set B is the worked
example of the official page, from its SignKeys on. Source: COS "Request signature", 2026-08.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from tests.storage.identity import SECRET_ID
from tests.storage.recorder import Seen

KEY_TIME = "1700000000;1700003600"
SIGN_KEY = "a069c1cad257d8755177bc7a34de0768e887d8c8"
HOST = "examplebucket-1250000000.cos.ap-guangzhou.myqcloud.com"
BEIJING = "examplebucket-1250000000.cos.ap-beijing.myqcloud.com"
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Vector:
    """A request, decoded, the SHA-1 of its HttpString, and its signature. `headers` lack the host."""

    name: str
    method: str
    path: str
    query: Pairs
    headers: Pairs
    digest: str
    signature: str
    key_time: str = KEY_TIME
    sign_key: str = SIGN_KEY
    host: str = HOST

    @property
    def signed_headers(self) -> Pairs:
        return (("Host", self.host), *self.headers)


SET_A = (
    Vector(
        "A1",
        "PUT",
        "/dir/中 文+a(1)~!*'.txt",
        (),
        (
            ("Content-Length", "13"),
            ("Content-MD5", "mQ/fVh815F3k6TAUm8m0eg=="),
            ("x-cos-acl", "private"),
            ("x-cos-grant-read", 'id="100000000011"'),
            ("x-cos-meta-Note", "a b/c=d&é"),
        ),
        "9b94d4d832af2ba545da781098f61ad67b717e76",
        "1e91a2337b346756142e0a3d2f48551a19c6a9aa",
    ),
    Vector(
        "A2",
        "GET",
        "/",
        (
            ("prefix", "dir/中 文+"),
            ("delimiter", "/"),
            ("marker", ""),
            ("max-keys", "10"),
            ("encoding-type", "url"),
        ),
        (),
        "b7e0555e50b60fc5ee252ca7be1cd1bb36ade1fe",
        "75c81f20474bad75bdb98027bbe9f290e1f09f0b",
    ),
    Vector(
        "A3",
        "PUT",
        "/",
        (("acl", ""),),
        (("Content-Length", "0"), ("x-cos-acl", "public-read")),
        "20a4798c66485ee0957864949ed12367fb4b2aea",
        "7fca80a3ad0d1cf55a0e78f5fd3c485cb86c1130",
    ),
    Vector(
        "A4",
        "PUT",
        "/big.bin",
        (("partNumber", "1"), ("uploadId", "1585130821cbb7df")),
        (("Content-Length", "1048576"),),
        "b9cbc62c0530a89275319c97e1fb22c09c607910",
        "8469b1de6cd2035df8537dd8b59459e944505d9d",
    ),
)

SET_B = (
    Vector(
        "B1",
        "PUT",
        "/exampleobject(腾讯云)",
        (),
        (
            ("Date", "Thu, 16 May 2019 06:45:51 GMT"),
            ("Content-Type", "text/plain"),
            ("Content-Length", "13"),
            ("Content-MD5", "mQ/fVh815F3k6TAUm8m0eg=="),
            ("x-cos-acl", "private"),
            ("x-cos-grant-read", 'uin="100000000011"'),
        ),
        "8b2751e77f43a0995d6e9eb9477f4b685cca4172",
        "3b8851a11a569213c17ba8fa7dcf2abec6935172",
        "1557989151;1557996351",
        "eb2519b498b02ac213cb1f3d1a3d27a3b3c9bc5f",
        BEIJING,
    ),
    Vector(
        "B2",
        "GET",
        "/exampleobject(腾讯云)",
        (("response-content-type", "application/octet-stream"), ("response-cache-control", "max-age=600")),
        (("Date", "Thu, 16 May 2019 06:55:53 GMT"),),
        "54ecfe22f59d3514fdc764b87a32d8133ea611e6",
        "01681b8c9d798a678e43b685a9f1bba0f6c0e012",
        "1557989753;1557996953",
        "937914bf490e9e8c189836aad2052e4feeb35eaf",
        BEIJING,
    ),
)


def seen_of(vector: Vector) -> Seen:
    """Return the vector as a server of A's key pair would see it."""
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in vector.query)
    headers = {name.lower(): value for name, value in vector.signed_headers}
    authorization = (
        f"q-sign-algorithm=sha1&q-ak={SECRET_ID}&q-sign-time={vector.key_time}&q-key-time={vector.key_time}"
        f"&q-header-list={_names(vector.signed_headers)}&q-url-param-list={_names(vector.query)}"
        f"&q-signature={vector.signature}"
    )
    target = quote(vector.path, safe="/") + (f"?{query}" if query else "")
    return Seen(vector.method, target, {**headers, "authorization": authorization}, b"")


def _names(pairs: Pairs) -> str:
    return ";".join(sorted(name.lower() for name, _ in pairs))
