"""For every operation the Node SDK and our client send the same request, or one that differs as listed.

The requirements are the documentation of this SDK. It runs where node and npm are installed.
"""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

import pytest

from apps.storage.cos import CosClient
from tests.storage.conftest import client_of
from tests.storage.identity import SECRET_KEY
from tests.storage.recorder import Recorder, reply
from tests.storage.verifier import signature_is_valid
from tests.storage.wire.case import AT, KEY, Case
from tests.storage.wire.facts import Differ, differences, facts_of, given, unexplained
from tests.storage.wire.files import BYTES, SIZES, file_cases
from tests.storage.wire.keys import KEYS, REFUSED, UNREADABLE, calls_of, short_id
from tests.storage.wire.node import NodeSdk
from tests.storage.wire.reasons import NO_LENGTH, NODE_ALWAYS
from tests.storage.wire.table import CASES
from tests.storage.wire.urls import (
    BACKDATED_S,
    EXPIRES_S,
    NODE_BACKDATED_S,
    NOW,
    TOKEN,
    URLS,
    our_url,
    taken_apart,
)

NAME = attrgetter("name")

UNSIGNED_TOKEN = {
    "header x-cos-security-token": Differ("the SDK adds it behind its signature", f"{TOKEN} (signed)", TOKEN)
}

# All in one worker, so that node is started once.
pytestmark = pytest.mark.xdist_group("node")


@pytest.mark.parametrize("case", CASES, ids=NAME)
def test_requests_are_equal(recorder: Recorder, client: CosClient, node: NodeSdk, case: Case) -> None:
    recorder.default = reply(200, case.answer, ETag='"e"')

    case.call(client)
    outcome = node.call(recorder.port, case.node.method, case.for_node())

    assert not outcome.get("error")
    ours, theirs = recorder.seen
    for seen in (ours, theirs):
        assert "authorization" not in seen.headers or signature_is_valid(seen, SECRET_KEY)
    found = differences(facts_of(ours), facts_of(theirs))
    assert unexplained(found, NODE_ALWAYS, case.node.differs) == {}


@pytest.mark.parametrize("size", SIZES)
def test_files_travel_alike(
    recorder: Recorder, client: CosClient, node: NodeSdk, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(BYTES[:size])

    with path.open("rb") as file:
        for case in file_cases(path, file):
            recorder.seen.clear()
            case.call(client)
            node.call(recorder.port, case.node.method, case.for_node())

            ours, theirs = recorder.seen
            assert signature_is_valid(ours, SECRET_KEY)
            found = differences(facts_of(ours), facts_of(theirs))
            assert unexplained(found, NODE_ALWAYS, case.node.differs) == {}


@pytest.mark.parametrize("key", KEYS, ids=short_id)
def test_any_key_is_spelled_alike(recorder: Recorder, client: CosClient, node: NodeSdk, key: str) -> None:
    for case in calls_of(key):
        recorder.default = reply(200, case.answer, ETag='"e"')
        recorder.seen.clear()
        case.call(client)
        outcome = node.call(recorder.port, case.node.method, case.for_node())
        if case.operation == "get_object" and key in UNREADABLE:
            assert outcome["error"]["message"] == "The Getobject Key is illegal"
            continue

        ours, theirs = recorder.seen
        assert theirs.path == ours.path
        assert given(theirs) == given(ours)
        assert signature_is_valid(ours, SECRET_KEY)
        assert signature_is_valid(theirs, SECRET_KEY)


@pytest.mark.parametrize("key", REFUSED, ids=short_id)
def test_key_that_we_refuse_is_sent_by_the_sdk(recorder: Recorder, node: NodeSdk, key: str) -> None:
    node.call(recorder.port, "putObject", {**AT, "Key": key, "Body": b"x"})

    assert recorder.seen[0].path == REFUSED[key]


@pytest.mark.parametrize("name", URLS)
def test_presigned_urls_are_equal(node: NodeSdk, name: str) -> None:
    method, query = URLS[name]
    begins_at = NOW - BACKDATED_S
    params = {**AT, "Key": KEY, "Method": method, "Expires": EXPIRES_S + BACKDATED_S, "Query": query}

    made = node.call(0, "getObjectUrl", params, clock=begins_at + NODE_BACKDATED_S, options={"Ip": None})

    assert taken_apart(our_url(method, query)) == taken_apart(made["data"]["Url"])


def test_token_of_a_url_is_not_escaped_by_the_sdk(node: NodeSdk) -> None:
    options = {"Ip": None, "SecurityToken": TOKEN}

    made = node.call(0, "getObjectUrl", {**AT, "Key": KEY, "Query": {"a": "b"}}, options=options)

    # A server reads the plus sign as a blank, and the token is not signed: ours is escaped and signed.
    assert "&q-url-param-list=a&" in made["data"]["Url"]
    assert made["data"]["Url"].endswith(f"&x-cos-security-token={TOKEN}&a=b")
    assert "&q-url-param-list=x-cos-security-token&" in our_url("GET", {}, TOKEN)
    assert our_url("GET", {}, TOKEN).endswith("&x-cos-security-token=TOK%2FEN%2B%3D")


def test_token_travels_alike(recorder: Recorder, node: NodeSdk) -> None:
    client_of(recorder, attempts=1, token=TOKEN).head_object(**AT, Key=KEY)
    node.call(recorder.port, "headObject", {**AT, "Key": KEY}, options={"SecurityToken": TOKEN})

    ours, theirs = recorder.seen
    found = differences(facts_of(ours), facts_of(theirs))
    assert unexplained(found, NODE_ALWAYS, NO_LENGTH, UNSIGNED_TOKEN) == {}
