"""Any object that COS accepts survives put, get, list, copy and delete through our client and our store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.storage import errors
from apps.storage.digest import crc64_update
from apps.storage.providers.cos import PROVIDER
from apps.storage.store import ObjectStore
from apps.storage.types import Credentials, Endpoint
from tests.examples import examples
from tests.localstore.thrown import replies_of, thrown
from tests.storage.embedded import NAME, OWNER, REGION, Home, home
from tests.storage.strategies import HEADER_VALUES, HEADERS, KEYS, METADATA

DATA = st.binary(max_size=200)
_HEADER_OF = {
    "CacheControl": "cache-control",
    "ContentDisposition": "content-disposition",
    "ContentEncoding": "content-encoding",
    "ContentLanguage": "content-language",
    "ContentType": "content-type",
    "Expires": "expires",
}


@pytest.fixture(scope="module")
def bucket() -> Iterator[Home]:
    with home() as found:
        yield found


@pytest.fixture(scope="module")
def store(bucket: Home) -> ObjectStore:
    endpoint = Endpoint("http", connect_to=f"127.0.0.1:{bucket.port}")
    return PROVIDER.open(Credentials(OWNER.secret_id, OWNER.secret_key), endpoint)


@examples(60)
@given(key=KEYS, copy=KEYS, data=DATA)
@example(key="..", copy=".", data=b"1")
@example(key="a/../b", copy="b", data=b"")
@example(key="a//", copy="a/", data=b"2")
@example(key="k" * 850, copy="\U0001f600" * 212, data=b"3")
@example(key="?acl", copy="#", data=b"4")
def test_any_key(bucket: Home, key: str, copy: str, data: bytes) -> None:
    client = bucket.client

    stored = client.put_object(**bucket.of(key), Body=data)
    assert stored["CRC64"] == str(crc64_update(data))
    assert bucket.read(key) == data
    assert client.head_object(**bucket.of(key))["ETag"] == stored["ETag"]
    assert key in bucket.listed(Prefix=key)
    assert bucket.listed() == [key]

    if copy != key:
        client.put_object_copy(**bucket.of(copy), CopySource={**bucket.of(key)})
        assert bucket.read(copy) == data
        assert bucket.listed() == sorted([key, copy], key=str.encode)
        client.delete_object(**bucket.of(copy))
    client.delete_object(**bucket.of(key))
    assert bucket.listed() == []
    assert not bucket.exists(key)


def downloaded(headers: dict[str, str]) -> dict[str, str]:
    """Return headers as a GET shows them: the store lets browsers save what it holds, and never show it."""
    name = "content-disposition"
    if headers.get(name, "attachment").lower().startswith("attachment"):
        return headers
    return {**headers, name: "attachment"}


@examples(80)
@given(metadata=METADATA, headers=HEADERS)
@example(metadata={"A": "\xa0x\xa0", "b-": "", "c": "a,b;c", "D0": "\u3000"}, headers={})
@example(metadata={"x": "\x85"}, headers={"ContentType": "\x85a"})
@example(metadata={"x": "v" * 2047}, headers={})
@example(metadata={}, headers={"ContentEncoding": "gzip", "Expires": "0"})
def test_any_metadata(bucket: Home, metadata: dict[str, str], headers: dict[str, str]) -> None:
    expected = {f"x-cos-meta-{name.lower()}": value for name, value in metadata.items()}
    expected |= {_HEADER_OF[name]: value for name, value in headers.items()}
    client = bucket.client

    client.put_object(**bucket.of("m"), Body=b"x", Metadata=metadata, **headers)
    client.put_object_copy(**bucket.of("copied"), CopySource=bucket.of("m"))
    client.put_object_copy(
        **bucket.of("m2"),
        CopySource=bucket.of("copied"),
        MetadataDirective="Replaced",
        Metadata=metadata,
        **headers,
    )

    for key in ("m", "copied", "m2"):
        found = client.head_object(**bucket.of(key))
        shown = {name: value for name, value in found.items() if name in expected or "-meta-" in name}
        assert shown == expected
        with client.get_object(**bucket.of(key))["Body"] as body:
            assert {name: body.headers[name] for name in expected} == downloaded(expected)
            assert b"".join(body) == b"x"
    for key in ("m", "copied", "m2"):
        client.delete_object(**bucket.of(key))


BOUNDS = st.integers(0, 40)
RANGES = st.one_of(
    st.builds("bytes={}-{}".format, BOUNDS, BOUNDS),
    st.builds("bytes={}-".format, BOUNDS),
    st.builds("bytes=-{}".format, BOUNDS),
)


@examples(80)
@given(size=st.integers(0, 30), asked=RANGES)
@example(size=0, asked="bytes=0-0")
@example(size=0, asked="bytes=-1")
@example(size=5, asked="bytes=-0")
def test_any_range(bucket: Home, size: int, asked: str) -> None:
    data = bytes(range(size))
    bucket.client.put_object(**bucket.of("r"), Body=data)
    expected = sliced(data, asked)

    if expected is None:
        with pytest.raises(errors.Refused) as caught:
            bucket.read("r", Range=asked)
        assert (caught.value.status, caught.value.code) == (416, "InvalidRange")
    else:
        assert bucket.read("r", Range=asked) == expected
    bucket.client.delete_object(**bucket.of("r"))


def sliced(data: bytes, asked: str) -> bytes | None:
    """Return what RFC 9110 sends for one range; None is 416. One that ends before it starts is ignored."""
    first, last = asked.removeprefix("bytes=").split("-")
    if not first:
        return data[-int(last) :] if data and int(last) else None
    if last and int(last) < int(first):
        return data
    return data[int(first) : int(last) + 1 if last else None] if int(first) < len(data) else None


def _lower_hex(quoted: str) -> str:
    return re.sub("%..", lambda found: found[0].lower(), quoted)


SPELLINGS = {
    "mapping": lambda host, key: {"Bucket": NAME, "Region": REGION, "Key": key},
    "slashes kept": lambda host, key: f"{host}/{quote(key, safe='/')}",
    "all encoded": lambda host, key: f"{host}/{quote(key, safe='')}",
    "lower case": lambda host, key: f"{host}/{_lower_hex(quote(key, safe=''))}",
    "each byte": lambda host, key: f"{host}/" + "".join(f"%{byte:02X}" for byte in key.encode()),
    "scheme": lambda host, key: f"https://{host}/{quote(key)}",
    "version": lambda host, key: f"{host}/{quote(key, safe='')}?versionId=null",
}


@examples(50)
@given(key=KEYS, spelling=st.sampled_from(sorted(SPELLINGS)))
def test_any_spelling_of_a_copy_source(bucket: Home, key: str, spelling: str) -> None:
    source = SPELLINGS[spelling](f"{NAME}.cos.{REGION}.myqcloud.com", key)
    bucket.client.put_object(**bucket.of(key), Body=key.encode())

    bucket.client.put_object_copy(**bucket.of("target/of/copies"), CopySource=source)

    assert bucket.read("target/of/copies") == key.encode()
    for done in (key, "target/of/copies"):
        bucket.client.delete_object(**bucket.of(done))


@examples(30)
@given(keys=st.lists(KEYS, min_size=1, max_size=6, unique=True), missing=st.lists(KEYS, max_size=2))
@example(keys=["a\rb", "a\nb", "a\r\nb", "]]>", "&amp;", " ", "\x01"], missing=["\ufffe"])
def test_any_batch_of_keys_is_deleted(
    bucket: Home, store: ObjectStore, keys: list[str], missing: list[str]
) -> None:
    for key in [*keys, "stays"]:
        bucket.client.put_object(**bucket.of(key), Body=b"")
    batch = [key for key in dict.fromkeys([*keys, *missing]) if key != "stays"]

    outcome = store.delete_objects(bucket=NAME, region=REGION, keys=batch)

    assert sorted(outcome.deleted) == sorted(batch)
    assert outcome.failures == ()
    assert bucket.listed() == ["stays"]
    bucket.client.delete_object(**bucket.of("stays"))


OVERRIDES = st.dictionaries(
    st.sampled_from([f"Response{name}" for name in _HEADER_OF]), HEADER_VALUES.filter(bool), max_size=3
)


@examples(50)
@given(key=KEYS, overrides=OVERRIDES)
@example(key="a+b c%2Bd", overrides={"ResponseContentType": "a+b c%2Bd&e=f;g"})
def test_any_presigned_address(bucket: Home, key: str, overrides: dict[str, str]) -> None:
    bucket.client.put_object(**bucket.of(key), Body=b"shared")
    expected = {_HEADER_OF[name.removeprefix("Response")]: value for name, value in overrides.items()}

    url = urlsplit(bucket.client.get_object_url(**bucket.of(key), **overrides))

    lines = [f"GET {url.path}?{url.query} HTTP/1.1", f"Host: {url.netloc}", "Connection: close"]
    (answer,) = replies_of(thrown(bucket.port, ("\r\n".join(lines) + "\r\n\r\n").encode()))
    assert (answer.status, answer.body) == (200, b"shared")
    shown = {name.lower(): value.encode("latin-1").decode() for name, value in answer.headers}
    assert {name: shown[name] for name in expected} == downloaded(expected)
    bucket.client.delete_object(**bucket.of(key))
