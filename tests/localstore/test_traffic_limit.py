"""x-cos-traffic-limit: one request kept to a pace in bits per second."""

from __future__ import annotations

import time

import pytest

from tests.localstore.wire import Wire, upload_begin


def test_upload_keeps_to_its_traffic_limit(wire: Wire) -> None:
    start = time.monotonic()

    wire.call("PUT", "/k", bytes(30_000), x_cos_traffic_limit="819200")

    assert time.monotonic() - start > 0.15
    assert wire.call("HEAD", "/k").header("Content-Length") == "30000"


def test_part_keeps_to_its_traffic_limit(wire: Wire) -> None:
    target = f"/k?partNumber=1&uploadId={upload_begin(wire, '/k')}"
    start = time.monotonic()

    assert wire.call("PUT", target, bytes(30_000), x_cos_traffic_limit="819200").status == 200

    assert time.monotonic() - start > 0.15


@pytest.mark.parametrize("as_parameter", [True, False])
def test_download_keeps_to_its_traffic_limit(wire: Wire, as_parameter: bool) -> None:
    wire.call("PUT", "/k", bytes(30_000))
    query = "?x-cos-traffic-limit=819200" if as_parameter else ""
    headers = {} if as_parameter else {"x-cos-traffic-limit": "819200"}
    start = time.monotonic()

    assert len(wire.request("GET", f"/k{query}", headers).body) == 30_000

    assert time.monotonic() - start > 0.15


@pytest.mark.parametrize("limit", ["819199", "838860801", "fast", "-1"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_traffic_limits_out_of_bounds(wire: Wire, method: str, limit: str) -> None:
    wire.call("PUT", "/k", b"x")

    assert wire.call(method, "/k", x_cos_traffic_limit=limit).code == "InvalidArgument"


def test_widest_traffic_limit_is_hardly_felt(wire: Wire) -> None:
    body = bytes(3_000_000)

    assert wire.call("PUT", "/k", body, x_cos_traffic_limit="838860800").status == 200
    assert wire.call("GET", "/k", x_cos_traffic_limit="838860800").body == body
