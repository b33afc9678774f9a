"""Links that carry their signature: spelled raw or encoded, with tokens, for one verb and for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote

import pytest

from apps.localstore.accounts import Account
from tests.localstore.conftest import OWNER, TEMPORARY, Connect
from tests.localstore.wire import Wire, authorization

TOKEN = "x-cos-security-token=" + quote(TEMPORARY.token or "", safe="")


def link(wire: Wire, method: str, target: str, account: Account = OWNER, **options: str) -> str:
    """Return the target with the signature's fields as they are, `;` and all."""
    signed = authorization(account, method, target, {"Host": wire.host}, **options)  # type: ignore[arg-type]
    return f"{target}{'&' if '?' in target else '?'}{signed}"


def encoded(target: str) -> str:
    """Return the same link as the Python SDK spells it."""
    return target.replace(";", "%3B")


@pytest.mark.parametrize("spelled", [str, encoded])
@pytest.mark.parametrize(
    "target", ["/k", "/a%2F..%2Fb", "/%E4%B8%AD%20%2B.txt", "/k?response-content-type=a%2Fb"]
)
def test_links_work_for_whoever_holds_them(
    wire: Wire, connect: Connect, spelled: Callable[[str], str], target: str
) -> None:
    wire.call("PUT", target.partition("?")[0], b"shared")

    assert connect(None).call("GET", spelled(link(wire, "GET", target))).body == b"shared"


def test_link_is_for_its_verb_key_and_parameters_alone(wire: Wire, connect: Connect) -> None:
    wire.call("PUT", "/k", b"x")
    wire.call("PUT", "/other", b"x")
    target = link(wire, "GET", "/k?response-content-type=a")
    anybody = connect(None)

    changed = [
        anybody.call("DELETE", target),
        anybody.call("GET", target.replace("/k?", "/other?")),
        anybody.call("GET", target.replace("content-type=a", "content-type=b")),
    ]

    assert [reply.code for reply in changed] == ["SignatureDoesNotMatch"] * 3
    assert anybody.call("GET", target).header("Content-Type") == "a"


def test_link_uploads(wire: Wire, connect: Connect) -> None:
    assert connect(None).call("PUT", link(wire, "PUT", "/k"), b"sent", x_cos_meta_a="b").status == 200

    assert wire.call("GET", "/k").header("x-cos-meta-a") == "b"


def test_link_ends(wire: Wire, connect: Connect) -> None:
    wire.call("PUT", "/k", b"x")
    past = int(time.time()) - 100

    reply = connect(None).call("GET", link(wire, "GET", "/k", times=f"{past - 60};{past}"))

    assert (reply.status, reply.code) == (403, "AccessDenied")
    assert reply.xml.findtext("Message") == "Request has expired"
    assert reply.xml.findtext("ServerTime")


@pytest.mark.parametrize("is_signed", [True, False])
def test_token_travels_in_the_link(wire: Wire, connect: Connect, is_signed: bool) -> None:
    wire.call("PUT", "/k", b"x")
    if is_signed:
        target = link(wire, "GET", f"/k?{TOKEN}", TEMPORARY)
    else:
        target = f"{link(wire, 'GET', '/k', TEMPORARY)}&{TOKEN}"

    assert connect(None).call("GET", target).status == 200
    assert connect(None).call("GET", target.replace(TOKEN, f"{TOKEN}x")).code == "ExpiredToken"
    assert connect(None).call("GET", link(wire, "GET", "/k", TEMPORARY)).code == "InvalidAccessKeyId"


@pytest.mark.parametrize("port", ["", ":9000"])
def test_port_of_the_host_may_be_signed_or_not(wire: Wire, connect: Connect, port: str) -> None:
    wire.call("PUT", "/k", b"x")
    target = link(wire, "GET", "/k")

    reply = connect(None).request("GET", target, {"Host": wire.host + port})

    assert reply.status == 200
