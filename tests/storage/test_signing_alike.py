"""Any request gets one signature from our client and from both official SDKs, at one second of one clock."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcloud_cos import CosConfig, cos_auth

from apps.storage.cos.signing import WINDOW_S, Signer
from apps.storage.types import Credentials
from tests.examples import examples
from tests.storage.identity import SECRET_ID, SECRET_KEY
from tests.storage.wire.case import HOST
from tests.storage.wire.node import NodeSdk
from tests.storage.wire.urls import BACKDATED_S, NODE_BACKDATED_S, NOW

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-", min_size=1, max_size=12)
METHODS = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"])
KEYS = TEXT.filter(lambda key: not key.startswith("/"))


def pairs(names: st.SearchStrategy[str]) -> st.SearchStrategy[list[tuple[str, str]]]:
    return st.lists(st.tuples(names, TEXT), max_size=5, unique_by=lambda pair: pair[0].lower())


HEADERS = pairs(
    st.one_of(NAMES.map("x-cos-meta-{}".format), st.sampled_from(["Range", "If-Match", "User-Agent"]))
)
REQUESTS = {"method": METHODS, "key": KEYS, "query": pairs(NAMES), "headers": HEADERS}


def ours(method: str, key: str, query: list[tuple[str, str]], headers: list[tuple[str, str]]) -> str:
    signer = Signer(Credentials(SECRET_ID, SECRET_KEY), clock=lambda: NOW)
    return signer.authorization(
        method=method, path=f"/{key}", query=query, headers=[("Host", HOST), *headers]
    )


@examples(60)
@given(**REQUESTS)
def test_python_sdk_signs_alike(
    method: str, key: str, query: list[tuple[str, str]], headers: list[tuple[str, str]]
) -> None:
    request = SimpleNamespace(method=method, headers={"Host": HOST, **dict(headers)}, url="")
    config = CosConfig(Region="ap-guangzhou", SecretId=SECRET_ID, SecretKey=SECRET_KEY)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cos_auth, "time", SimpleNamespace(time=lambda: NOW))
        cos_auth.CosS3Auth(config, key, dict(query), WINDOW_S - BACKDATED_S)(request)

    assert request.headers["Authorization"] == ours(method, key, query, headers)


@pytest.mark.xdist_group("node")
@examples(60)
@given(**REQUESTS)
def test_node_sdk_signs_alike(
    node: NodeSdk, method: str, key: str, query: list[tuple[str, str]], headers: list[tuple[str, str]]
) -> None:
    params: dict[str, Any] = {
        "Method": method,
        "Key": key,
        "Query": dict(query),
        "Headers": {"Host": HOST, **dict(headers)},
        "Expires": WINDOW_S,
    }

    signed = node.call(0, "getAuth", params, clock=NOW - BACKDATED_S + NODE_BACKDATED_S)

    assert signed["data"] == ours(method, key, query, headers)
