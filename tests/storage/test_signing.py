"""The published vectors, and vectors that two official SDKs computed alike."""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qsl, urlsplit

import pytest

from apps.storage.cos import CosClient
from apps.storage.cos.signing import Signer, http_string_of, sign_key_of, signature_of
from apps.storage.types import Credentials
from tests.storage.conftest import SECRET_ID, SECRET_KEY

KEY_TIME = "1700000000;1700003600"
HOST = "examplebucket-1250000000.cos.ap-guangzhou.myqcloud.com"
BEIJING = "examplebucket-1250000000.cos.ap-beijing.myqcloud.com"


def signer_at(now: float) -> Signer:
    return Signer(Credentials(SECRET_ID, SECRET_KEY), clock=lambda: now)


@pytest.fixture
def signer() -> Signer:
    return signer_at(1700000060)


VECTORS = {
    "A1": (
        "PUT",
        "/dir/中 文+a(1)~!*'.txt",
        [],
        [
            ("Content-Length", "13"),
            ("Content-MD5", "mQ/fVh815F3k6TAUm8m0eg=="),
            ("x-cos-acl", "private"),
            ("x-cos-grant-read", 'id="100000000011"'),
            ("x-cos-meta-Note", "a b/c=d&é"),
        ],
        "1e91a2337b346756142e0a3d2f48551a19c6a9aa",
    ),
    "A2": (
        "GET",
        "/",
        [
            ("prefix", "dir/中 文+"),
            ("delimiter", "/"),
            ("marker", ""),
            ("max-keys", "10"),
            ("encoding-type", "url"),
        ],
        [],
        "75c81f20474bad75bdb98027bbe9f290e1f09f0b",
    ),
    "A3": (
        "PUT",
        "/",
        [("acl", "")],
        [("Content-Length", "0"), ("x-cos-acl", "public-read")],
        "7fca80a3ad0d1cf55a0e78f5fd3c485cb86c1130",
    ),
    "A4": (
        "PUT",
        "/big.bin",
        [("partNumber", "1"), ("uploadId", "1585130821cbb7df")],
        [("Content-Length", "1048576")],
        "8469b1de6cd2035df8537dd8b59459e944505d9d",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_request_signature_matches_the_vector(signer: Signer, name: str) -> None:
    method, path, query, headers, signature = VECTORS[name]

    authorization = signer.authorization(
        method=method, path=path, query=query, headers=[("Host", HOST), ("User-Agent", "any"), *headers]
    )

    assert f"q-sign-time={KEY_TIME}&q-key-time={KEY_TIME}&" in authorization
    assert authorization.endswith(f"&q-signature={signature}")


def test_sign_key_matches_the_vector() -> None:
    assert sign_key_of(SECRET_KEY, KEY_TIME) == "a069c1cad257d8755177bc7a34de0768e887d8c8"


def test_whole_header_matches_the_vector(signer: Signer) -> None:
    method, path, query, headers, _ = VECTORS["A1"]

    authorization = signer.authorization(
        method=method, path=path, query=query, headers=[("Host", HOST), *headers]
    )

    assert authorization == (
        f"q-sign-algorithm=sha1&q-ak={SECRET_ID}&q-sign-time={KEY_TIME}&q-key-time={KEY_TIME}"
        "&q-header-list=content-length;content-md5;host;x-cos-acl;x-cos-grant-read;x-cos-meta-note"
        "&q-url-param-list=&q-signature=1e91a2337b346756142e0a3d2f48551a19c6a9aa"
    )


def test_presigned_url_matches_vector_a5() -> None:
    # The window of a URL begins a minute early, so the vector's hour is what 3540 seconds ask for.
    client = CosClient(credentials=Credentials(SECRET_ID, SECRET_KEY, "TOK/EN+="), clock=lambda: 1700000060)

    url = client.get_object_url(
        Bucket="examplebucket-1250000000",
        Region="ap-guangzhou",
        Key="dir/中 文+a.txt",
        Expires=3540,
        ResponseContentType="text/plain",
    )

    fields = dict(parse_qsl(urlsplit(url).query))
    assert urlsplit(url).path == "/dir/%E4%B8%AD%20%E6%96%87%2Ba.txt"
    assert fields["q-signature"] == "fb6acd6fb8351452268de3a6c954e0504bfe78c0"
    assert fields["q-url-param-list"] == "response-content-type;x-cos-security-token"
    assert "&q-sign-time=1700000000%3B1700003600&" in url
    assert url.endswith("&response-content-type=text%2Fplain&x-cos-security-token=TOK%2FEN%2B%3D")


@pytest.mark.parametrize(
    ("key_time", "sign_key", "http_string", "digest", "signature"),
    [
        pytest.param(
            "1557989151;1557996351",
            "eb2519b498b02ac213cb1f3d1a3d27a3b3c9bc5f",
            http_string_of(
                "PUT",
                "/exampleobject(腾讯云)",
                "",
                "content-length=13&content-md5=mQ%2FfVh815F3k6TAUm8m0eg%3D%3D&content-type=text%2Fplain"
                "&date=Thu%2C%2016%20May%202019%2006%3A45%3A51%20GMT&host=" + BEIJING + "&x-cos-acl=private"
                "&x-cos-grant-read=uin%3D%22100000000011%22",
            ),
            "8b2751e77f43a0995d6e9eb9477f4b685cca4172",
            "3b8851a11a569213c17ba8fa7dcf2abec6935172",
            id="B1",
        ),
        pytest.param(
            "1557989753;1557996953",
            "937914bf490e9e8c189836aad2052e4feeb35eaf",
            http_string_of(
                "GET",
                "/exampleobject(腾讯云)",
                "response-cache-control=max-age%3D600&response-content-type=application%2Foctet-stream",
                "date=Thu%2C%2016%20May%202019%2006%3A55%3A53%20GMT&host=" + BEIJING,
            ),
            "54ecfe22f59d3514fdc764b87a32d8133ea611e6",
            "01681b8c9d798a678e43b685a9f1bba0f6c0e012",
            id="B2",
        ),
    ],
)
def test_signature_matches_the_official_page(
    key_time: str, sign_key: str, http_string: str, digest: str, signature: str
) -> None:
    assert hashlib.sha1(http_string.encode()).hexdigest() == digest
    assert signature_of(sign_key, key_time, http_string) == signature


def test_key_time_is_renewed_before_it_ends() -> None:
    now = [1700000060.0]
    signer = Signer(Credentials(SECRET_ID, SECRET_KEY), clock=lambda: now[0])
    request = {"method": "GET", "path": "/", "query": [], "headers": [("Host", HOST)]}

    first = signer.authorization(**request)
    now[0] += 1700
    kept = signer.authorization(**request)
    now[0] += 200
    renewed = signer.authorization(**request)

    assert first == kept
    assert "q-sign-time=1700001900;1700005500" in renewed


def test_clock_that_is_set_back_gets_a_new_window() -> None:
    now = [1700000060.0]
    signer = Signer(Credentials(SECRET_ID, SECRET_KEY), clock=lambda: now[0])
    request = {"method": "GET", "path": "/", "query": [], "headers": [("Host", HOST)]}
    signer.authorization(**request)

    now[0] -= 86400

    assert "q-sign-time=1699913600;1699917200" in signer.authorization(**request)
