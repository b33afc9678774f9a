"""For every operation the Python SDK and our client send the same request, or one that differs as listed.

Our client has never met the live service; the SDK has. Each side's signature is checked by a verifier that
shares no code with either.
"""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace

import pytest
from qcloud_cos import cos_auth
from qcloud_cos.cos_exception import CosClientError

from apps.storage.cos import CosClient
from apps.storage.errors import Refused
from apps.storage.types import Credentials
from tests.storage.conftest import client_of
from tests.storage.identity import SECRET_KEY
from tests.storage.recorder import Recorder, reply
from tests.storage.verifier import signature_is_valid
from tests.storage.wire.case import AT, BUCKET, KEY, Case, Side
from tests.storage.wire.facts import differences, facts_of, given, unexplained
from tests.storage.wire.files import BYTES, CHUNKED, SIZES, file_cases
from tests.storage.wire.keys import KEYS, PYTHON_REWRITES, REFUSED, UNREADABLE, Rewritten, calls_of, short_id
from tests.storage.wire.python import python_call, python_sdk
from tests.storage.wire.reasons import PYTHON_ALWAYS
from tests.storage.wire.table import CASES
from tests.storage.wire.urls import EXPIRES_S, NOW, TOKEN, URLS, our_url

EXPRESSED = [case for case in CASES if not case.python.missing]
MISSING = [case for case in CASES if case.python.missing]
NAME = attrgetter("name")


@pytest.mark.parametrize("case", EXPRESSED, ids=NAME)
def test_requests_are_equal(recorder: Recorder, client: CosClient, case: Case) -> None:
    recorder.default = reply(200, case.answer, ETag='"e"')

    case.call(client)
    python_call(python_sdk(recorder.port), case)

    ours, theirs = recorder.seen
    assert signature_is_valid(ours, SECRET_KEY)
    assert signature_is_valid(theirs, SECRET_KEY)
    found = differences(facts_of(ours), facts_of(theirs))
    assert unexplained(found, PYTHON_ALWAYS, case.python.differs) == {}


@pytest.mark.parametrize("case", [case for case in EXPRESSED if not case.python.differs], ids=NAME)
def test_anonymous_requests_are_equal(recorder: Recorder, case: Case) -> None:
    recorder.default = reply(200, case.answer, ETag='"e"')

    case.call(client_of(recorder, attempts=1, credentials=Credentials("", "")))
    python_call(python_sdk(recorder.port, Anonymous=True), case)

    ours, theirs = recorder.seen
    # The SDK sends the header empty, which the store takes for absent.
    assert (ours.headers.get("authorization"), theirs.headers["authorization"]) == (None, "")
    assert unexplained(differences(facts_of(ours), facts_of(theirs)), PYTHON_ALWAYS) == {}


@pytest.mark.parametrize("size", SIZES)
def test_files_travel_alike(recorder: Recorder, client: CosClient, tmp_path: Path, size: int) -> None:
    (tmp_path / "a.csv").write_bytes(BYTES[:size])
    (tmp_path / "empty").touch()

    with (tmp_path / "a.csv").open("rb") as file, (tmp_path / "empty").open("rb") as empty:
        cases = file_cases(tmp_path / "a.csv", file)
        cases.append(
            Case(
                "put_object",
                {"Key": KEY, "Body": tmp_path / "empty"},
                Side("put_object", {"Body": empty}, CHUNKED),
                Side("", missing="only the Python SDK sends an empty file in chunks"),
            )
        )
        for case in cases:
            recorder.seen.clear()
            file.seek(0)
            case.call(client)
            file.seek(0)
            python_call(python_sdk(recorder.port), case)

            ours, theirs = recorder.seen
            assert signature_is_valid(ours, SECRET_KEY)
            found = differences(facts_of(ours), facts_of(theirs))
            assert unexplained(found, PYTHON_ALWAYS, case.python.differs) == {}


@pytest.mark.parametrize("key", KEYS, ids=short_id)
def test_any_key_is_spelled_alike(recorder: Recorder, client: CosClient, key: str) -> None:
    as_it_is = Rewritten("", "nothing")
    sdk = python_sdk(recorder.port)

    for case in calls_of(key):
        recorder.default = reply(200, case.answer, ETag='"e"')
        recorder.seen.clear()
        rewritten = PYTHON_REWRITES.get(key, as_it_is) if "Key" in case.arguments else as_it_is
        case.call(client)
        if case.operation == "get_object" and key in UNREADABLE:
            with pytest.raises(CosClientError, match="GetObject Key is invalid"):
                python_call(sdk, case)
            continue
        python_call(sdk, case)

        ours, theirs = recorder.seen
        assert theirs.path == (rewritten.path or ours.path)
        assert given(theirs) == given(ours)
        assert signature_is_valid(ours, SECRET_KEY)
        assert signature_is_valid(theirs, SECRET_KEY) is rewritten.is_signed


def test_key_is_spelled_alike_whoever_sends_the_body(
    recorder: Recorder, client: CosClient, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    large.write_bytes(BYTES)

    for key in KEYS:
        recorder.seen.clear()
        client.put_object(**AT, Key=key, Body=b"small")
        client.put_object(**AT, Key=key, Body=large)

        small, sent_by_the_kernel = recorder.seen
        assert small.target == sent_by_the_kernel.target
        assert signature_is_valid(sent_by_the_kernel, SECRET_KEY)


@pytest.mark.parametrize("key", REFUSED, ids=short_id)
def test_key_that_the_documentation_forbids_is_refused(
    recorder: Recorder, client: CosClient, key: str
) -> None:
    with pytest.raises(Refused):
        client.put_object(**AT, Key=key, Body=b"")
    assert not recorder.seen

    python_sdk(recorder.port).put_object(Bucket=BUCKET, Key=key, Body=b"")

    assert recorder.seen[0].path == REFUSED[key]


@pytest.mark.parametrize("case", MISSING, ids=NAME)
def test_what_is_listed_as_missing_is_missing(recorder: Recorder, case: Case) -> None:
    with pytest.raises((CosClientError, AttributeError), match=r"No Parameter Named|has no attribute"):
        python_call(python_sdk(recorder.port), case)

    assert not recorder.seen


@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize("name", URLS)
def test_presigned_urls_are_equal(monkeypatch: pytest.MonkeyPatch, name: str, token: str | None) -> None:
    monkeypatch.setattr(cos_auth, "time", SimpleNamespace(time=lambda: NOW))
    method, query = URLS[name]
    # The SDK leaves the token to its caller, although a URL is worth nothing without it.
    params = {**query, "x-cos-security-token": token} if token else query

    ours = our_url(method, query, token)
    theirs = python_sdk(0, Token=token).get_presigned_url(
        Bucket=BUCKET, Key=KEY, Method=method, Expired=EXPIRES_S, Params=params
    )

    assert ours == theirs.replace("+", "%20")


def test_token_travels_and_is_signed_alike(recorder: Recorder) -> None:
    client_of(recorder, attempts=1, token=TOKEN).head_object(**AT, Key=KEY)
    python_sdk(recorder.port, Token=TOKEN).head_object(Bucket=BUCKET, Key=KEY)

    ours, theirs = recorder.seen
    assert facts_of(ours)["header x-cos-security-token"] == f"{TOKEN} (signed)"
    assert unexplained(differences(facts_of(ours), facts_of(theirs)), PYTHON_ALWAYS) == {}
