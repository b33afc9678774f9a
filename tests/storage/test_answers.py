"""What the client makes of answers: today's, yesterday's and broken ones."""

from __future__ import annotations

from typing import Any

import pytest

from apps.storage import errors
from apps.storage.cos import CosClient
from apps.storage.providers.cos import CosStore
from tests.storage.recorder import Recorder, drop, reply

AT = {"Bucket": "photos-1250000000", "Region": "ap-guangzhou"}
NAMESPACE = "http://www.qcloud.com/document/product/436/7751"


def error(code: str, message: str = "") -> bytes:
    return f"<Error><Code>{code}</Code><Message>{message}</Message><Resource/></Error>".encode()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "NoSuchBucket", errors.BucketNotFound),
        (404, "NoSuchKey", errors.ObjectNotFound),
        (404, "NoSuchUpload", errors.UploadNotFound),
        (404, "NoSuchTagSet", errors.NotFound),
        (403, "AccessDenied", errors.Denied),
        (403, "RequestTimeTooSkewed", errors.Denied),
        (403, "InvalidObjectState", errors.Conflict),
        (400, "ExpiredToken", errors.Denied),
        (400, "BadDigest", errors.Corrupted),
        (400, "InvalidArgument", errors.Refused),
        (400, "RequestTimeout", errors.Unavailable),
        (408, "", errors.Unavailable),
        (409, "BucketNotEmpty", errors.Conflict),
        (412, "PreconditionFailed", errors.Conflict),
        (416, "InvalidRange", errors.Refused),
        (451, "UnavailableForLegalReasons", errors.Refused),
        (429, "", errors.Throttled),
        (503, "SlowDown", errors.Throttled),
        (503, "ServiceUnavailable", errors.Unavailable),
        (501, "NotImplemented", errors.Refused),
        (500, "SomethingNew", errors.Unavailable),
        (418, "SomethingNew", errors.Refused),
        (301, "PermanentRedirect", errors.Refused),
        (204, "", errors.Unavailable),
    ],
)
def test_code_and_status_choose_the_error(
    recorder: Recorder, client: CosClient, status: int, code: str, kind: type[errors.StorageError]
) -> None:
    recorder.default = reply(status, error(code) if code else b"")

    with pytest.raises(errors.StorageError) as caught:
        client.get_object_acl(**AT, Key="k")

    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code) == (status, code)
    assert caught.value.operation == "Get Object ACL"
    assert caught.value.request_id == "RECORDED"
    assert caught.value.message.endswith(".")


def test_store_speaks_for_itself(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(403, error("AccessDenied", "Request has expired"))

    with pytest.raises(errors.Denied, match=r"^Request has expired \(AccessDenied\)$"):
        client.get_bucket(**AT)


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"<Error><Code>", b"\xff\xfe<", b"<Error/>"])
def test_unreadable_error_keeps_its_status(recorder: Recorder, client: CosClient, body: bytes) -> None:
    recorder.default = reply(403, body)

    with pytest.raises(errors.Denied) as caught:
        client.get_bucket(**AT)

    assert caught.value.status == 403


def test_bare_404_is_about_the_subject_of_the_call(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(404)

    with pytest.raises(errors.ObjectNotFound):
        client.head_object(**AT, Key="k")
    with pytest.raises(errors.BucketNotFound):
        client.get_bucket(**AT)
    with pytest.raises(errors.UploadNotFound):
        client.multipart_abort(**AT, Key="k", UploadId="u")


@pytest.mark.parametrize(
    ("status", "exists", "is_allowed"), [(200, True, True), (403, True, False), (404, False, False)]
)
def test_head_bucket_answers_instead_of_failing(
    recorder: Recorder, client: CosClient, status: int, exists: bool, is_allowed: bool
) -> None:
    recorder.default = reply(status)

    found = client.head_bucket(**AT)

    assert (found["BucketExist"], found["BucketAuth"], found["RequestId"]) == (exists, is_allowed, "RECORDED")


@pytest.mark.parametrize(("status", "is_found"), [(204, True), (404, False)])
def test_delete_object_tells_a_missing_bucket(
    recorder: Recorder, client: CosClient, status: int, is_found: bool
) -> None:
    recorder.default = reply(status)

    outcome = client.delete_object(**AT, Key="k")

    assert outcome["DeleteObjectSuccess"] is is_found
    assert outcome["BucketNotFound"] is not is_found


def test_listing_is_decoded_only_where_it_is_encoded(recorder: Recorder, client: CosClient) -> None:
    page = "<ListBucketResult>%s<Contents><Key>a%%2Bb%%20%%01</Key></Contents></ListBucketResult>"
    recorder.steps.append(reply(200, (page % "<EncodingType>url</EncodingType>").encode()))
    recorder.steps.append(reply(200, (page % "<Encoding-type>url</Encoding-type>").encode()))
    recorder.steps.append(reply(200, (page % "").encode()))

    keys = [client.get_bucket(**AT)["Contents"][0]["Key"] for _ in range(3)]

    assert keys == ["a+b \x01", "a+b \x01", "a%2Bb%20%01"]


def test_next_marker_is_made_up_from_the_last_entry(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(
        200,
        b"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
        b"<Contents><Key>%EF%BF%BD</Key></Contents><Contents><Key>%F0%9F%98%80</Key></Contents>"
        b"<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes></ListBucketResult>",
    )

    page = client.get_bucket(**AT)

    # By bytes the emoji is last; by UTF-16 units, as some libraries compare, it is not.
    assert page["NextMarker"] == "\U0001f600"
    assert page["CommonPrefixes"] == [{"Prefix": "a/"}]


def test_namespace_and_blanks_do_not_matter(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(
        200,
        f'<?xml version="1.0" encoding="UTF-8"?>\n\n  <CompleteMultipartUploadResult xmlns="{NAMESPACE}">'
        f'<Location>http://h/{{{NAMESPACE}}}</Location><ETag>"e-1"</ETag></CompleteMultipartUploadResult>'.encode(),
        x_cos_hash_crc64ecma="7",
    )

    done = client.multipart_complete(**AT, Key="k", UploadId="u", Parts=[{"PartNumber": 1, "ETag": "a"}])

    assert done["Location"] == f"http://h/{{{NAMESPACE}}}"
    assert (done["ETag"], done["CRC64"], done["IsReconciled"]) == ('"e-1"', "7", False)


def test_grants_are_read_raw(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(
        200,
        b'<AccessControlPolicy><Owner><ID>1</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="'
        b'http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>u</URI></Grantee>'
        b"<Permission>WRITE</Permission></Grant><Grant><Grantee><Type>RootAccount</Type><ID>2</ID></Grantee>"
        b"<Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>",
        x_cos_acl="default",
    )

    acl = client.get_object_acl(**AT, Key="k")

    assert acl["ACL"] == "default"
    assert acl["AccessControlList"]["Grant"] == [
        {"Grantee": {"Type": "Group", "URI": "u", "uin": "", "Subacount": ""}, "Permission": "WRITE"},
        {"Grantee": {"Type": "RootAccount", "ID": "2", "uin": "2", "Subacount": ""}, "Permission": "READ"},
    ]


@pytest.mark.parametrize("text", ["ap-beijing", "cos.ap-beijing", "cosbj"])
def test_location_is_the_present_name(recorder: Recorder, client: CosClient, text: str) -> None:
    recorder.default = reply(200, f"<LocationConstraint>{text}</LocationConstraint>".encode())

    assert client.get_bucket_location(**AT)["LocationConstraint"] == "ap-beijing"


def test_complete_tells_the_version(recorder: Recorder, client: CosClient) -> None:
    body = b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
    recorder.default = reply(200, body, x_cos_version_id="v7")

    done = client.multipart_complete(**AT, Key="k", UploadId="u", Parts=[{"PartNumber": 1, "ETag": "a"}])

    assert done["VersionId"] == "v7"


def complete(client: CosClient, **expected: Any) -> dict[str, Any]:
    return client.multipart_complete(
        **AT, Key="k", UploadId="u", Parts=[{"PartNumber": 1, "ETag": "a"}], **expected
    )


EXPECTED = {"ExpectedSize": 10, "ExpectedCRC64": "7"}
LOST = [drop, reply(404, error("NoSuchUpload"))]


@pytest.mark.parametrize("loss", LOST, ids=["drop", "unknown upload"])
def test_lost_complete_is_settled_by_looking(recorder: Recorder, client: CosClient, loss: Any) -> None:
    recorder.steps.append(loss)
    recorder.default = reply(200, Content_Length="10", x_cos_hash_crc64ecma="7", ETag='"e-1"')

    done = complete(client, **EXPECTED)

    assert done["IsReconciled"] is True
    assert (done["ETag"], done["CRC64"]) == ('"e-1"', "7")
    assert [seen.method for seen in recorder.seen] == ["POST", "HEAD"]


@pytest.mark.parametrize(
    "found",
    [
        reply(200, Content_Length="11", x_cos_hash_crc64ecma="7", ETag='"e-1"'),
        reply(200, Content_Length="10", x_cos_hash_crc64ecma="8", ETag='"e-1"'),
        reply(200, Content_Length="10", ETag='"e-1"'),
        reply(200, Content_Length="10", x_cos_hash_crc64ecma="7", ETag='"e"'),
        reply(200, Content_Length="10", x_cos_hash_crc64ecma="7", ETag='"e-11"'),
        reply(200, Content_Length="10", x_cos_hash_crc64ecma="7"),
        reply(404),
    ],
    ids=["size", "digest", "no digest", "put whole", "more parts", "no ETag", "missing"],
)
def test_another_object_does_not_settle_it(recorder: Recorder, client: CosClient, found: bytes) -> None:
    recorder.steps.append(drop)
    recorder.default = found

    with pytest.raises(errors.Unavailable):
        complete(client, **EXPECTED)


def test_without_expectations_nothing_is_looked_at(recorder: Recorder, client: CosClient) -> None:
    recorder.steps.append(drop)

    with pytest.raises(errors.Unavailable):
        complete(client)

    assert len(recorder.seen) == 1


SIZELESS = b'HTTP/1.1 200 OK\r\nx-cos-request-id: R\r\nETag: "e"\r\n\r\n'


def test_object_of_unknown_size_is_not_empty(recorder: Recorder, recorded_store: CosStore) -> None:
    recorder.default = SIZELESS

    with pytest.raises(errors.Unavailable, match="no usable content-length"):
        recorded_store.head_object(bucket=AT["Bucket"], region=AT["Region"], key="k")


def test_source_of_unknown_size_is_not_copied(recorder: Recorder, client: CosClient) -> None:
    recorder.default = SIZELESS

    with pytest.raises(errors.Unavailable, match="no usable content-length"):
        client.slice_copy_file(**AT, Key="to", CopySource={**AT, "Key": "from"})

    assert [seen.method for seen in recorder.seen] == ["HEAD"]


def test_object_that_has_not_changed_needs_no_size(recorder: Recorder, recorded_store: CosStore) -> None:
    recorder.default = SIZELESS.replace(b"200 OK", b"304 Not Modified")

    info = recorded_store.head_object(bucket=AT["Bucket"], region=AT["Region"], key="k", if_none_match="e")

    assert (info.is_not_modified, info.size) == (True, 0)


def test_key_that_xml_cannot_hold_is_refused_in_a_batch(recorder: Recorder, client: CosClient) -> None:
    with pytest.raises(errors.Refused, match="control character"):
        client.delete_multiple_object(**AT, Objects=[{"Key": "a"}, {"Key": "b\x01"}])

    assert recorder.connections == 0


@pytest.mark.parametrize("count", [0, 1001])
def test_batch_has_one_to_a_thousand_keys(client: CosClient, count: int) -> None:
    with pytest.raises(errors.Refused, match="1 to 1000"):
        client.delete_multiple_object(**AT, Objects=[{"Key": str(number)} for number in range(count)])


@pytest.mark.parametrize("byte_range", [None, ""])
def test_part_of_an_object_that_was_asked_for_whole_is_no_answer(
    recorder: Recorder, client: CosClient, byte_range: str | None
) -> None:
    recorder.default = reply(206, b"half", Content_Range="bytes 0-3/8")

    with pytest.raises(errors.Unavailable):
        client.get_object(**AT, Key="k", Range=byte_range)
    with client.get_object(**AT, Key="k", Range="bytes=0-3")["Body"] as body:
        assert b"".join(body) == b"half"


def test_whole_object_is_an_answer_to_a_range_that_the_store_ignores(
    recorder: Recorder, client: CosClient
) -> None:
    recorder.default = reply(200, b"whole")

    with client.get_object(**AT, Key="k", Range="bytes=0-1,3-4")["Body"] as body:
        assert (body.status, b"".join(body)) == (200, b"whole")


def test_object_that_a_store_does_not_know_is_deleted(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(404, error("NoSuchKey"))

    outcome = client.delete_object(**AT, Key="k")

    assert (outcome["DeleteObjectSuccess"], outcome["BucketNotFound"]) == (True, False)


def test_304_does_not_claim_a_storage_class(recorder: Recorder, client: CosClient) -> None:
    recorder.default = SIZELESS.replace(b"200 OK", b"304 Not Modified")

    fields = client.head_object(**AT, Key="k", IfNoneMatch='"e"')

    assert (fields["NotModified"], fields["x-cos-storage-class"]) == (True, "")
