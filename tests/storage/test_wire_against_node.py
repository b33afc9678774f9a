"""For every operation the Node SDK and our client send the same request, or one that differs as listed.

The requirements are the documentation of this SDK. It runs where node and npm are installed.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.node import NodeMissing

from apps.storage.cos import CosClient
from tests.storage.conftest import SECRET_KEY
from tests.storage.recorder import Recorder, reply
from tests.storage.verifier import signature_is_valid
from tests.storage.wire.case import Case, Side
from tests.storage.wire.facts import differences, facts_of, unexplained
from tests.storage.wire.node import NodeSdk
from tests.storage.wire.reasons import NODE_ALWAYS
from tests.storage.wire.table import CASES

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


@pytest.mark.parametrize(
    "case", [case for case in CASES if isinstance(case.node, Side)], ids=lambda case: case.name
)
def test_requests_are_equal(recorder: Recorder, client: CosClient, node: NodeSdk, case: Case) -> None:
    recorder.default = reply(200, case.answer, ETag='"e"')
    assert isinstance(case.node, Side)

    case.call(client)
    outcome = node.call(recorder.port, case.node.method, case.for_node())

    assert not outcome.get("error")
    ours, theirs = recorder.seen
    for seen in (ours, theirs):
        assert "authorization" not in seen.headers or signature_is_valid(seen, SECRET_KEY)
    found = differences(facts_of(ours), facts_of(theirs))
    assert unexplained(found, NODE_ALWAYS, case.node.differs) == {}
