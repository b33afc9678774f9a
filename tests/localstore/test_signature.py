"""The signature rules, against vectors that others computed and against the running server."""

from __future__ import annotations

import hashlib
import time
from urllib.parse import quote

import pytest

from apps.localstore import Account, LocalStore
from apps.localstore.accounts import Directory
from apps.localstore.errors import StoreError
from apps.localstore.request import Request, parse_head
from apps.localstore.signature import (
    authenticate,
    claim_of,
    http_strings,
    sign_key,
    signature_of,
    string_to_sign,
)
from tests.localstore.conftest import OWNER, TEMPORARY, Connect
from tests.localstore.wire import Wire, authorization

VECTOR_ACCOUNT = Account(
    secret_id="AKIDEXAMPLE0000000000000000000000000", secret_key="SECRETEXAMPLE000000000000000000"
)
TIMES = "1700000000;1700003600"
HOST = "examplebucket-1250000000.cos.ap-guangzhou.myqcloud.com"
NOTE = "a b/c=d&é".encode().decode("latin-1")

# name, method, target, headers, listed headers, listed parameters, signature
SET_A = [
    (
        "PUT",
        "/dir/%E4%B8%AD%20%E6%96%87%2Ba(1)~!*'.txt",
        {
            "Content-Length": "13",
            "Content-MD5": "mQ/fVh815F3k6TAUm8m0eg==",
            "x-cos-acl": "private",
            "x-cos-grant-read": 'id="100000000011"',
            "x-cos-meta-Note": NOTE,
        },
        "content-length;content-md5;host;x-cos-acl;x-cos-grant-read;x-cos-meta-note",
        "",
        "1e91a2337b346756142e0a3d2f48551a19c6a9aa",
    ),
    (
        "GET",
        "/?prefix=dir%2F%E4%B8%AD+%E6%96%87%2B&delimiter=%2F&marker=&max-keys=10&encoding-type=url",
        {},
        "host",
        "delimiter;encoding-type;marker;max-keys;prefix",
        "75c81f20474bad75bdb98027bbe9f290e1f09f0b",
    ),
    (
        "PUT",
        "/?acl",
        {"Content-Length": "0", "x-cos-acl": "public-read"},
        "content-length;host;x-cos-acl",
        "acl",
        "7fca80a3ad0d1cf55a0e78f5fd3c485cb86c1130",
    ),
    (
        "PUT",
        "/big.bin?partNumber=1&uploadId=1585130821cbb7df",
        {"Content-Length": "1048576"},
        "content-length;host",
        "partnumber;uploadid",
        "8469b1de6cd2035df8537dd8b59459e944505d9d",
    ),
]


def request_of(method: str, target: str, headers: dict[str, str]) -> Request:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return parse_head("\r\n".join(lines).encode("latin-1"))


def fields(header_list: str, param_list: str, signature: str, times: str = TIMES) -> str:
    return (
        f"q-sign-algorithm=sha1&q-ak={VECTOR_ACCOUNT.secret_id}&q-sign-time={times}&q-key-time={times}"
        f"&q-header-list={header_list}&q-url-param-list={param_list}&q-signature={signature}"
    )


@pytest.mark.parametrize(("method", "target", "headers", "names", "params", "signature"), SET_A)
@pytest.mark.parametrize("port", ["", ":8080"])
def test_vectors_of_the_sdk_verify(
    method: str, target: str, headers: dict[str, str], names: str, params: str, signature: str, port: str
) -> None:
    sent = {"Host": HOST + port, **headers, "Authorization": fields(names, params, signature)}

    account = authenticate(request_of(method, target, sent), Directory([VECTOR_ACCOUNT]), 1700000100)

    assert account == VECTOR_ACCOUNT


def test_presigned_vector_verifies_and_a_changed_parameter_does_not() -> None:
    listed = "response-content-type%3Bx-cos-security-token"
    signed = fields("host", listed, "fb6acd6fb8351452268de3a6c954e0504bfe78c0", "1700000000%3B1700003600")
    tail = "response-content-type=text%2Fplain&x-cos-security-token=TOK%2FEN%2B%3D"
    target = f"/dir/%E4%B8%AD%20%E6%96%87%2Ba.txt?{signed}&{tail}"
    directory = Directory([VECTOR_ACCOUNT])

    account = authenticate(request_of("GET", target, {"Host": HOST}), directory, 1700000100)

    assert account == VECTOR_ACCOUNT
    changed = request_of("GET", target.replace("plain", "html"), {"Host": HOST})
    with pytest.raises(StoreError, match="SignatureDoesNotMatch"):
        authenticate(changed, directory, 1700000100)


B_HOST = "examplebucket-1250000000.cos.ap-beijing.myqcloud.com"
SET_B = [
    (
        "1557989151;1557996351",
        "eb2519b498b02ac213cb1f3d1a3d27a3b3c9bc5f",
        "PUT",
        "",
        {
            "Date": "Thu, 16 May 2019 06:45:51 GMT",
            "Host": B_HOST,
            "Content-Type": "text/plain",
            "Content-Length": "13",
            "Content-MD5": "mQ/fVh815F3k6TAUm8m0eg==",
            "x-cos-acl": "private",
            "x-cos-grant-read": 'uin="100000000011"',
        },
        "content-length;content-md5;content-type;date;host;x-cos-acl;x-cos-grant-read",
        "",
        "8b2751e77f43a0995d6e9eb9477f4b685cca4172",
        "3b8851a11a569213c17ba8fa7dcf2abec6935172",
    ),
    (
        "1557989753;1557996953",
        "937914bf490e9e8c189836aad2052e4feeb35eaf",
        "GET",
        "?response-content-type=application%2Foctet-stream&response-cache-control=max-age%3D600",
        {"Date": "Thu, 16 May 2019 06:55:53 GMT", "Host": B_HOST},
        "date;host",
        "response-cache-control;response-content-type",
        "54ecfe22f59d3514fdc764b87a32d8133ea611e6",
        "01681b8c9d798a678e43b685a9f1bba0f6c0e012",
    ),
]


@pytest.mark.parametrize(
    ("times", "key", "method", "query", "headers", "names", "params", "digest", "signature"), SET_B
)
def test_vectors_of_the_official_page_verify(
    times: str,
    key: str,
    method: str,
    query: str,
    headers: dict[str, str],
    names: str,
    params: str,
    digest: str,
    signature: str,
) -> None:
    target = "/exampleobject(%E8%85%BE%E8%AE%AF%E4%BA%91)" + query
    sent = {**headers, "Authorization": fields(names, params, signature, times)}
    request = request_of(method, target, sent)
    claim = claim_of(request)
    assert claim is not None

    http = next(http_strings(request, claim))

    assert hashlib.sha1(http).hexdigest() == digest
    assert signature_of(key, string_to_sign(times, http)) == signature


def test_sign_key_of_the_vectors() -> None:
    assert sign_key(VECTOR_ACCOUNT.secret_key, TIMES) == "a069c1cad257d8755177bc7a34de0768e887d8c8"


def test_a_wrong_signature_shows_what_was_signed(wire: Wire) -> None:
    sent = authorization(OWNER, "GET", "/", {"Host": wire.host})

    reply = wire.request("GET", "/?max-keys=1", {"Authorization": sent[:-1] + "x"})

    assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch")
    assert (reply.xml.findtext("StringToSign") or "").startswith("sha1\n")
    assert (reply.xml.findtext("FormatString") or "").startswith("get\n/\n")


@pytest.mark.parametrize(
    ("start", "end", "code", "message"),
    [
        (-7200, -3600, "AccessDenied", "Request has expired"),
        (3600, 7200, "RequestTimeTooSkewed", None),
        (800, 7200, None, None),
    ],
)
def test_clock_rules(wire: Wire, start: int, end: int, code: str | None, message: str | None) -> None:
    now = int(time.time())
    signed = authorization(OWNER, "GET", "/", {"Host": wire.host}, times=f"{now + start};{now + end}")

    reply = wire.request("GET", "/", {"Authorization": signed})

    assert reply.status == (403 if code else 200)
    assert reply.xml.findtext("Code") == code
    assert message is None or reply.xml.findtext("Message") == message
    assert code is None or reply.xml.findtext("ServerTime")


def test_skewed_server_refuses_honest_clients(store: LocalStore, wire: Wire) -> None:
    store.faults.add("clock_skew", seconds=-7200)

    assert wire.call("GET", "/").code == "RequestTimeTooSkewed"
    assert wire.call("GET", "/").status == 200


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [("", 403, "InvalidAccessKeyId"), ("wrong", 400, "ExpiredToken"), ("TOK/EN+=", 200, None)],
)
def test_temporary_keys_need_their_token(connect: Connect, token: str, status: int, code: str | None) -> None:
    wire = connect(TEMPORARY)

    reply = wire.request("GET", "/", {"x-cos-security-token": token} if token else {})

    assert (reply.status, reply.code) == (status, code)


def test_unknown_key_is_named_so(connect: Connect) -> None:
    wire = connect(Account(secret_id="AKIDNOBODY", secret_key="x"))

    assert wire.call("GET", "/").code == "InvalidAccessKeyId"


@pytest.mark.parametrize(
    "header", ["nonsense", "q-sign-algorithm=md5&q-ak=x", "Basic dTpw", "q-ak=" + "%" * 50]
)
def test_unreadable_authorization_is_refused(wire: Wire, header: str) -> None:
    assert wire.request("GET", "/", {"Authorization": header}).code == "AccessDenied"


def test_empty_authorization_is_anonymous(wire: Wire) -> None:
    assert wire.request("GET", "/", {"Authorization": ""}).code == "AccessDenied"


def test_blank_behind_a_key_id_belongs_to_it(wire: Wire) -> None:
    sent = authorization(OWNER, "GET", "/", {"Host": wire.host}).replace("q-ak=AKIDOWNER", "q-ak=AKIDOWNER ")

    assert wire.request("GET", "/", {"Authorization": sent}).code == "InvalidAccessKeyId"


@pytest.mark.parametrize(("tail", "status"), [("", 200), ("x", 403)])
def test_whole_authorization_may_travel_as_one_parameter(
    wire: Wire, connect: Connect, tail: str, status: int
) -> None:
    wire.call("PUT", "/k", b"content")
    signed = authorization(OWNER, "GET", "/k?a%26b=c", {"Host": wire.host})

    reply = connect(None).call("GET", f"/k?sign={quote(signed + tail, safe='')}&a%26b=c")

    assert reply.status == status
