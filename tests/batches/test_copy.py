"""Copies, moves and renames: nothing overwritten unseen, no source lost before its copy was compared."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.batches import figures, services
from apps.batches.actions import copying
from apps.batches.models import Batch, BatchObject
from apps.batches.rules import other_name
from apps.batches.running import cancel_batch, run_batch
from apps.batches.selection import Match, Selection
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectHeaders, ObjectRef
from tests.batches.conftest import confirmed, fresh, ran, results, state_of
from tests.conftest import REGION
from tests.hostile import HOSTILE_KEYS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Batch]
Put = Callable[..., str]
MIB = 1 << 20


def to(bucket: str, prefix: str, **others: object) -> dict[str, object]:
    return {"bucket": bucket, "region": REGION, "prefix": prefix, "is_acl_kept": True, **others}


def keys(store: ObjectStore, bucket: str) -> list[str]:
    return [summary.key for summary in store.list_objects(bucket=bucket, region=REGION).objects]


def body(store: ObjectStore, bucket: str, key: str) -> bytes:
    found = store.get_object(bucket=bucket, region=REGION, key=key)
    try:
        return b"".join(found)
    finally:
        found.close()


def uploads(store: ObjectStore, bucket: str) -> int:
    return len(store.list_multipart_uploads(bucket=bucket, region=REGION).uploads)


def test_folder_is_copied_with_headers_class_and_access(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("in/", b"")
    put("in/a.txt", cache_control="no-cache", storage_class="STANDARD_IA", metadata={"owner": "ana"})
    put("in/deep/b.txt")
    store.put_object_acl(bucket=bucket, region=REGION, key="in/a.txt", acl="public-read")

    batch = ran(begin("copy", Selection(folders=("in/",)), **to(bucket, "out/")))

    assert keys(store, bucket) == [
        "in/", "in/a.txt", "in/deep/b.txt", "out/in/", "out/in/a.txt", "out/in/deep/b.txt",
    ]  # fmt: skip
    info = store.head_object(bucket=bucket, region=REGION, key="out/in/a.txt")
    assert (info.storage_class, info.metadata["owner"]) == ("STANDARD_IA", "ana")
    assert info.headers["cache-control"] == "no-cache"
    acl = store.get_object_acl(bucket=bucket, region=REGION, key="out/in/a.txt")
    assert acl.digest == store.get_object_acl(bucket=bucket, region=REGION, key="in/a.txt").digest
    assert state_of(batch) == Job.State.DONE


@pytest.mark.parametrize("action", ["copy", "move"])
def test_hostile_keys_arrive_whole(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, action: str
) -> None:
    hostile = [key for key in HOSTILE_KEYS if len(key) < 700]
    for key in hostile:
        put("in/" + key, key.encode())

    batch = ran(begin(action, Selection(match=Match(prefix="in/")), **to(bucket, "out/")))

    assert set(results(batch).values()) == {("done", "")}
    assert all(body(store, bucket, "out/" + key) == key.encode() for key in hostile)
    assert sum(key.startswith("in/") for key in keys(store, bucket)) == (
        len(hostile) if action == "copy" else 0
    )


@pytest.mark.parametrize(
    ("action", "options"), [("move", {"prefix": "out/"}), ("headers", {"set": {"expires": "0"}})]
)
def test_archived_object_is_said_to_be_archived(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, action: str, options: dict[str, object]
) -> None:
    put("in/a", storage_class="ARCHIVE")

    batch = ran(begin(action, Selection(keys=("in/a",)), bucket=bucket, region=REGION, **options))

    assert results(batch) == {"in/a": ("failed", "InvalidObjectState")}
    assert keys(store, bucket) == ["in/a"]


def test_plan_says_which_copies_lose_their_tags(
    begin: Begin, put: Put, owner_client: Client, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "COPY_IN_PARTS_FROM", 10)
    put("in/a", b"x" * 10)
    put("in/b", b"x" * 11)

    batch = begin("move", Selection(folders=("in/",)), **to(bucket, "out/"))
    page = owner_client.get(reverse("batches:plan", args=[batch.job_id])).content.decode()

    assert "1 object is so large that it is copied in parts" in page


def test_copy_of_a_key_that_would_be_too_long_is_left_out(begin: Begin, put: Put, bucket: str) -> None:
    put("k" * 850)

    batch = begin("copy", Selection(keys=("k" * 850,)), **to(bucket, "out/"))

    assert batch.figures["skipped"] == {"KeyTooLong": 1}


@pytest.mark.parametrize(
    ("collision", "state", "there"),
    [
        ("skip", ("skipped", "TargetTaken"), b"old"),
        ("replace", ("done", ""), b"new"),
        ("keep", ("done", ""), b"old"),
    ],
)
def test_collision_is_settled_as_the_person_chose(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, collision: str, state: object, there: bytes
) -> None:
    put("in/a.txt", b"new")
    put("out/a.txt", b"old")
    batch = begin("copy", Selection(keys=("in/a.txt",)), **to(bucket, "out/"))
    assert batch.figures["conflicts"] == 1

    ran(batch, collision=collision)

    assert results(batch) == {"in/a.txt": state}
    assert body(store, bucket, "out/a.txt") == there
    if collision == "keep":
        kept = BatchObject.objects.get().target
        assert kept.startswith("out/a (20")
        assert kept.endswith(").txt")
        assert body(store, bucket, kept) == b"new"


@pytest.mark.parametrize(
    ("collision", "state"),
    [
        ("", ("failed", "TargetTaken")),
        ("skip", ("skipped", "TargetTaken")),
        ("replace", ("failed", "TargetTaken")),
        ("keep", ("done", "")),
    ],
)
def test_object_that_appeared_at_the_target_is_never_lost(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, collision: str, state: object
) -> None:
    put("in/a.txt", b"new")
    batch = begin("copy", Selection(keys=("in/a.txt",)), **to(bucket, "out/"))
    put("out/a.txt", b"somebody else's")

    ran(batch, collision=collision)

    assert body(store, bucket, "out/a.txt") == b"somebody else's"
    assert results(batch) == {"in/a.txt": state}


def test_only_the_object_that_the_plan_saw_is_replaced(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("in/a.txt", b"new")
    put("out/a.txt", b"old")
    batch = begin("copy", Selection(keys=("in/a.txt",)), **to(bucket, "out/"))
    put("out/a.txt", b"newer than the plan")

    ran(batch, collision="replace")

    assert body(store, bucket, "out/a.txt") == b"newer than the plan"
    assert results(batch) == {"in/a.txt": ("failed", "TargetTaken")}


@pytest.mark.parametrize(("collision", "count"), [("replace", 1), ("skip", 1), ("keep", 2)])
def test_two_sources_of_one_target_never_overwrite_each_other(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, collision: str, count: int
) -> None:
    put("one/a.txt", b"1")
    put("two/a.txt", b"2")
    batch = begin("move", Selection(keys=("one/a.txt", "two/a.txt")), **to(bucket, "out/"))
    assert batch.figures["meetings"] == 1

    ran(batch, collision=collision)

    assert body(store, bucket, "out/a.txt") == b"1"
    assert sum(key.startswith("out/") for key in keys(store, bucket)) == count
    assert ("two/a.txt" in keys(store, bucket)) == (count == 1)


def test_source_that_changed_since_the_plan_is_not_copied(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("in/a.txt", b"planned")
    batch = begin("move", Selection(keys=("in/a.txt",)), **to(bucket, "out/"))
    put("in/a.txt", b"newer")

    ran(batch)

    assert keys(store, bucket) == ["in/a.txt"]
    assert results(batch) == {"in/a.txt": ("failed", "Changed")}


def test_object_with_the_same_bytes_and_other_headers_is_not_taken_for_the_copy(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("in/a.txt", b"same", metadata={"owner": "ana"})
    batch = begin("move", Selection(keys=("in/a.txt",)), **to(bucket, "out/"))
    put("out/a.txt", b"same")

    ran(batch)

    assert results(batch) == {"in/a.txt": ("failed", "TargetTaken")}
    assert keys(store, bucket) == ["in/a.txt", "out/a.txt"]


@pytest.mark.parametrize("is_killed", [False, True])
def test_two_moves_to_each_others_keys_lose_nothing(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, is_killed: bool
) -> None:
    put("one/a", b"same")
    put("two/a", b"same")
    first = begin("rename", Selection(keys=("one/a",)), name="two/a", bucket=bucket, region=REGION)
    second = begin("rename", Selection(keys=("two/a",)), name="one/a", bucket=bucket, region=REGION)
    first, second = confirmed(first, collision="replace"), confirmed(second, collision="replace")
    if is_killed:
        # Each was compared with the other's source when its worker was killed.
        etag = store.head_object(bucket=bucket, region=REGION, key="one/a").etag
        after = f'{{"etag": "{etag}", "crc64": null}}'
        BatchObject.objects.update(state="copied", after=after)

    run_batch(batch_id=first.pk)
    run_batch(batch_id=second.pk)

    assert keys(store, bucket)
    assert results(first) == {"one/a": ("failed", "TargetLeaves")}


def test_object_that_appears_after_the_last_look_is_never_overwritten(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, local_store: LocalStore
) -> None:
    put("in/a.txt", b"new")
    batch = confirmed(begin("copy", Selection(keys=("in/a.txt",)), **to(bucket, "out/")))
    # The one look at the target before the copy does not see what is there.
    put("out/a.txt", b"somebody else's")
    local_store.faults.add(
        "error", operation="HeadObject", key="out/a.txt", status=404, code="NoSuchKey", count=1
    )

    run_batch(batch_id=batch.pk)

    assert body(store, bucket, "out/a.txt") == b"somebody else's"
    assert results(batch) == {"in/a.txt": ("failed", "TargetTaken")}


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize(("collision", "count"), [("keep", 3), ("skip", 2)])
def test_upload_whose_key_was_taken_meanwhile_is_aborted(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, collision: str, count: int
) -> None:
    put("in/film.bin", os.urandom(2 * MIB))
    put("out/film.bin", b"there")
    batch = begin("copy", Selection(keys=("in/film.bin",)), **to(bucket, "out/"))
    if collision == "skip":
        BatchObject.objects.update(target_etag="")
    batch = confirmed(batch, collision=collision)
    upload_id = store.create_multipart_upload(
        bucket=bucket, region=REGION, key="out/film.bin", headers=ObjectHeaders()
    )
    BatchObject.objects.update(upload_id=upload_id, target_etag="")

    while run_batch(batch_id=batch.pk) is False:
        pass

    assert uploads(store, bucket) == 0
    assert len(keys(store, bucket)) == count


def test_copy_that_vanished_with_its_source_is_not_called_kept(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("in/a.txt")
    batch = confirmed(begin("move", Selection(keys=("in/a.txt",)), **to(bucket, "out/")))
    BatchObject.objects.update(state="copied", after='{"etag": "e", "crc64": null}')
    store.delete_object(bucket=bucket, region=REGION, key="in/a.txt")

    run_batch(batch_id=batch.pk)

    assert results(batch) == {"in/a.txt": ("failed", "BothGone")}


def test_folder_is_renamed_with_its_marker(begin: Begin, put: Put, store: ObjectStore, bucket: str) -> None:
    put("old/", b"")
    put("old/a.txt", b"a")
    put("old/deep/b.txt", b"b")
    put("old-one/c.txt")

    ran(begin("rename", Selection(folders=("old/",)), name="new/", bucket=bucket, region=REGION))

    assert keys(store, bucket) == ["new/", "new/a.txt", "new/deep/b.txt", "old-one/c.txt"]


@pytest.mark.parametrize("collision", ["replace", "skip", "keep"])
def test_copy_never_takes_the_place_of_another_source(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, collision: str
) -> None:
    put("a/b/same", b"same")
    put("a/b/b/same", b"same")
    put("a/b/other", b"outer")
    put("a/b/b/other", b"inner")
    batch = begin("rename", Selection(folders=("a/b/",)), name="a/", bucket=bucket, region=REGION)
    assert batch.figures["skipped"] == {"TargetIsSource": 2}

    ran(batch, collision=collision)

    assert keys(store, bucket) == ["a/b/b/other", "a/b/b/same", "a/other", "a/same"]
    assert (body(store, bucket, "a/other"), body(store, bucket, "a/b/b/other")) == (b"outer", b"inner")


def test_move_that_was_killed_after_its_copy_deletes_only_what_is_the_same(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("in/a.txt", b"a")
    put("in/b.txt", b"b")
    batch = confirmed(begin("move", Selection(folders=("in/",)), **to(bucket, "out/")))
    for name in ("a", "b"):
        source = ObjectRef(bucket=bucket, region=REGION, key=f"in/{name}.txt")
        store.copy_object(source=source, bucket=bucket, region=REGION, key=f"out/in/{name}.txt")
    BatchObject.objects.filter(key="in/b.txt").update(
        state="copied", after='{"etag": "other", "crc64": null}'
    )

    assert run_batch(batch_id=batch.pk) is True

    assert keys(store, bucket) == ["in/b.txt", "out/in/a.txt", "out/in/b.txt"]
    assert results(batch) == {"in/a.txt": ("done", ""), "in/b.txt": ("failed", "CopyDiffers")}


def test_source_that_changed_after_its_copy_is_kept(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("in/a.txt", b"a")
    batch = confirmed(begin("move", Selection(folders=("in/",)), **to(bucket, "out/")))
    ref = ObjectRef(bucket=bucket, region=REGION, key="in/a.txt")
    stored = store.copy_object(source=ref, bucket=bucket, region=REGION, key="out/in/a.txt")
    after = f'{{"etag": "{stored.etag}", "crc64": null}}'
    BatchObject.objects.update(state="copied", after=after)
    put("in/a.txt", b"written in between")

    run_batch(batch_id=batch.pk)

    assert results(batch) == {"in/a.txt": ("failed", "Changed")}
    assert body(store, bucket, "in/a.txt") == b"written in between"


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have objects from 1 MiB up copied in parts."""
    monkeypatch.setattr(copying, "COPY_IN_PARTS_FROM", MIB)


@pytest.mark.usefixtures("small_parts")
def test_large_object_is_moved_in_parts_over_several_tasks(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    content = os.urandom(17 * MIB)
    put("in/film.bin", content, content_type="video/mp4", metadata={"owner": "ana"})
    store.put_object_acl(bucket=bucket, region=REGION, key="in/film.bin", acl="public-read")
    batch = confirmed(begin("move", Selection(keys=("in/film.bin",)), **to(bucket, "out/")))

    assert run_batch(batch_id=batch.pk, seconds=0.001) is False
    while run_batch(batch_id=batch.pk, seconds=0.05) is False:
        pass

    assert keys(store, bucket) == ["out/film.bin"]
    assert body(store, bucket, "out/film.bin") == content
    info = store.head_object(bucket=bucket, region=REGION, key="out/film.bin")
    assert (info.content_type, info.metadata["owner"]) == ("video/mp4", "ana")
    assert info.etag.endswith("-2")
    acl = store.get_object_acl(bucket=bucket, region=REGION, key="out/film.bin")
    assert [grant.permission for grant in acl.explicit] == ["READ"]
    assert uploads(store, bucket) == 0
    assert results(batch) == {"in/film.bin": ("done", "")}


@pytest.mark.usefixtures("small_parts")
def test_canceled_large_copy_leaves_no_upload(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, local_store: LocalStore
) -> None:
    put("in/film.bin", os.urandom(2 * MIB))
    batch = confirmed(begin("copy", Selection(keys=("in/film.bin",)), **to(bucket, "out/")))
    local_store.faults.add("error", operation="UploadPartCopy", status=403, code="AccessDenied", count=None)
    line = BatchObject.objects.get()
    run_batch(batch_id=batch.pk, seconds=0.05)

    line.refresh_from_db()
    assert uploads(store, bucket) <= 1
    if state_of(batch) == Job.State.RUNNING:
        services.batch_cancel(fresh(batch))
        cancel_batch(batch_id=batch.pk)
        assert state_of(batch) == Job.State.CANCELED
    assert uploads(store, bucket) == 0


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("is_canceled", [False, True])
def test_upload_of_a_large_copy_that_nobody_heard_of_is_aborted(
    begin: Begin,
    put: Put,
    store: ObjectStore,
    bucket: str,
    local_store: LocalStore,
    is_canceled: bool,
) -> None:
    put("in/film.bin", os.urandom(2 * MIB))
    batch = confirmed(begin("copy", Selection(keys=("in/film.bin",)), **to(bucket, "out/")))
    local_store.faults.add("drop_after", operation="InitiateMultipartUpload", count=2)

    while uploads(store, bucket) == 0:
        run_batch(batch_id=batch.pk, seconds=0.05)
    if is_canceled:
        services.batch_cancel(fresh(batch))
        cancel_batch(batch_id=batch.pk)
    while run_batch(batch_id=batch.pk) is False:
        pass

    assert state_of(batch) == ("canceled" if is_canceled else "done")
    assert uploads(store, bucket) == 0


def test_copy_to_another_bucket(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, connection: Connection
) -> None:
    other = f"o{bucket}"
    store.create_bucket(bucket=other, region=REGION)
    put("in/a.txt")

    batch = ran(begin("copy", Selection(folders=("in/",)), **to(other, "")))

    assert keys(store, other) == ["in/a.txt"]
    assert connection.batches.get() == batch


def test_same_place_is_skipped(begin: Begin, put: Put, bucket: str) -> None:
    put("in/a.txt")
    put("other/b.txt")

    batch = begin("copy", Selection(keys=("in/a.txt", "other/b.txt")), **to(bucket, "in/"))

    assert results(batch) == {"in/a.txt": ("skipped", "SameObject"), "other/b.txt": ("planned", "")}


@pytest.mark.parametrize(
    ("target", "rank", "expected"),
    [
        ("a/report.pdf", 1, "a/report (2026-11-22 14.05.33).pdf"),
        ("a/report.pdf", 2, "a/report (2026-11-22 14.05.33, 2).pdf"),
        ("a/folder/", 1, "a/folder (2026-11-22 14.05.33)/"),
        (".profile", 1, ".profile (2026-11-22 14.05.33)"),
        ("a.b/none", 1, "a.b/none (2026-11-22 14.05.33)"),
    ],
)
def test_other_names(target: str, rank: int, expected: str) -> None:
    moment = timezone.datetime(2026, 11, 22, 14, 5, 33)

    assert other_name(target, moment, rank) == expected
    assert other_name(expected, moment, rank) == expected
