"""Any plan of parts makes the object that its parts say, or is refused and leaves the upload as it was."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.storage import errors
from apps.storage.digest import crc64_combine_parts, crc64_update
from tests.examples import examples
from tests.storage.embedded import Home, home
from tests.storage.strategies import KEYS

MIB = 1 << 20
SIZES = (0, 1, MIB - 1, MIB, MIB + 1)
# A few bodies, named by size and content, are shared by all examples.
BODIES = {(size, mark): bytes([mark]) * size for size in SIZES for mark in (1, 2)}
CRCS = {body: crc64_update(data) for body, data in BODIES.items()}
NUMBERS = st.sampled_from([1, 2, 3, 5, 9999, 10000])
Body = tuple[int, int]
# Parts as they arrive: in any order, some of them again with another body.
ARRIVALS = st.lists(
    st.tuples(NUMBERS, st.tuples(st.sampled_from([MIB, MIB + 1, MIB, 1, 0]), st.sampled_from([1, 2]))),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def bucket() -> Iterator[Home]:
    with home() as found:
        yield found


def expected_code(stored: dict[int, Body], wanted: list[int]) -> str | None:
    """Return why a Complete of these numbers fails."""
    if any(later <= earlier for earlier, later in pairwise(wanted)):
        return "InvalidPartOrder"
    if any(number not in stored for number in wanted):
        return "InvalidPart"
    if any(stored[number][0] < MIB for number in wanted[:-1]):
        return "EntityTooSmall"
    return None


@examples(25)
@given(key=KEYS, arrivals=ARRIVALS, wanted=st.none() | st.lists(NUMBERS, min_size=1, max_size=4))
@example(key="k", arrivals=[(10000, (1, 1)), (1, (MIB, 2)), (1, (MIB, 1))], wanted=None)
@example(key="k", arrivals=[(1, (0, 1))], wanted=[1])
@example(key="k", arrivals=[(1, (MIB, 1)), (2, (MIB - 1, 1)), (3, (1, 1))], wanted=[1, 2, 3])
@example(key="k", arrivals=[(1, (MIB, 1)), (2, (MIB, 2))], wanted=[2, 1])
def test_any_plan(bucket: Home, key: str, arrivals: list[tuple[int, Body]], wanted: list[int] | None) -> None:
    client = bucket.client
    upload_id = client.multipart_init(**bucket.of(key), Metadata={"a": "b"})["UploadId"]
    stored: dict[int, Body] = {}
    etags: dict[int, str] = {}
    for number, body in arrivals:
        part = client.multipart_upload(
            **bucket.of(key), UploadId=upload_id, PartNumber=number, Body=BODIES[body]
        )
        assert part["CRC64"] == str(CRCS[body])
        stored[number], etags[number] = body, part["ETag"]

    listed = client.multipart_list_part(**bucket.of(key), UploadId=upload_id)
    assert listed["Key"] == key
    assert [(int(part["PartNumber"]), int(part["Size"]), part["ETag"]) for part in listed["Part"]] == [
        (number, stored[number][0], etags[number]) for number in sorted(stored)
    ]

    numbers = sorted(stored) if wanted is None else wanted
    parts = [{"PartNumber": number, "ETag": etags.get(number, '"' + "0" * 32 + '"')} for number in numbers]
    code = expected_code(stored, numbers)
    if code is None:
        done = client.multipart_complete(**bucket.of(key), UploadId=upload_id, Parts=parts)
        bodies = [stored[number] for number in numbers]
        crc64 = str(crc64_combine_parts([(CRCS[body], body[0]) for body in bodies]))
        assert (done["CRC64"], done["Key"]) == (crc64, key)
        _assert_whole(bucket, key, bodies, crc64)
        client.delete_object(**bucket.of(key))
        with pytest.raises(errors.UploadNotFound):
            client.multipart_list_part(**bucket.of(key), UploadId=upload_id)
    else:
        with pytest.raises(errors.StorageError) as caught:
            client.multipart_complete(**bucket.of(key), UploadId=upload_id, Parts=parts)
        assert caught.value.code in (code, "")
        assert not bucket.exists(key)
        again = client.multipart_list_part(**bucket.of(key), UploadId=upload_id)
        assert again["Part"] == listed["Part"]
        client.multipart_abort(**bucket.of(key), UploadId=upload_id)
    assert client.multipart_list(**bucket.at)["Upload"] == []


def _assert_whole(bucket: Home, key: str, bodies: list[Body], crc64: str) -> None:
    """Read the object, and the borders of its parts once more as ranges."""
    found = bucket.client.head_object(**bucket.of(key))
    size = sum(body[0] for body in bodies)
    assert (found["content-length"], found["x-cos-meta-a"]) == (str(size), "b")
    assert str(crc64_update(bucket.read(key))) == crc64
    border = 0
    for left, right in pairwise(bodies):
        border += left[0]
        around = bucket.read(key, Range=f"bytes={border - 2}-{border + 1}")
        assert around == (BODIES[left][-2:] + BODIES[right][:2])[: size - border + 2]


@examples(15)
@given(
    key=KEYS,
    cuts=st.lists(st.integers(1, 3 * MIB - 1), max_size=2, unique=True).map(sorted),
    target=KEYS,
)
def test_any_cut_of_a_copy_makes_the_same_object(
    bucket: Home, key: str, cuts: list[int], target: str
) -> None:
    source = BODIES[MIB, 1] + BODIES[MIB, 2] + BODIES[MIB, 1]
    client = bucket.client
    client.put_object(**bucket.of(key), Body=source)
    bounds = [0, *cuts, len(source)]
    ranges = list(pairwise(bounds))
    upload_id = client.multipart_init(**bucket.of(target))["UploadId"]
    parts = [
        {
            "PartNumber": number,
            "ETag": client.multipart_upload_copy(
                **bucket.of(target),
                UploadId=upload_id,
                PartNumber=number,
                CopySource=bucket.of(key),
                CopySourceRange=f"bytes={first}-{end - 1}",
            )["ETag"],
        }
        for number, (first, end) in enumerate(ranges, 1)
    ]

    if any(end - first < MIB for first, end in ranges[:-1]):
        with pytest.raises(errors.Refused, match="EntityTooSmall"):
            client.multipart_complete(**bucket.of(target), UploadId=upload_id, Parts=parts)
        client.multipart_abort(**bucket.of(target), UploadId=upload_id)
    else:
        client.multipart_complete(**bucket.of(target), UploadId=upload_id, Parts=parts)
        assert bucket.read(target) == source
    for done in {key, target}:
        client.delete_object(**bucket.of(done))
