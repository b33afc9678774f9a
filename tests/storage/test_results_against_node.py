"""Given the same answer, our client returns every field that the Node SDK returns, or differs as listed.

The requirements describe that SDK's results. What they promise beyond the wire, its flags, is asked of ours.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from apps.storage.cos import CosClient
from tests.storage.recorder import Recorder, reply
from tests.storage.wire.answers import ANSWERS, Answer
from tests.storage.wire.case import Case
from tests.storage.wire.facts import unexplained
from tests.storage.wire.node import NodeSdk
from tests.storage.wire.table import CASES

pytestmark = pytest.mark.xdist_group("node")

HEADERS_ARE_FIELDS = ("head_object", "get_object")


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_every_field_is_filled_alike(
    recorder: Recorder, client: CosClient, node: NodeSdk, answer: Answer
) -> None:
    recorder.default = reply(answer.status, answer.body.encode(), **answer.headers)
    case = case_of(answer)

    ours = case.call(client)
    outcome = node.call(recorder.port, case.node.method, case.for_node())

    assert {name: ours[name] for name in answer.flags} == answer.flags
    assert bool(outcome["error"]) is answer.is_error
    fields = leaves(ours)
    theirs = leaves(result_of(answer, outcome["data"] or {}))
    pairs = {path: (fields.get(path), value) for path, value in renamed(answer, theirs).items()}
    found = {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}
    assert unexplained(found, answer.differs) == {}


def test_every_operation_has_an_answer() -> None:
    assert {answer.operation for answer in ANSWERS} == {case.operation for case in CASES}


def case_of(answer: Answer) -> Case:
    """Return the case of that name, else the first of the operation."""
    of_operation = [case for case in CASES if case.operation == answer.operation]
    return next((case for case in of_operation if case.name == answer.name), of_operation[0])


def result_of(answer: Answer, data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of the SDK alone; the headers of the answer are fields of two operations."""
    headers = data.get("headers", {}) if answer.operation in HEADERS_ARE_FIELDS else {}
    return {
        **headers,
        **{name: value for name, value in data.items() if name not in ("headers", "statusCode")},
    }


def renamed(answer: Answer, fields: dict[str, Any]) -> dict[str, Any]:
    renames = answer.renames.items()
    return {_renamed(path, renames): value for path, value in fields.items()}


def _renamed(path: str, renames: Any) -> str:
    for pattern, name in renames:
        path = re.sub(pattern, name, path)
    return path


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Return the leaves of a result by their paths; what is empty is a leaf."""
    if isinstance(value, dict) and (value or not path):
        named = [(f"{path}.{name}" if path else name, child) for name, child in value.items()]
    elif isinstance(value, list) and value:
        named = [(f"{path}[{index}]", child) for index, child in enumerate(value)]
    else:
        return {path: value}
    return {deeper: leaf for name, child in named for deeper, leaf in leaves(child, name).items()}
