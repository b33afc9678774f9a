"""CORS and tags taken away, and preflights: against answers as written, and against the embedded store."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from apps.localstore import Account, LocalStore
from apps.storage import errors
from apps.storage.cos import CosClient
from apps.storage.types import Credentials, Endpoint
from tests.storage.conftest import client_of
from tests.storage.recorder import Recorder, drop, reply

AT = {"Bucket": "photos-1250000000", "Region": "ap-guangzhou"}
ASKED = {"Origin": "https://a.example", "AccessControlRequestMethod": "PUT"}
DELETES = [
    ("delete_bucket_cors", "cors", "DeleteBucketCorsSuccess", "NoSuchCORSConfiguration"),
    ("delete_bucket_tagging", "tagging", "DeleteBucketTaggingSuccess", "NoSuchTagSet"),
]


def error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message/></Error>".encode()


@pytest.mark.parametrize(("method", "target", "flag", "_code"), DELETES)
@pytest.mark.parametrize("status", [200, 204])
def test_delete_says_that_it_worked(
    recorder: Recorder, client: CosClient, status: int, method: str, target: str, flag: str, _code: str
) -> None:
    recorder.default = reply(status)

    outcome = getattr(client, method)(**AT)

    assert outcome == {flag: True, "RequestId": "RECORDED"}
    assert (recorder.seen[0].method, recorder.seen[0].target) == ("DELETE", f"/?{target}")


@pytest.mark.parametrize(("method", "_target", "flag", "code"), DELETES)
def test_nothing_to_delete_is_fine_and_no_bucket_is_not(
    recorder: Recorder, client: CosClient, method: str, _target: str, flag: str, code: str
) -> None:
    recorder.steps.extend([reply(404, error(code)), reply(404, error("NoSuchBucket")), reply(404)])

    assert getattr(client, method)(**AT)[flag] is True
    for _ in range(2):
        with pytest.raises(errors.BucketNotFound):
            getattr(client, method)(**AT)


@pytest.mark.parametrize(("method", "_target", "flag", "code"), DELETES)
def test_delete_whose_answer_was_lost_is_sent_once_more(
    recorder: Recorder, method: str, _target: str, flag: str, code: str
) -> None:
    recorder.steps.extend([drop, reply(404, error(code))])

    assert getattr(client_of(recorder, attempts=4), method)(**AT)[flag] is True

    assert len(recorder.seen) == 2


def test_preflight_goes_out_as_a_browser_sends_it(recorder: Recorder, client: CosClient) -> None:
    client.options_object(
        **AT,
        Key="a/../b +",
        Origin="https://a.example",
        AccessControlRequestMethod="put",
        AccessControlRequestHeaders="x-cos-acl,content-type",
    )

    seen = recorder.seen[0]
    assert (seen.method, seen.target) == ("OPTIONS", "/a/../b%20%2B")
    assert seen.headers["origin"] == "https://a.example"
    assert seen.headers["access-control-request-method"] == "PUT"
    assert seen.headers["access-control-request-headers"] == "x-cos-acl,content-type"
    assert not {"authorization", "x-cos-security-token", "content-length"} & seen.headers.keys()


def test_token_of_a_temporary_key_stays_out_of_a_preflight(recorder: Recorder) -> None:
    client = CosClient(
        credentials=Credentials("id", "key", "TOKEN"),
        endpoint=Endpoint("http", connect_to=f"127.0.0.1:{recorder.port}"),
    )

    client.options_object(**AT, Key="k", **ASKED)

    assert "TOKEN" not in str(recorder.seen[0].headers)


def test_preflight_returns_what_is_allowed(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(
        200,
        Access_Control_Allow_Origin="https://a.example",
        Access_Control_Allow_Methods="PUT,GET",
        Access_Control_Allow_Headers="x-cos-acl",
        Access_Control_Expose_Headers="ETag",
        Access_Control_Max_Age="600",
        Access_Control_Allow_Credentials="true",
    )

    assert client.options_object(**AT, Key="k", **ASKED) == {
        "AccessControlAllowOrigin": "https://a.example",
        "AccessControlAllowMethods": "PUT,GET",
        "AccessControlAllowHeaders": "x-cos-acl",
        "AccessControlExposeHeaders": "ETag",
        "AccessControlMaxAge": "600",
        "AccessControlAllowCredentials": "true",
        "OptionsForbidden": False,
        "RequestId": "RECORDED",
    }


def test_forbidden_preflight_is_an_answer(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(403, error("AccessForbidden"))

    outcome = client.options_object(**AT, Key="k", **ASKED)

    assert outcome["OptionsForbidden"] is True
    assert outcome["RequestId"] == "RECORDED"
    assert {value for name, value in outcome.items() if name.startswith("Access")} == {""}


@pytest.mark.parametrize("body", [error("NoSuchBucket"), b""])
def test_preflight_of_a_missing_bucket_is_an_error(
    recorder: Recorder, client: CosClient, body: bytes
) -> None:
    recorder.default = reply(404, body)

    with pytest.raises(errors.BucketNotFound):
        client.options_object(**AT, Key="k", **ASKED)


@pytest.mark.parametrize("missing", ["Origin", "AccessControlRequestMethod"])
@pytest.mark.parametrize("value", ["", " ", None])
def test_preflight_without_its_question_is_refused(
    recorder: Recorder, client: CosClient, missing: str, value: Any
) -> None:
    with pytest.raises(errors.Refused, match=f"{missing} is missing"):
        client.options_object(**AT, Key="k", **{**ASKED, missing: value})

    assert recorder.connections == 0


@pytest.fixture(scope="module")
def embedded() -> Iterator[CosClient]:
    """A client of an embedded store."""
    with TemporaryDirectory() as folder:
        store = LocalStore(Path(folder), [Account(secret_id="AKIDCORS", secret_key="cors-secret")])
        store.start()
        endpoint = Endpoint("http", connect_to=f"127.0.0.1:{store.port}")
        yield CosClient(credentials=Credentials("AKIDCORS", "cors-secret"), endpoint=endpoint)
        store.stop()


@pytest.fixture
def at(embedded: CosClient) -> dict[str, str]:
    """A new bucket in the embedded store."""
    place = {"Bucket": f"cors-{secrets.token_hex(4)}-1250000000", "Region": "ap-guangzhou"}
    embedded.put_bucket(**place)
    return place


def test_cors_of_a_store_comes_and_goes(embedded: CosClient, at: dict[str, str]) -> None:
    rule = {"AllowedOrigins": ["https://a.example"], "AllowedMethods": ["PUT"], "MaxAgeSeconds": "60"}
    embedded.put_bucket_cors(**at, CORSRules=[rule])

    allowed = embedded.options_object(**at, Key="k", **ASKED)
    elsewhere = embedded.options_object(**at, Key="k", **{**ASKED, "Origin": "https://b.example"})
    embedded.delete_bucket_cors(**at)
    afterwards = embedded.options_object(**at, Key="k", **ASKED)

    assert (allowed["AccessControlAllowOrigin"], allowed["AccessControlMaxAge"]) == (
        "https://a.example",
        "60",
    )
    assert [one["OptionsForbidden"] for one in (allowed, elsewhere, afterwards)] == [False, True, True]
    assert embedded.delete_bucket_cors(**at)["DeleteBucketCorsSuccess"] is True
    with pytest.raises(errors.NotFound):
        embedded.get_bucket_cors(**at)


def test_tags_of_a_store_come_and_go(embedded: CosClient, at: dict[str, str]) -> None:
    embedded.put_bucket_tagging(**at, Tags=[{"Key": "team", "Value": "red"}])

    embedded.delete_bucket_tagging(**at)

    with pytest.raises(errors.NotFound):
        embedded.get_bucket_tagging(**at)
    assert embedded.delete_bucket_tagging(**at)["DeleteBucketTaggingSuccess"] is True


def test_settings_of_a_missing_bucket_cannot_be_deleted(embedded: CosClient) -> None:
    nowhere = {"Bucket": "cors-nowhere-1250000000", "Region": "ap-guangzhou"}

    with pytest.raises(errors.BucketNotFound):
        embedded.delete_bucket_cors(**nowhere)
    with pytest.raises(errors.BucketNotFound):
        embedded.delete_bucket_tagging(**nowhere)
