"""Given the same answer, our client returns every field that the official SDKs return, or differs as listed.

The requirements describe the Node SDK. The flags that they promise beyond the wire are asked of ours alone.
"""

from __future__ import annotations

from typing import Any

import pytest
from qcloud_cos.cos_exception import CosServiceError

from apps.storage.cos import CosClient
from tests.storage.recorder import Recorder, reply
from tests.storage.wire.answers import ANSWERS, Answer
from tests.storage.wire.facts import unexplained
from tests.storage.wire.node import NodeSdk
from tests.storage.wire.python import python_call, python_sdk
from tests.storage.wire.readings import AS_OURS, NODE, PYTHON
from tests.storage.wire.table import CASES

# Operations whose documented fields are headers of the answer.
OF_HEADERS = ("head_object", "get_object")


@pytest.mark.xdist_group("node")
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_fields_are_those_of_the_node_sdk(
    recorder: Recorder, client: CosClient, node: NodeSdk, answer: Answer
) -> None:
    recorder.default = reply(answer.status, answer.body.encode(), **answer.headers)
    reading = NODE.get(answer.name, AS_OURS)

    ours = answer.case.call(client)
    outcome = node.call(recorder.port, answer.case.node.method, answer.case.for_node())

    assert bool(outcome["error"]) is reading.is_error
    assert unexplained(reading.pairs(ours, of_node(answer, outcome["data"] or {})), reading.differs) == {}


@pytest.mark.parametrize(
    "answer", [answer for answer in ANSWERS if not answer.case.python.missing], ids=lambda answer: answer.name
)
def test_fields_are_those_of_the_python_sdk(recorder: Recorder, client: CosClient, answer: Answer) -> None:
    recorder.default = reply(answer.status, answer.body.encode(), **answer.headers)
    reading = PYTHON.get(answer.name, AS_OURS)
    sdk = python_sdk(recorder.port)

    ours = answer.case.call(client)

    if reading.is_error:
        with pytest.raises(CosServiceError):
            python_call(sdk, answer.case)
        return
    theirs = of_python(answer, python_call(sdk, answer.case) or {})
    assert unexplained(reading.pairs(ours, theirs), reading.differs) == {}


@pytest.mark.parametrize(
    "answer", [answer for answer in ANSWERS if answer.flags], ids=lambda answer: answer.name
)
def test_promised_flags_are_set(recorder: Recorder, client: CosClient, answer: Answer) -> None:
    recorder.default = reply(answer.status, answer.body.encode(), **answer.headers)

    ours = answer.case.call(client)

    assert {name: ours[name] for name in answer.flags} == answer.flags


def test_every_operation_has_an_answer() -> None:
    assert {answer.case.operation for answer in ANSWERS} == {case.operation for case in CASES}


def of_node(answer: Answer, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of the SDK, which has the whole answer beside it."""
    headers = data.get("headers", {}) if answer.case.operation in OF_HEADERS else {}
    return {**headers, **{name: data[name] for name in data.keys() - {"headers", "statusCode"}}}


def of_python(answer: Answer, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of the SDK, which mixes it with the headers of the answer."""
    sent = {name.replace("_", "-").lower() for name in answer.headers}
    headers = {*sent, "x-cos-request-id", "content-length"} - {"etag"}
    if answer.case.operation in OF_HEADERS:
        return {name.lower() if name.lower() in headers else name: value for name, value in data.items()}
    return {name: value for name, value in data.items() if name.lower() not in headers}
