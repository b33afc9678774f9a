"""The published vectors, and vectors that two official SDKs computed alike."""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qsl, urlsplit

import pytest

from apps.storage.cos import CosClient
from apps.storage.cos.signing import Signer, encoded_list, http_string_of, sign_key_of, signature_of
from apps.storage.types import Credentials
from tests.storage.identity import SECRET_ID, SECRET_KEY
from tests.storage.signatures import HOST, KEY_TIME, SET_A, SET_B, SIGN_KEY, Vector


def signer_at(now: float) -> Signer:
    return Signer(Credentials(SECRET_ID, SECRET_KEY), clock=lambda: now)


@pytest.fixture
def signer() -> Signer:
    return signer_at(1700000060)


@pytest.mark.parametrize("vector", SET_A, ids=lambda vector: vector.name)
def test_request_signature_matches_the_vector(signer: Signer, vector: Vector) -> None:
    authorization = signer.authorization(
        method=vector.method,
        path=vector.path,
        query=vector.query,
        headers=[*vector.signed_headers, ("User-Agent", "any")],
    )

    assert f"q-sign-time={KEY_TIME}&q-key-time={KEY_TIME}&" in authorization
    assert authorization.endswith(f"&q-signature={vector.signature}")


@pytest.mark.parametrize("vector", [*SET_A, *SET_B], ids=lambda vector: vector.name)
def test_each_step_matches_the_vector(vector: Vector) -> None:
    _, query = encoded_list(vector.query)
    _, headers = encoded_list(vector.signed_headers)

    http_string = http_string_of(vector.method, vector.path, query, headers)

    assert hashlib.sha1(http_string.encode()).hexdigest() == vector.digest
    assert signature_of(vector.sign_key, vector.key_time, http_string) == vector.signature


def test_sign_key_matches_the_vector() -> None:
    assert sign_key_of(SECRET_KEY, KEY_TIME) == SIGN_KEY


def test_whole_header_matches_the_vector(signer: Signer) -> None:
    vector = SET_A[0]

    authorization = signer.authorization(
        method=vector.method, path=vector.path, query=vector.query, headers=vector.signed_headers
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


def test_clock_that_is_set_back_signs_nothing_that_begins_ahead() -> None:
    now = [1_700_000_000.0]
    signer = Signer(Credentials("id", "key"), clock=lambda: now[0])
    signer.authorization(method="GET", path="/", query=(), headers=())

    for _ in range(25):
        now[0] -= 60
        signed = signer.authorization(method="GET", path="/", query=(), headers=())

        assert int(signed.split("q-sign-time=")[1].split(";")[0]) <= now[0]


def test_clock_that_is_set_back_gets_a_new_window() -> None:
    now = [1700000060.0]
    signer = Signer(Credentials(SECRET_ID, SECRET_KEY), clock=lambda: now[0])
    request = {"method": "GET", "path": "/", "query": [], "headers": [("Host", HOST)]}
    signer.authorization(**request)

    now[0] -= 86400

    assert "q-sign-time=1699913600;1699917200" in signer.authorization(**request)
