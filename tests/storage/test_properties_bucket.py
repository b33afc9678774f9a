"""A bucket is a dictionary: whatever is done to it in whatever order, it holds what a dictionary would."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apps.storage import errors
from tests.examples import FACTOR
from tests.storage.embedded import Home, home

KEYS = ["a", "a/", "a/b", "a//b", "../a", "\U0001f600", "\x01", "a b+%2F"]
KEY = st.sampled_from(KEYS)
DATA = st.binary(max_size=20)
MIB = 1 << 20


class BucketMachine(RuleBasedStateMachine):
    """The bucket beside a dictionary of key to (bytes, metadata), and one of upload id to its parts."""

    bucket: Home
    uploads = Bundle("uploads")

    @initialize()
    def empty(self) -> None:
        for upload in self.bucket.client.multipart_list(**self.bucket.at)["Upload"]:
            self.bucket.client.multipart_abort(**self.bucket.of(upload["Key"]), UploadId=upload["UploadId"])
        for key in self.bucket.listed():
            self.bucket.client.delete_object(**self.bucket.of(key))
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.parts: dict[tuple[str, str], dict[int, tuple[bytes, str]]] = {}

    @rule(key=KEY, data=DATA, note=st.sampled_from(["x", "é"]))
    def put(self, key: str, data: bytes, note: str) -> None:
        self.bucket.client.put_object(**self.bucket.of(key), Body=data, Metadata={"note": note})
        self.objects[key] = data, note

    @rule(key=KEY)
    def get(self, key: str) -> None:
        try:
            with self.bucket.client.get_object(**self.bucket.of(key))["Body"] as body:
                found = b"".join(body), body.headers["x-cos-meta-note"]
        except errors.ObjectNotFound:
            assert key not in self.objects
        else:
            assert found == self.objects[key]

    @rule(key=KEY, copied=KEY)
    def copy(self, key: str, copied: str) -> None:
        try:
            self.bucket.client.put_object_copy(**self.bucket.of(copied), CopySource=self.bucket.of(key))
        except errors.ObjectNotFound:
            assert key not in self.objects
        except errors.Refused:
            assert key == copied
        else:
            assert key != copied
            self.objects[copied] = self.objects[key]

    @rule(key=KEY)
    def delete(self, key: str) -> None:
        self.bucket.client.delete_object(**self.bucket.of(key))
        self.objects.pop(key, None)

    @rule(keys=st.lists(KEY.filter(lambda key: key != "\x01"), min_size=1, max_size=3, unique=True))
    def delete_many(self, keys: list[str]) -> None:
        told = self.bucket.client.delete_multiple_object(
            **self.bucket.at, Objects=[{"Key": key} for key in keys]
        )
        assert [record["Key"] for record in told["Deleted"]] == keys
        for key in keys:
            self.objects.pop(key, None)

    @rule(target=uploads, key=KEY)
    def begin(self, key: str) -> tuple[str, str]:
        begun = self.bucket.client.multipart_init(**self.bucket.of(key), Metadata={"note": "joined"})
        self.parts[key, begun["UploadId"]] = {}
        return key, begun["UploadId"]

    @rule(upload=uploads, number=st.integers(1, 3), size=st.sampled_from([0, 5, MIB]), mark=st.integers(1, 9))
    def send(self, upload: tuple[str, str], number: int, size: int, mark: int) -> None:
        # Not the bytes themselves: each step is written down, and a mebibyte takes long to spell.
        data = bytes([mark]) * size
        key, upload_id = upload
        part = self.bucket.client.multipart_upload(
            **self.bucket.of(key), UploadId=upload_id, PartNumber=number, Body=data
        )
        self.parts[upload][number] = data, part["ETag"]

    @rule(upload=uploads)
    def look(self, upload: tuple[str, str]) -> None:
        key, upload_id = upload
        listed = self.bucket.client.multipart_list_part(**self.bucket.of(key), UploadId=upload_id)["Part"]
        found = [(int(part["PartNumber"]), int(part["Size"]), part["ETag"]) for part in listed]
        expected = sorted((number, len(data), etag) for number, (data, etag) in self.parts[upload].items())
        assert found == expected

    @rule(upload=consumes(uploads))
    def end(self, upload: tuple[str, str]) -> None:
        """Complete if the parts allow it, and abort otherwise: either way the upload is over."""
        key, upload_id = upload
        stored = sorted(self.parts.pop(upload).items())
        client, of = self.bucket.client, self.bucket.of(key)
        parts = [{"PartNumber": number, "ETag": etag} for number, (_, etag) in stored]
        if parts and all(len(data) >= MIB for _, (data, _) in stored[:-1]):
            client.multipart_complete(**of, UploadId=upload_id, Parts=parts)
            self.objects[key] = b"".join(data for _, (data, _) in stored), "joined"
            return
        try:
            client.multipart_complete(**of, UploadId=upload_id, Parts=parts)
            raise AssertionError("Parts that are too small made an object.")
        except errors.Refused:
            client.multipart_abort(**of, UploadId=upload_id)

    @precondition(lambda self: self.objects or self.parts)
    @rule()
    def bucket_cannot_go(self) -> None:
        try:
            self.bucket.client.delete_bucket(**self.bucket.at)
            raise AssertionError("A bucket went that still held something.")
        except errors.Conflict:
            return

    @invariant()
    def holds_what_the_dictionary_holds(self) -> None:
        page: dict[str, Any] = self.bucket.client.get_bucket(**self.bucket.at)
        found = [(record["Key"], int(record["Size"])) for record in page["Contents"]]
        model = sorted(self.objects.items(), key=lambda item: item[0].encode())
        assert found == [(key, len(data)) for key, (data, _) in model]
        begun = self.bucket.client.multipart_list(**self.bucket.at)["Upload"]
        assert {(record["Key"], record["UploadId"]) for record in begun} == self.parts.keys()


def test_bucket_is_a_dictionary() -> None:
    with home() as bucket:
        BucketMachine.bucket = bucket
        run_state_machine_as_test(
            BucketMachine, settings=settings(max_examples=15 * FACTOR, stateful_step_count=30)
        )
