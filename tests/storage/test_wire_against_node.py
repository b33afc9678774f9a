"""For every operation the Node SDK and our client send the same request, or one that differs as listed.

The requirements are the documentation of this SDK. It runs where node and npm are installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

import pytest
from harness.node import NodeMissing

from apps.storage.cos import CosClient
from tests.storage.conftest import SECRET_KEY
from tests.storage.recorder import Recorder, reply
from tests.storage.verifier import signature_is_valid
from tests.storage.wire.case import AT, Case
from tests.storage.wire.facts import differences, facts_of, given, unexplained
from tests.storage.wire.keys import KEYS, REFUSED, UNREADABLE, calls_of, short_id
from tests.storage.wire.node import NodeSdk
from tests.storage.wire.reasons import NODE_ALWAYS
from tests.storage.wire.table import CASES

NAME = attrgetter("name")

# All in one worker, so that node is started once.
pytestmark = pytest.mark.xdist_group("node")


@pytest.fixture(scope="module")
def node() -> Iterator[NodeSdk]:
    try:
        sdk = NodeSdk()
    except NodeMissing as missing:
        pytest.skip(f"The Node SDK cannot run here: {missing}")
    yield sdk
    sdk.close()


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
