"""For every operation the Python SDK and our client send the same request, or one that differs as listed.

Our client has never met the live service; the SDK has. Each side's signature is checked by a verifier that
shares no code with either.
"""

from __future__ import annotations

import pytest

from apps.storage.cos import CosClient
from tests.storage.conftest import SECRET_KEY
from tests.storage.recorder import Recorder, reply
from tests.storage.verifier import signature_is_valid
from tests.storage.wire.case import Case, Side
from tests.storage.wire.facts import differences, facts_of, unexplained
from tests.storage.wire.python import python_call, python_sdk
from tests.storage.wire.reasons import PYTHON_ALWAYS
from tests.storage.wire.table import CASES


@pytest.mark.parametrize(
    "case", [case for case in CASES if isinstance(case.python, Side)], ids=lambda case: case.name
)
def test_requests_are_equal(recorder: Recorder, client: CosClient, case: Case) -> None:
    recorder.default = reply(200, case.answer, ETag='"e"')

    case.call(client)
    python_call(python_sdk(recorder.port), case)

    ours, theirs = recorder.seen
    assert signature_is_valid(ours, SECRET_KEY)
    assert signature_is_valid(theirs, SECRET_KEY)
    found = differences(facts_of(ours), facts_of(theirs))
    assert isinstance(case.python, Side)
    assert unexplained(found, PYTHON_ALWAYS, case.python.differs) == {}
