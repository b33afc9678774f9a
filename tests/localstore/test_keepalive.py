"""Slow copies and completes: the status first, then spaces, then the result or an error."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.node import NodeMissing, node_command, node_environment

from apps.localstore import LocalStore, Tuning
from apps.storage.cos.calls import Retries
from apps.storage.cos.client import CosClient
from apps.storage.errors import StorageError
from apps.storage.types import Credentials, Endpoint
from tests.clients.conftest import python_sdk
from tests.localstore.conftest import OTHER, OWNER
from tests.localstore.wire import (
    BUCKET,
    REGION,
    Reply,
    Wire,
    authorization,
    complete_xml,
    part_put,
    upload_begin,
)

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
COMPLETE = "CompleteMultipartUpload"


@pytest.fixture(scope="module")
def patient_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStore]:
    folder: Path = tmp_path_factory.mktemp("patient")
    store = LocalStore(data=folder, accounts=[OWNER, OTHER], tuning=Tuning(patience_s=0.05))
    store.start()
    with Wire(store.port, OWNER) as wire:
        wire.call("PUT", "/")
        wire.call("PUT", "/source", b"source", x_cos_meta_a="b")
    yield store
    store.stop()


@pytest.fixture
def slow(patient_store: LocalStore) -> Iterator[Wire]:
    patient_store.faults.clear()
    with Wire(patient_store.port, OWNER) as wire:
        yield wire
    patient_store.faults.clear()


def copied(wire: Wire, target: str, **headers: str) -> Reply:
    named = {"x-cos-copy-source": f"{wire.host}/source"} | headers
    return wire.request("PUT", target, named)


def test_slow_copy_sends_its_status_first_and_spaces_after_the_declaration(
    patient_store: LocalStore, slow: Wire
) -> None:
    patient_store.faults.add("delay", operation="CopyObject", seconds=0.5)

    reply = copied(slow, "/copy")

    assert (reply.status, reply.header("Transfer-Encoding")) == (200, "chunked")
    assert reply.header("x-cos-request-id")
    assert reply.header("Content-Type") == "application/xml"
    assert reply.body.startswith(DECLARATION + b" ")
    assert reply.xml.findtext("CRC64") == slow.call("HEAD", "/source").header("x-cos-hash-crc64ecma")


def test_status_arrives_before_the_work_is_done(patient_store: LocalStore, slow: Wire) -> None:
    patient_store.faults.add("delay", operation="CopyObject", seconds=0.6)
    slow.sock.settimeout(30)
    headers = {"Host": slow.host, "Content-Length": "0", "x-cos-copy-source": f"{slow.host}/source"}

    slow.sock.sendall(signed(slow, "PUT", "/early", headers))
    first = slow.sock.recv(65536)

    assert first.startswith(b"HTTP/1.1 200")
    with Wire(patient_store.port, OWNER) as other:
        assert other.call("HEAD", "/early").status == 404
    rest = b""
    while not rest.endswith(b"\r\n0\r\n\r\n"):
        rest += slow.sock.recv(65536)
    with Wire(patient_store.port, OWNER) as other:
        assert other.call("HEAD", "/early").status == 200


def signed(wire: Wire, method: str, target: str, headers: dict[str, str]) -> bytes:
    named = headers | {"Authorization": authorization(OWNER, method, target, headers)}
    return wire.head_bytes(method, target, named)


@pytest.mark.parametrize("rule", [{"delay": 0.0}, {"delay": 0.3}])
def test_quick_refusals_keep_their_status(
    patient_store: LocalStore, slow: Wire, rule: dict[str, float]
) -> None:
    patient_store.faults.add("delay", operation="*Co*", count=None, seconds=rule["delay"])

    missing = slow.request("PUT", "/copy", {"x-cos-copy-source": f"{slow.host}/missing"})
    unknown = slow.call("POST", "/k?uploadId=none", complete_xml([(1, '"e"')]))
    spoiled = f"/spoiled?uploadId={upload_begin(slow, '/spoiled')}"
    unlike = slow.call("POST", spoiled, complete_xml([(1, '"e"')]))
    with Wire(patient_store.port, OTHER) as stranger:
        refused = copied(stranger, "/copy")

    assert [missing.status, unknown.status, unlike.status, refused.status] == [404, 404, 400, 403]


def test_slow_complete_and_part_copy(patient_store: LocalStore, slow: Wire) -> None:
    upload = upload_begin(slow, "/joined")
    patient_store.faults.add("delay", operation="UploadPartCopy", seconds=0.6)
    patient_store.faults.add("delay", operation=COMPLETE, seconds=0.6)

    part = copied(slow, f"/joined?partNumber=1&uploadId={upload}")
    etag = part.xml.findtext("ETag") or ""
    done = slow.call("POST", f"/joined?uploadId={upload}", complete_xml([(1, etag)]))

    assert part.body.startswith(DECLARATION + b" ")
    assert done.body.startswith(DECLARATION + b" ")
    assert done.xml.findtext("{*}Key") == "joined"
    assert done.header("x-cos-hash-crc64ecma") == slow.call("HEAD", "/source").header("x-cos-hash-crc64ecma")
    assert slow.call("GET", "/joined").body == b"source"


def test_failure_after_the_status_is_an_error_in_the_body(patient_store: LocalStore, slow: Wire) -> None:
    upload = upload_begin(slow, "/k")
    etag = part_put(slow, "/k", upload, 1, b"x")
    patient_store.faults.add("delay", operation=COMPLETE, seconds=0.5)
    body = complete_xml([(1, etag)])
    headers = {"Host": slow.host, "Content-Length": str(len(body))}

    slow.sock.sendall(signed(slow, "POST", f"/k?uploadId={upload}", headers) + body)
    with Wire(patient_store.port, OWNER) as other:
        assert slow.sock.recv(1, socket.MSG_PEEK) == b"H"
        assert other.call("DELETE", f"/k?uploadId={upload}").status == 204
    reply = slow.reply("POST")

    assert (reply.status, reply.code) == (200, "NoSuchUpload")
    assert reply.body.startswith(DECLARATION + b" ")
    assert slow.call("HEAD", "/k").status == 404
    assert patient_store.journal[-2]["status"] == 200


def test_delay_and_error_in_200_make_a_late_failure(patient_store: LocalStore, slow: Wire) -> None:
    patient_store.faults.add("delay", operation="CopyObject", seconds=0.6)
    patient_store.faults.add("error_in_200", operation="CopyObject", code="SlowDown")

    reply = copied(slow, "/late")

    assert (reply.status, reply.code) == (200, "SlowDown")
    assert reply.body.startswith(DECLARATION + b" ")
    assert slow.call("HEAD", "/late").status == 404


def test_drop_after_an_early_status_is_an_end_in_the_middle(patient_store: LocalStore, slow: Wire) -> None:
    patient_store.faults.add("delay", operation="CopyObject", seconds=0.6)
    patient_store.faults.add("drop_after", operation="CopyObject")

    with pytest.raises(ConnectionError):
        copied(slow, "/dropped")

    with Wire(patient_store.port, OWNER) as other:
        assert other.call("HEAD", "/dropped").status == 200


def test_old_clients_wait_for_a_result_with_a_length(patient_store: LocalStore, slow: Wire) -> None:
    patient_store.faults.add("delay", operation="CopyObject", seconds=0.2)
    headers = {"Host": slow.host, "Content-Length": "0", "x-cos-copy-source": f"{slow.host}/source"}

    slow.sock.sendall(signed(slow, "PUT", "/old", headers).replace(b"HTTP/1.1", b"HTTP/1.0"))
    reply = slow.reply("PUT")

    assert (reply.status, reply.header("Transfer-Encoding")) == (200, None)
    assert reply.body.startswith(DECLARATION + b"<CopyObjectResult>")
    assert slow.is_closed()


def test_reader_who_leaves_early_does_not_stop_the_work(patient_store: LocalStore, slow: Wire) -> None:
    patient_store.faults.add("delay", operation="CopyObject", key="left", seconds=0.6)
    headers = {"Host": slow.host, "Content-Length": "0", "x-cos-copy-source": f"{slow.host}/source"}

    slow.sock.sendall(signed(slow, "PUT", "/left", headers))
    slow.sock.recv(65536)
    slow.close()

    with Wire(patient_store.port, OWNER) as other:
        until = time.monotonic() + 20
        while other.call("HEAD", "/left").status != 200:
            assert time.monotonic() < until
            time.sleep(0.02)


def test_official_sdk_reads_through_the_spaces(patient_store: LocalStore) -> None:
    sdk = python_sdk(patient_store.port, OWNER, Region=REGION)
    patient_store.faults.clear()
    patient_store.faults.add("delay", operation="*Co*", count=None, seconds=0.2)
    source = {"Bucket": BUCKET, "Region": REGION, "Key": "source"}

    result = sdk.copy_object(Bucket=BUCKET, Key="sdk", CopySource=source)
    upload = sdk.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    part = sdk.upload_part_copy(Bucket=BUCKET, Key="parts", PartNumber=1, UploadId=upload, CopySource=source)
    parts = {"Part": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    done = sdk.complete_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload, MultipartUpload=parts)
    patient_store.faults.clear()

    assert result["ETag"] == sdk.head_object(Bucket=BUCKET, Key="source")["ETag"]
    assert done["ETag"].endswith('-1"')
    assert sdk.get_object(Bucket=BUCKET, Key="parts")["Body"].get_raw_stream().read() == b"source"


def test_own_client_reads_through_the_spaces_to_the_error(patient_store: LocalStore) -> None:
    patient_store.faults.clear()
    client = CosClient(
        credentials=Credentials(OWNER.secret_id, OWNER.secret_key),
        endpoint=Endpoint(scheme="http", connect_to=f"127.0.0.1:{patient_store.port}"),
        retries=Retries(attempts=1),
    )
    where = {"Bucket": BUCKET, "Region": REGION, "Key": "own"}
    source = f"{BUCKET}.cos.{REGION}.myqcloud.com/source"
    patient_store.faults.add("delay", operation="CopyObject", count=2, seconds=0.2)
    patient_store.faults.add("error_in_200", operation="CopyObject", skip=1, code="InternalError")

    copied = client.put_object_copy(CopySource=source, **where)

    assert copied["CRC64"] == client.head_object(**where)["x-cos-hash-crc64ecma"]
    with pytest.raises(StorageError, match="InternalError"):
        client.put_object_copy(CopySource=source, **where)


NODE = """
const COS = require("cos-nodejs-sdk-v5");
const [port, id, key, bucket, region] = process.argv.slice(2);
const cos = new COS({SecretId: id, SecretKey: key, Protocol: "http:", Proxy: `http://127.0.0.1:${port}`});
const at = {Bucket: bucket, Region: region, Key: "node"};
const source = `${bucket}.cos.${region}.myqcloud.com/source`;
(async () => {
  const copy = await cos.putObjectCopy({...at, CopySource: source});
  const {UploadId} = await cos.multipartInit(at);
  const part = await cos.uploadPartCopy({...at, UploadId, PartNumber: 1, CopySource: source});
  const done = await cos.multipartComplete({...at, UploadId, Parts: [{PartNumber: 1, ETag: part.ETag}]});
  console.log(copy.ETag.length, done.ETag.endsWith('-1"'));
})().catch((error) => { console.error(error); process.exit(1); });
"""


def test_node_sdk_reads_through_the_spaces(patient_store: LocalStore, tmp_path: Path) -> None:
    script = tmp_path / "reads.cjs"
    script.write_text(NODE)
    try:
        node = node_command(script)
    except NodeMissing as missing:
        pytest.skip(f"The Node SDK cannot run here: {missing}")
    patient_store.faults.clear()
    patient_store.faults.add("delay", operation="*Co*", count=None, seconds=0.2)
    arguments = [str(patient_store.port), OWNER.secret_id, OWNER.secret_key, BUCKET, REGION]

    done = subprocess.run(
        [*node, *arguments],
        env=os.environ | node_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    patient_store.faults.clear()

    assert done.stdout == "34 true\n", done.stderr
