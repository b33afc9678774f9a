"""Names in a query that the store does not serve: refused, and never taken for the plain operation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import qcloud_cos

from apps.localstore.parameters import SERVED
from tests.localstore.wire import Wire, host_of, md5_header

SDK = Path(qcloud_cos.__file__).with_name("cos_client.py").read_text("utf-8")
# Sub-resources of the official SDK: parameters that it sends with a name and no value.
NAMED = {
    name
    for params in re.findall(r"[pP]arams = \{([^}]*)\}", SDK)
    for name in re.findall(r"'([\w-]+)': ''", params)
}
ELSEWHERE = {"access-point", "accelerate", "asyncfetch", "legal-hold", "metrics", "publicAccessBlock", "foo"}
UNSERVED = sorted((NAMED | ELSEWHERE) - set(SERVED))


def test_the_sdk_still_names_its_sub_resources_so() -> None:
    assert {"acl", "cors", "policy", "style", "live", "response-control"} <= NAMED
    assert len(NAMED) > 25


@pytest.mark.parametrize("written", ["{}", "{}=", "{}=&versionId=null", "versionId=null&{}"])
@pytest.mark.parametrize("name", UNSERVED)
def test_what_is_not_served_changes_nothing(wire: Wire, name: str, written: str) -> None:
    query = written.format(name)
    wire.call("PUT", "/k", b"original")

    replies = [
        wire.call(method, f"{path}?{query}", b"<x/>")
        for method in ("PUT", "POST", "DELETE", "GET")
        for path in ("/", "/k")
    ]

    assert {(reply.status, reply.code) for reply in replies} == {(501, "NotImplemented")}
    assert wire.call("HEAD", f"/k?{query}").status == 501
    assert wire.call("GET", "/k").body == b"original"


@pytest.mark.parametrize("name", UNSERVED)
def test_what_is_not_served_leaves_an_empty_bucket(wire: Wire, name: str) -> None:
    assert wire.call("DELETE", f"/?{name}").status == 501

    assert wire.call("HEAD", "/").status == 200


@pytest.mark.parametrize("name", SERVED)
def test_what_is_served_never_becomes_the_plain_operation(wire: Wire, name: str) -> None:
    wire.call("PUT", "/k", b"original")

    for method in ("PUT", "POST", "DELETE"):
        wire.call(method, f"/k?{name}", b"<x/>")

    assert wire.call("GET", "/k").body == b"original"


@pytest.mark.parametrize("name", SERVED)
def test_what_is_served_never_removes_the_bucket(wire: Wire, name: str) -> None:
    wire.call("DELETE", f"/?{name}")

    assert wire.call("HEAD", "/").status == 200


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/k"])
def test_part_without_its_upload_is_no_object(wire: Wire, method: str, path: str) -> None:
    wire.call("PUT", "/k", b"original")

    assert wire.call(method, f"{path}?partNumber=2", b"part").code == "InvalidArgument"

    assert wire.call("GET", "/k").body == b"original"


def test_part_copy_without_its_upload_is_no_object(wire: Wire, bucket: str) -> None:
    wire.call("PUT", "/k", b"original")
    wire.call("PUT", "/source", b"other")

    reply = wire.call("PUT", "/k?partNumber=2", x_cos_copy_source=f"{host_of(bucket)}/source")

    assert reply.code == "InvalidArgument"
    assert wire.call("GET", "/k").body == b"original"


@pytest.mark.parametrize("query", ["color=red", "Policy", "prefix=a", "%70olicy", "x-cos", "acl&policy"])
def test_writers_say_nothing_that_is_not_known(wire: Wire, query: str) -> None:
    assert wire.call("PUT", f"/k?{query}", b"x").status == 501
    assert wire.call("DELETE", f"/?{query}").status == 501

    assert wire.call("HEAD", "/k").status == 404


@pytest.mark.parametrize(
    "query", ["x-cos-traffic-limit=819200", "X-Cos-Meta-A=b", "versionId=", "versionId=null", "sign="]
)
def test_writers_may_say_what_is_known(wire: Wire, query: str) -> None:
    assert wire.call("PUT", f"/k?{query}", b"x").status == 200
    assert wire.call("GET", "/k").body == b"x"


@pytest.mark.parametrize("query", ["color=red", "t=1", "response-content-type=", "versionId=", "x-cos-a"])
def test_readers_may_say_more(wire: Wire, query: str) -> None:
    wire.call("PUT", "/k", b"x")

    assert wire.call("GET", f"/k?{query}").body == b"x"


@pytest.mark.parametrize(
    "query", ["imageMogr2/thumbnail/!50p", "ci-process=ImageInfo", "symlink=1", "policy=x"]
)
def test_readers_never_get_something_else(wire: Wire, query: str) -> None:
    wire.call("PUT", "/k", b"x")

    assert wire.call("GET", f"/k?{query}").code == "NotImplemented"


def test_lists_take_their_parameters_empty(wire: Wire) -> None:
    query = "prefix=&delimiter=&marker=&encoding-type="

    assert wire.call("GET", f"/?{query}").status == 200
    assert wire.call("GET", "/?uploads&prefix=&delimiter=&key-marker=&upload-id-marker=").status == 200


@pytest.mark.parametrize(("method", "target"), [("DELETE", "/?policy"), ("POST", "/k")])
def test_browser_may_read_that_something_is_not_served(wire: Wire, method: str, target: str) -> None:
    rule = "<AllowedOrigin>https://a.example</AllowedOrigin><AllowedMethod>{}</AllowedMethod>"
    rules = f"<CORSConfiguration><CORSRule>{rule.format(method)}</CORSRule></CORSConfiguration>".encode()
    assert wire.request("PUT", "/?cors", md5_header(rules), rules).status == 200

    reply = wire.call(method, target, Origin="https://a.example")

    assert reply.status in (405, 501)
    assert reply.header("Access-Control-Allow-Origin") == "https://a.example"
