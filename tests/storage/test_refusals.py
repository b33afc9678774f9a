"""What no store could accept is refused with a sentence, and nothing of it is sent."""

from __future__ import annotations

import io
import threading
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from apps.storage import errors
from apps.storage.cos import CosClient
from apps.storage.types import Credentials
from tests.storage.conftest import client_of
from tests.storage.operations import BY_METHOD, OPERATIONS, Operation
from tests.storage.recorder import Recorder

RULE = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}
GRANT = {"Grantee": {"ID": "qcs::cam::uin/1:uin/1"}, "Permission": "READ"}
OWNER = {"ID": "qcs::cam::uin/1:uin/1"}


def policy(**grant: Any) -> dict[str, Any]:
    return {"Owner": OWNER, "AccessControlList": {"Grant": [{**GRANT, **grant}]}}


def refusals() -> list[Any]:
    """Return (method, argument, value) of what must not be sent."""
    wrong: dict[tuple[str, str], list[Any]] = {
        ("put_bucket_cors", "CORSRules"): [
            None,
            "GET",
            7,
            {},
            [],
            [7],
            [None],
            [RULE] * 101,
            [{}],
            [{"AllowedOrigins": ["*"]}],
            [{"AllowedMethods": ["GET"]}],
            [{**RULE, "AllowedMethods": []}],
            [{**RULE, "AllowedMethods": ["GET PUT"]}],
            [{**RULE, "AllowedMethods": [None]}],
            [{**RULE, "AllowedOrigins": [""]}],
            [{**RULE, "AllowedOrigins": 7}],
            [{**RULE, "AllowedHeaders": {"x": 1}}],
            [{**RULE, "ExposeHeaders": [b"ETag"]}],
            [{**RULE, "MaxAgeSeconds": "soon"}],
            [{**RULE, "MaxAgeSeconds": -1}],
            [{**RULE, "MaxAgeSeconds": True}],
            [{**RULE, "ID": 7}],
            [{**RULE, "ID": "\x01"}],
            [{**RULE, "Extra": 7}],
            [{**RULE, "Extra": [7]}],
            [{**RULE, "Extra": [("a b", "c")]}],
        ],
        ("put_bucket_tagging", "Tags"): [
            None,
            "a=b",
            {"a": "b"},
            [7],
            [{}],
            [{"Key": "a"}],
            [{"Value": "b"}],
            [{"Key": "", "Value": "b"}],
            [{"Key": 7, "Value": "b"}],
            [{"Key": "a", "Value": 7}],
            [{"Key": "a\x02", "Value": "b"}],
            [{"Key": "a", "Value": "b"}] * 51,
        ],
        ("multipart_complete", "Parts"): [
            None,
            "1",
            7,
            {},
            [],
            [7],
            [{}],
            [{"PartNumber": 1}],
            [{"ETag": "a"}],
            [{"PartNumber": 0, "ETag": "a"}],
            [{"PartNumber": 10_001, "ETag": "a"}],
            [{"PartNumber": "one", "ETag": "a"}],
            [{"PartNumber": 1.5, "ETag": "a"}],
            [{"PartNumber": 1, "ETag": ""}],
            [{"PartNumber": 1, "ETag": 7}],
            [{"PartNumber": 2, "ETag": "a"}, {"PartNumber": 1, "ETag": "b"}],
            [{"PartNumber": 1, "ETag": "a"}, {"PartNumber": "1", "ETag": "b"}],
        ],
        ("delete_multiple_object", "Objects"): [
            None,
            "k",
            {"Key": "k"},
            [],
            ["k"],
            [{}],
            [{"Key": ""}],
            [{"Key": 7}],
            [{"Key": "/k"}],
            [{"Key": "a\x01"}],
            [{"Key": "k"}] * 1001,
        ],
        ("delete_multiple_object", "Quiet"): ["", "yes", 1],
        ("put_bucket_acl", "AccessControlPolicy"): [
            7,
            "private",
            {},
            {"Owner": OWNER},
            {"Owner": {}, "AccessControlList": {"Grant": [GRANT]}},
            {"Owner": OWNER, "AccessControlList": [GRANT]},
            {"Owner": OWNER, "AccessControlList": {}},
            {"Owner": OWNER, "AccessControlList": {"Grant": GRANT}},
            {"Owner": OWNER, "AccessControlList": {"Grant": [GRANT] * 101}},
            {"Owner": OWNER, "AccessControlList": {"Grant": [{"Permission": "READ"}]}},
            policy(Grantee={}),
            policy(Grantee={"ID": ""}),
            policy(Grantee="everybody"),
            policy(Permission="read it"),
            policy(Permission=None),
            policy(Permission=7),
        ],
        ("put_bucket_acl", "ACL"): ["public read", "PUBLIC", "private\r\nx-cos-grant-read: id", 7],
        ("put_bucket", "BucketAZConfig"): [7, "\x01"],
        ("put_bucket", "Tagging"): [7, "a=b\n"],
        ("options_object", "Origin"): ["", " ", None, 7, "https://a\r\n"],
        ("options_object", "AccessControlRequestMethod"): ["", None, 7, "PUT GET"],
        ("options_object", "AccessControlRequestHeaders"): [7, "a\nb"],
        ("get_bucket", "MaxKeys"): [-1, "-1", "many", 1.5, True, "1e3", "٣"],
        ("get_bucket", "Prefix"): [7, b"a", "\ud800"],
        ("get_bucket", "EncodingType"): ["base64", 7],
        ("multipart_list", "MaxUploads"): [-1, "many"],
        ("multipart_list", "EncodingType"): ["base64"],
        ("multipart_list_part", "MaxParts"): [-1, "many"],
        ("multipart_list_part", "PartNumberMarker"): [-1, "a"],
        ("multipart_list_part", "EncodingType"): ["base64"],
        ("get_service", "MaxKeys"): [-1, "many"],
        ("get_service", "Range"): ["between", None],
        ("get_service", "TagValue"): [None],
        ("get_service", "CreateTime"): ["yesterday", None, ""],
        ("put_object", "Body"): [None, 7, io.StringIO("text"), ["a"], object(), "", "a\0b", "\ud800"],
        ("put_object", "ContentLength"): [-1, "x", 12, "12", True],
        ("put_object", "ContentType"): [7, "a/b\r\nx-cos-acl: public-read"],
        ("put_object", "Metadata"): [
            "a=b",
            ["a"],
            {"a b": "c"},
            {"a_b": "c"},
            {7: "c"},
            {"a": 7},
            {"a": "\n"},
        ],
        ("put_object", "StorageClass"): ["very cheap", 7],
        ("put_object", "TrafficLimit"): [0, -1, "fast"],
        ("put_object", "onProgress"): [7, "print"],
        ("multipart_upload", "onProgress"): [7],
        ("get_object", "Output"): [7, object(), io.StringIO(), "", "a\0b", "\ud800"],
        ("get_object", "Range"): [7, "bytes=0-1\r\n"],
        ("head_object", "VersionId"): [7],
        ("head_object", "IfModifiedSince"): [7, datetime(2026, 11, 22), date(2026, 11, 22)],
        ("get_object", "ResponseExpires"): [7, datetime(2026, 11, 22)],
        ("put_object_copy", "CopySource"): [
            None,
            7,
            "",
            "k",
            "/k",
            "a b/k",
            "host/",
            "host/k\r\nx-cos-acl: public-read",
            "host/中",
            {},
            {"Bucket": "a-1", "Region": "ap-beijing"},
            {"Bucket": "a", "Region": "ap-beijing", "Key": "k"},
            {"Bucket": "a-1", "Region": "ap-beijing", "Key": ""},
            {"Bucket": "a-1", "Region": "ap-beijing", "Key": "k", "VersionId": 7},
        ],
        ("multipart_upload_copy", "CopySourceRange"): ["0-1", "bytes=1-0", "bytes=-5", "bytes=0-1\n", 7],
        ("multipart_complete", "ExpectedSize"): ["big", -1],
        ("multipart_complete", "ExpectedCRC64"): [-1, "x", 1 << 65],
    }
    for method in ("multipart_upload", "multipart_upload_copy"):
        wrong[method, "PartNumber"] = [0, 10_001, "0", -1, "one", None, 1.0, True]
    for operation in OPERATIONS:
        if "UploadId" in operation.arguments:
            wrong[operation.method, "UploadId"] = ["", " ", None, 7]
        for option in ("GrantRead", "GrantWrite", "GrantReadAcp", "GrantWriteAcp", "GrantFullControl"):
            if option in operation.arguments:
                wrong[operation.method, option] = [
                    "everybody",
                    "id=1",
                    'id="1" id="2"',
                    'id=""',
                    'id="1",',
                    7,
                ]
    return [
        pytest.param(method, argument, values, id=f"{method}-{argument}")
        for (method, argument), values in wrong.items()
    ]


@pytest.mark.parametrize(("method", "argument", "values"), refusals())
def test_bad_argument_is_refused_with_a_sentence_before_anything_is_sent(
    recorder: Recorder, client: CosClient, method: str, argument: str, values: list[Any]
) -> None:
    for value in values:
        with pytest.raises(errors.Refused) as caught:
            BY_METHOD[method].call(client, **{argument: value})

        assert len(caught.value.message.split()) >= 3, value
        assert caught.value.message.endswith("."), value

    assert recorder.connections == 0


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"Expires": 0}, errors.Refused),
        ({"Expires": "soon"}, errors.Refused),
        ({"Method": "GET /"}, errors.Refused),
        ({"Query": "a=b"}, errors.Refused),
        ({"Query": {"a": 7}}, errors.Refused),
        ({"Key": ""}, errors.Refused),
        ({"Bucket": "photos"}, errors.Refused),
        ({"ResponseContentTyp": "a/b"}, TypeError),
    ],
)
def test_url_is_not_signed_for_a_bad_request(
    client: CosClient, change: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        client.get_object_url(**{**BY_METHOD["get_object_acl"].arguments, **change})


@pytest.mark.parametrize("pair", [("", ""), ("AKID", ""), ("", "secret")])
def test_url_is_not_signed_without_a_key_pair(recorder: Recorder, pair: tuple[str, str]) -> None:
    nobody = client_of(recorder, attempts=1, credentials=Credentials(*pair))

    with pytest.raises(errors.Refused, match="without a key pair"):
        nobody.get_object_url(**BY_METHOD["get_object_acl"].arguments)


@pytest.mark.parametrize("method", ["slice_upload_file", "slice_copy_file"])
def test_slices_refuse_what_they_could_not_use(
    recorder: Recorder, client: CosClient, tmp_path: Path, method: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    at = BY_METHOD["get_object_acl"].arguments
    given = {"FilePath": path} if method == "slice_upload_file" else {"CopySource": {**at, "Key": "k2"}}
    wrong: dict[str, list[Any]] = {
        "onProgress": [7, "print"],
        "Cancel": [True, threading.Event()],
        "SliceSize": [-1, "big", 1.5],
        "AsyncLimit": [0, -1, "many"],
        "Key": ["", None, "/k"],
        "Bucket": ["photos", None],
    }
    if method == "slice_upload_file":
        wrong |= {"onHashProgress": [7], "FilePath": [None, 7, "", "a\0b", b"a"]}

    for argument, values in wrong.items():
        for value in values:
            with pytest.raises(errors.Refused, match=r"\.$"):
                getattr(client, method)(**{**at, **given, argument: value})

    assert recorder.connections == 0


@pytest.mark.parametrize(
    "late",
    [
        {"ContentType": "a/b"},
        {"Metadata": {"who": "me"}},
        {"x-cos-meta-who": "me"},
        {"ACL": "private"},
        {"StorageClass": "STANDARD_IA"},
        {"Tagging": "a=b"},
    ],
    ids=lambda late: next(iter(late)),
)
@pytest.mark.parametrize("method", ["slice_upload_file", "slice_copy_file"])
def test_options_that_come_after_the_beginning_of_an_upload_are_refused(
    recorder: Recorder, client: CosClient, tmp_path: Path, method: str, late: dict[str, Any]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    at = BY_METHOD["get_object_acl"].arguments
    given = {"FilePath": path} if method == "slice_upload_file" else {"CopySource": {**at, "Key": "k2"}}

    with pytest.raises(errors.Refused, match=f"^{next(iter(late))} takes effect only where an upload begins"):
        getattr(client, method)(**at, **given, **late, UploadId="u")

    assert recorder.connections == 0


@pytest.mark.parametrize(
    "metadata",
    [
        {"Metadata": {"Note": "1", "note": "2"}},
        {"Metadata": {"note": "1"}, "x-cos-meta-note": "2"},
        {"x-cos-meta-note": "1", "X-Cos-Meta-Note": "2"},
    ],
    ids=["two cases", "two ways", "two cases of the header"],
)
@pytest.mark.parametrize("method", ["put_object", "put_object_copy", "multipart_init"])
def test_metadata_of_one_name_twice_is_refused(
    recorder: Recorder, client: CosClient, method: str, metadata: dict[str, Any]
) -> None:
    with pytest.raises(errors.Refused, match=r"'[Nn]ote' is given twice\.$"):
        BY_METHOD[method].call(client, **metadata)

    assert recorder.connections == 0


STRANGE: list[Any] = [None, 1.5, True, b"x", "\ud800", [], [[]], {}, {"a": [1]}, object(), range(3), 10**30]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.method)
def test_whatever_is_passed_is_sent_or_refused(
    recorder: Recorder, client: CosClient, operation: Operation
) -> None:
    recorder.default = operation.answer
    refusals = set()

    for argument in operation.arguments:
        for value in STRANGE:
            try:
                operation.call(client, **{argument: value})
            except errors.Refused as refusal:
                refusals.add(refusal.status)

    # 0, because the store had no say in it.
    assert refusals == {0}


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials("AKID\r\nX-Evil: 1", "secret"),
        Credentials("AKID", "secret", "token\r\nX-Evil: 1"),
        Credentials("AKID", "secret", "token\n"),
        Credentials("AKID", None),
    ],
)
def test_credentials_that_would_begin_another_header_are_refused(credentials: Credentials) -> None:
    with pytest.raises(errors.Refused, match="must be text without line breaks") as refused:
        CosClient(credentials=credentials)

    assert "X-Evil" not in str(refused.value)
