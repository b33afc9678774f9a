"""The same client over TLS: bodies both ways, and a certificate that nobody vouches for."""

from __future__ import annotations

import datetime
import os
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.storage import errors
from apps.storage.cos import CancelToken, CosClient, Retries
from apps.storage.digest import crc64_update
from apps.storage.types import Credentials, Endpoint, FileSlice
from tests.storage.conftest import SECRET_ID, SECRET_KEY
from tests.storage.recorder import Recorder, reply
from tests.storage.verifier import signature_is_valid

AT = {"Bucket": "photos-1250000000", "Region": "ap-guangzhou", "Key": "a/../b"}
HOST = "photos-1250000000.cos.ap-guangzhou.myqcloud.com"
MIB = 1 << 20
DATA = os.urandom(3 * MIB)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and its self-signed certificate for the bucket's host, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "store")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "store.pem"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + signed.public_bytes(encoding))
    return path


@pytest.fixture
def encrypted(certificate: Path) -> Iterator[Recorder]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Recorder(tls=context) as server:
        yield server


@pytest.fixture
def client(encrypted: Recorder) -> CosClient:
    return CosClient(
        credentials=Credentials(SECRET_ID, SECRET_KEY),
        endpoint=Endpoint(connect_to=f"127.0.0.1:{encrypted.port}"),
        retries=Retries(attempts=3, first_delay_s=0.01),
    )


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(certificate))


@pytest.mark.usefixtures("trusted")
def test_file_is_sent_encrypted(encrypted: Recorder, client: CosClient, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(DATA)

    with (tmp_path / "data").open("rb") as file:
        client.put_object(**AT, Body=FileSlice(file, 7, len(DATA) - 9))

    assert encrypted.seen[0].body == DATA[7:-2]
    assert encrypted.seen[0].target == "/a/../b"
    assert encrypted.seen[0].headers["host"] == HOST
    assert signature_is_valid(encrypted.seen[0], SECRET_KEY)


@pytest.mark.usefixtures("trusted")
def test_object_is_read_encrypted(encrypted: Recorder, client: CosClient) -> None:
    encrypted.default = reply(200, DATA)

    with client.get_object(**AT)["Body"] as body:
        assert b"".join(body) == DATA


def test_untrusted_certificate_is_refused_at_once(encrypted: Recorder, client: CosClient) -> None:
    with pytest.raises(errors.Unavailable, match="certificate is not trusted"):
        client.head_object(**AT)

    assert encrypted.seen == []
    assert encrypted.connections == 1


@pytest.mark.usefixtures("trusted")
def test_slices_are_sent_encrypted(encrypted: Recorder, client: CosClient, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(DATA)
    pieces = [DATA[start : start + MIB] for start in range(0, len(DATA), MIB)]
    begun = b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
    done = b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
    encrypted.steps.append(reply(200, begun))
    encrypted.steps.extend(reply(ETag="e", x_cos_hash_crc64ecma=str(crc64_update(piece))) for piece in pieces)
    encrypted.steps.append(reply(200, done, x_cos_hash_crc64ecma=str(crc64_update(DATA))))

    client.slice_upload_file(**AT, FilePath=tmp_path / "data", SliceSize=MIB, AsyncLimit=1)

    assert [seen.body for seen in encrypted.seen[1:-1]] == pieces


@pytest.mark.usefixtures("trusted")
def test_encrypted_body_that_the_store_does_not_read_is_dropped(
    encrypted: Recorder, client: CosClient
) -> None:
    released, token = threading.Event(), CancelToken()
    encrypted.before_body.append(lambda _: released.wait(15))
    threading.Timer(0.3, token.cancel).start()
    begun = time.monotonic()

    with token.applied(), pytest.raises(errors.Canceled):
        client.put_object(**AT, Body=bytes(16 * MIB))

    assert time.monotonic() - begun < 5
    released.set()
