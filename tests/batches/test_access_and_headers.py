"""Access and headers of many: what was there is kept, all the rest stays, and it can be undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.utils import timezone

from apps.activity.models import Entry
from apps.batches import services
from apps.batches.content import acl_text
from apps.batches.models import Batch, BatchObject
from apps.batches.running import run_batch
from apps.batches.selection import Selection
from apps.batches.spans import spans_forget
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.grants import EVERYONE
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag
from apps.storage.types import ObjectRef
from tests.batches.conftest import confirmed, fresh, planned, ran, results
from tests.conftest import REGION
from tests.hostile import HOSTILE_KEYS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Batch]
Put = Callable[..., str]
ALL = Selection(folders=("in/",))


def is_public(store: ObjectStore, bucket: str, key: str) -> bool:
    acl = store.get_object_acl(bucket=bucket, region=REGION, key=key)
    return any(grant.grantee == EVERYONE for grant in acl.explicit)


def grants(store: ObjectStore, bucket: str, key: str) -> str:
    return store.get_object_acl(bucket=bucket, region=REGION, key=key).digest


def undone(batch: Batch) -> Batch:
    owner = batch.job.owner
    return planned(services.batch_undo(fresh(batch), person=owner, now=timezone.now()))


def test_access_of_a_folder_is_changed_and_undone(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    for key in ("in/a", "in/b", "in/c"):
        put(key)
    store.put_object_acl(bucket=bucket, region=REGION, key="in/b", acl="private")
    store.put_object_acl(bucket=bucket, region=REGION, key="in/c", acl="public-read")
    seen = {
        key: store.get_object_acl(bucket=bucket, region=REGION, key=key).digest for key in ("in/a", "in/b")
    }

    batch = begin("access", ALL, acl="public-read")
    assert batch.figures["opening"] == "yes"
    ran(batch)

    assert all(is_public(store, bucket, key) for key in ("in/a", "in/b", "in/c"))
    undo = undone(batch)
    assert undo.figures["opening"] == "yes"
    ran(undo)
    assert not is_public(store, bucket, "in/a")
    assert is_public(store, bucket, "in/c")
    assert seen == {key: grants(store, bucket, key) for key in seen}


def test_write_whose_answer_was_lost_can_be_undone_after_it_is_tried_again(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("in/a")
    seen = grants(store, bucket, "in/a")
    batch = ran(begin("access", ALL, acl="public-read"))
    BatchObject.objects.update(state="failed")
    services.batch_retry(fresh(batch))

    run_batch(batch_id=batch.pk)
    ran(undone(batch))

    assert grants(store, bucket, "in/a") == seen


def test_grants_are_read_again_after_a_pause(begin: Begin, put: Put, store: ObjectStore, bucket: str) -> None:
    put("in/a")
    batch = confirmed(begin("access", ALL, acl="private"))
    acl = store.get_object_acl(bucket=bucket, region=REGION, key="in/a")
    BatchObject.objects.update(state="read", before=acl_text(acl))
    store.put_object_acl(bucket=bucket, region=REGION, key="in/a", acl="public-read")

    run_batch(batch_id=batch.pk)
    ran(undone(batch))

    assert is_public(store, bucket, "in/a")


def test_undo_leaves_alone_what_was_changed_again(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("in/a")
    put("in/b")
    batch = ran(begin("access", ALL, acl="private"))
    store.put_object_acl(bucket=bucket, region=REGION, key="in/a", acl="public-read")

    undo = ran(undone(batch))

    assert results(undo) == {"in/a": ("skipped", "Changed"), "in/b": ("done", "")}
    assert is_public(store, bucket, "in/a")
    assert store.get_object_acl(bucket=bucket, region=REGION, key="in/b").is_inherited


def test_hostile_keys_get_their_access(begin: Begin, put: Put, store: ObjectStore, bucket: str) -> None:
    for key in HOSTILE_KEYS:
        put(key)

    batch = ran(begin("access", Selection(keys=HOSTILE_KEYS), acl="public-read"))

    assert set(results(batch).values()) == {("done", "")}
    assert all(is_public(store, bucket, key) for key in HOSTILE_KEYS)


def test_named_accounts_get_grants(begin: Begin, put: Put, store: ObjectStore, bucket: str) -> None:
    put("in/a")
    who = {"kind": "account", "account": "100000000002", "sub_account": "", "name": "", "raw": []}

    ran(begin("access", ALL, acl="grants", grants=[[who, "READ"]]))

    [grant] = store.get_object_acl(bucket=bucket, region=REGION, key="in/a").explicit
    assert (grant.grantee.account, grant.permission) == ("100000000002", "READ")


def test_inheriting_in_a_public_bucket_opens(begin: Begin, put: Put, store: ObjectStore, bucket: str) -> None:
    put("in/a")
    assert begin("access", ALL, acl="default").figures["opening"] == "no"

    store.put_bucket_acl(bucket=bucket, region=REGION, acl="public-read")

    assert begin("access", ALL, acl="default").figures["opening"] == "yes"


def test_headers_change_and_all_the_rest_stays(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("in/a", content_type="text/css", cache_control="old", metadata={"owner": "ana", "gone": "x"})
    store.put_object_acl(bucket=bucket, region=REGION, key="in/a", acl="public-read")
    ref = ObjectRef(bucket=bucket, region=REGION, key="in/a")
    store.copy_object(
        source=ref, bucket=bucket, region=REGION, key="in/a", tags=[Tag("k", "v")], is_acl_kept=True
    )
    options = {"set": {"cache-control": "no-cache"}, "metadata": {"team": "web", "gone": None}}

    batch = ran(begin("headers", ALL, **options))

    info = store.head_object(bucket=bucket, region=REGION, key="in/a")
    assert (info.content_type, info.headers["cache-control"]) == ("text/css", "no-cache")
    assert dict(info.metadata) == {"owner": "ana", "team": "web"}
    assert is_public(store, bucket, "in/a")
    before = json.loads(BatchObject.objects.get().before)
    assert before["headers"]["cache-control"] == "old"

    ran(undone(batch))

    info = store.head_object(bucket=bucket, region=REGION, key="in/a")
    assert (info.headers["cache-control"], dict(info.metadata)) == ("old", {"owner": "ana", "gone": "x"})


def test_object_that_is_as_wanted_is_not_copied(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("in/a", cache_control="no-cache")
    at = store.head_object(bucket=bucket, region=REGION, key="in/a").modified_at

    batch = ran(begin("headers", ALL, set={"cache-control": "no-cache"}))

    assert results(batch) == {"in/a": ("done", "AsWanted")}
    assert store.head_object(bucket=bucket, region=REGION, key="in/a").modified_at == at


def test_object_that_was_replaced_since_the_plan_keeps_its_headers(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("in/a", b"planned")
    batch = begin("headers", ALL, storage_class="STANDARD_IA")
    put("in/a", b"newer")

    ran(batch)

    assert results(batch) == {"in/a": ("failed", "Changed")}
    assert store.head_object(bucket=bucket, region=REGION, key="in/a").storage_class == "STANDARD"


def test_worker_killed_between_the_write_and_the_ledger_keeps_what_was_before(
    begin: Begin, put: Put, store: ObjectStore, bucket: str
) -> None:
    put("in/a", cache_control="old")
    batch = confirmed(begin("headers", ALL, set={"cache-control": "new"}))
    content = {"headers": {"cache-control": "old"}, "metadata": {}, "storage_class": "STANDARD"}
    BatchObject.objects.update(state="read", before=json.dumps(content))

    assert run_batch(batch_id=batch.pk) is True

    assert json.loads(BatchObject.objects.get().before)["headers"] == {"cache-control": "old"}
    assert store.head_object(bucket=bucket, region=REGION, key="in/a").headers["cache-control"] == "new"


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch, store: ObjectStore) -> None:
    """Have objects from 1 MiB up replaced in parts."""
    monkeypatch.setattr(type(store), "features", replace(store.features, single_copy_max=1 << 20))


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("is_killed", [True, False])
def test_large_object_keeps_its_grants_when_a_worker_is_killed_before_it_gave_them(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, local_store: LocalStore, is_killed: bool
) -> None:
    put("in/film", b"x" * (2 << 20), cache_control="old")
    store.put_object_acl(bucket=bucket, region=REGION, key="in/film", acl="public-read")
    batch = confirmed(begin("headers", ALL, set={"cache-control": "new"}))
    local_store.faults.add("error", operation="PutObjectAcl", status=403, code="AccessDenied", count=1)

    run_batch(batch_id=batch.pk)
    assert not is_public(store, bucket, "in/film")
    if is_killed:
        BatchObject.objects.update(state="read")
        Job.objects.update(state="running")
        spans_forget(batch)
    else:
        services.batch_retry(fresh(batch))
    run_batch(batch_id=batch.pk)

    assert results(batch)["in/film"][0] == "done"
    assert is_public(store, bucket, "in/film")
    ran(undone(batch))
    info = store.head_object(bucket=bucket, region=REGION, key="in/film")
    assert info.headers["cache-control"] == "old"
    assert is_public(store, bucket, "in/film")


def test_who_let_it_run_and_how_it_ended_is_written_down(begin: Begin, put: Put) -> None:
    put("in/a")

    batch = ran(begin("access", ALL, acl="private"))

    entries = Entry.objects.filter(job_id=batch.job_id).order_by("sequence")
    assert [entry.verb for entry in entries] == ["batch.confirm", "batch.end"]
