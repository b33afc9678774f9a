"""Copies to a bucket of another connection: relayed or by the store, with what can be kept, seen by whom."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Person
from apps.batches import planning
from apps.batches.actions import copying
from apps.batches.models import Batch, BatchObject
from apps.batches.running import run_batch
from apps.batches.selection import Match, Selection
from apps.connections.models import Connection, ConnectionMember, Role
from apps.connections.services import connection_create, connection_delete, store_for
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.grants import Grant, account_grantee
from apps.storage.store import ObjectStore
from apps.transfers.forms import places
from tests.batches.conftest import confirmed, fresh, planned, ran, results, state_of
from tests.batches.test_copy import body, keys, uploads
from tests.conftest import ACCOUNT, REGION, client_of
from tests.hostile import HOSTILE_KEYS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Begin = Callable[..., Batch]
Put = Callable[..., str]
MIB = 1 << 20
ALL = Selection(folders=("in/",))


def to(connection: Connection, bucket: str, prefix: str = "", **others: object) -> dict[str, object]:
    return {"target": connection, "bucket": bucket, "region": REGION, "prefix": prefix, **others}


@pytest.fixture
def there(elsewhere: Connection) -> ObjectStore:
    return store_for(elsewhere)


def test_folder_is_relayed_to_another_account_with_headers_and_class(
    begin: Begin, put: Put, there: ObjectStore, elsewhere: Connection, archive: str
) -> None:
    put("in/", b"")
    put("in/a.txt", b"a", cache_control="no-cache", storage_class="STANDARD_IA", metadata={"owner": "ana"})
    put("in/deep/b.txt", b"b")

    batch = ran(begin("copy", ALL, **to(elsewhere, archive, "out/")))

    assert batch.figures["way"] == "relay"
    assert keys(there, archive) == ["out/in/", "out/in/a.txt", "out/in/deep/b.txt"]
    info = there.head_object(bucket=archive, region=REGION, key="out/in/a.txt")
    assert (info.storage_class, info.metadata["owner"]) == ("STANDARD_IA", "ana")
    assert info.headers["cache-control"] == "no-cache"
    assert body(there, archive, "out/in/deep/b.txt") == b"b"
    assert json.loads(BatchObject.objects.get(key="in/a.txt").after)["way"] == "relay"


def test_hostile_keys_arrive_whole_elsewhere(
    begin: Begin, put: Put, there: ObjectStore, elsewhere: Connection, archive: str
) -> None:
    hostile = [key for key in HOSTILE_KEYS if len(key) < 700]
    for key in hostile:
        put("in/" + key, key.encode())

    batch = ran(begin("copy", Selection(match=Match(prefix="in/")), **to(elsewhere, archive, "out/")))

    assert set(results(batch).values()) == {("done", "")}
    assert all(body(there, archive, "out/" + key) == key.encode() for key in hostile)


def test_store_copies_by_itself_where_one_key_reads_both(
    begin: Begin, put: Put, owner: Person, local_store: LocalStore, store: ObjectStore
) -> None:
    put("in/a.txt", metadata={"owner": "ana"})
    second = connection_create(
        owner=owner, name="Again", scheme="http", connect_to=f"127.0.0.1:{local_store.port}",
        appid=ACCOUNT.appid, secret_id=ACCOUNT.secret_id, secret_key=ACCOUNT.secret_key,
    )  # fmt: skip
    other = f"again-{os.urandom(3).hex()}-{ACCOUNT.appid}"
    store.create_bucket(bucket=other, region=REGION)
    local_store.faults.add("error", operation="GetObject", status=403, code="AccessDenied", count=None)

    batch = ran(begin("copy", ALL, **to(second, other)))

    assert batch.figures["way"] == "store"
    assert results(batch) == {"in/a.txt": ("done", "")}
    assert store.head_object(bucket=other, region=REGION, key="in/a.txt").metadata["owner"] == "ana"


def test_copy_that_the_store_refuses_after_all_is_relayed(
    begin: Begin, put: Put, there: ObjectStore, elsewhere: Connection, archive: str
) -> None:
    put("in/a.txt", b"a")
    batch = begin("copy", ALL, **to(elsewhere, archive))
    Batch.objects.update(figures=batch.figures | {"way": "store"})

    batch = ran(fresh(batch))

    assert results(batch) == {"in/a.txt": ("done", "")}
    assert body(there, archive, "in/a.txt") == b"a"


def test_same_bucket_by_another_connection_is_the_same_place(
    begin: Begin, put: Put, owner: Person, local_store: LocalStore, store: ObjectStore, bucket: str
) -> None:
    put("in/a.txt")
    second = connection_create(
        owner=owner, name="Again", scheme="http", connect_to=f"127.0.0.1:{local_store.port}",
        appid=ACCOUNT.appid, secret_id=ACCOUNT.secret_id, secret_key=ACCOUNT.secret_key,
    )  # fmt: skip

    batch = begin("move", ALL, **to(second, bucket))

    assert results(batch) == {"in/a.txt": ("skipped", "SameObject")}


def test_access_for_named_accounts_is_given_again(
    begin: Begin, put: Put, store: ObjectStore, there: ObjectStore, bucket: str, elsewhere: Connection,
    archive: str,
) -> None:  # fmt: skip
    put("in/a.txt")
    put("in/b.txt")
    acl = store.get_object_acl(bucket=bucket, region=REGION, key="in/a.txt")
    granted = (Grant(account_grantee("100000000077"), "READ"),)
    store.put_object_acl(
        bucket=bucket, region=REGION, key="in/a.txt",
        acl=type(acl)(owner=acl.owner, grants=granted, is_inherited=False),
    )  # fmt: skip

    ran(begin("copy", ALL, **to(elsewhere, archive)))

    copied = there.get_object_acl(bucket=archive, region=REGION, key="in/a.txt")
    assert [grant.grantee.account for grant in copied.explicit if grant.permission == "READ"] == [
        "100000000077"
    ]
    assert there.get_object_acl(bucket=archive, region=REGION, key="in/b.txt").is_inherited


@pytest.mark.parametrize("is_elsewhere", [True, False])
def test_access_class_and_headers_are_those_that_were_chosen(
    begin: Begin, put: Put, store: ObjectStore, there: ObjectStore, elsewhere: Connection, archive: str,
    bucket: str, connection: Connection, is_elsewhere: bool,
) -> None:  # fmt: skip
    put("in/a.txt", cache_control="no-cache", content_type="text/x-old", metadata={"owner": "ana"})
    chosen = {
        "access": "public-read", "storage_class": "STANDARD_IA", "is_replaced": True,
        "set": {"content-disposition": "attachment"}, "metadata": {"from": "move"},
    }  # fmt: skip
    place = to(elsewhere, archive) if is_elsewhere else to(connection, bucket, "out/")
    at, where, key = (there, archive, "in/a.txt") if is_elsewhere else (store, bucket, "out/in/a.txt")

    batch = ran(begin("copy", ALL, **place, **chosen))

    assert batch.figures["opening"] == "yes"
    info = at.head_object(bucket=where, region=REGION, key=key)
    assert (info.storage_class, info.content_type) == ("STANDARD_IA", "text/x-old")
    assert dict(info.metadata) == {"from": "move"}
    assert info.headers["content-disposition"] == "attachment"
    assert "cache-control" not in info.headers
    acl = at.get_object_acl(bucket=where, region=REGION, key=key)
    assert [grant.permission for grant in acl.explicit if grant.grantee.kind == "everyone"] == ["READ"]


def test_folders_are_left_out_and_names_that_meet_are_kept_apart(
    begin: Begin, put: Put, there: ObjectStore, elsewhere: Connection, archive: str
) -> None:
    put("in/", b"")
    put("in/one/a.txt", b"1")
    put("in/two/a.txt", b"2")
    put("in/two/b.txt", b"3")
    batch = begin("copy", ALL, **to(elsewhere, archive, "flat/", is_flat=True))
    assert (batch.figures["meetings"], batch.figures["skipped"]) == (1, {"FolderMarker": 1})

    ran(batch, collision="keep")

    found = keys(there, archive)
    assert len(found) == 3
    assert {"flat/a.txt", "flat/b.txt"} < set(found)


def test_object_that_is_there_is_found_and_left(
    begin: Begin, put: Put, there: ObjectStore, elsewhere: Connection, archive: str, connection: Connection,
    bucket: str,
) -> None:  # fmt: skip
    put("in/a.txt", b"old")
    ran(begin("copy", ALL, **to(elsewhere, archive)))
    put("in/a.txt", b"new")

    batch = begin("copy", ALL, **to(elsewhere, archive))
    assert batch.figures["conflicts"] == 1
    ran(batch, collision="skip")

    assert body(there, archive, "in/a.txt") == b"old"


def test_targets_that_are_taken_are_read_from_the_list(
    begin: Begin, put: Put, local_store: LocalStore, elsewhere: Connection, archive: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(planning, "PAGE", 5)
    for number in range(12):
        put(f"in/{number:02}")
    ran(begin("copy", ALL, **to(elsewhere, archive)))
    local_store.faults.add("error", operation="HeadObject", status=403, code="AccessDenied", count=None)

    # With another connection the way is found out by looking at one object, which this key may not.
    batch = begin("copy", ALL, **to(elsewhere, archive))

    assert batch.figures["conflicts"] == 12


def test_targets_between_many_others_are_looked_at(
    begin: Begin, put: Put, there: ObjectStore, elsewhere: Connection, archive: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(planning, "PAGE", 2)
    for number in range(20):
        put(f"in/{number:02}")
    ran(begin("copy", ALL, **to(elsewhere, archive)))

    chosen = Selection(keys=("in/00", "in/19", "in/18"))
    batch = begin("copy", chosen, **to(elsewhere, archive, "in/"))

    assert batch.figures["conflicts"] == 3


def test_large_object_is_relayed_in_parts(
    begin: Begin, put: Put, there: ObjectStore, elsewhere: Connection, archive: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(copying, "COPY_IN_PARTS_FROM", MIB)
    content = os.urandom(17 * MIB)
    put("in/film.bin", content, content_type="video/mp4", metadata={"owner": "ana"})
    batch = confirmed(begin("copy", ALL, **to(elsewhere, archive)))

    while run_batch(batch_id=batch.pk, seconds=0.05) is False:
        pass

    assert body(there, archive, "in/film.bin") == content
    info = there.head_object(bucket=archive, region=REGION, key="in/film.bin")
    assert (info.content_type, info.metadata["owner"]) == ("video/mp4", "ana")
    assert info.etag.endswith("-2")
    assert uploads(there, archive) == 0
    assert there.get_object_acl(bucket=archive, region=REGION, key="in/film.bin").is_inherited


def test_plan_says_how_and_what_is_lost(
    begin: Begin, put: Put, owner_client: Client, elsewhere: Connection, archive: str
) -> None:
    put("in/a.txt", b"x" * 2048)

    batch = begin("copy", ALL, **to(elsewhere, archive, "out/"))
    page = owner_client.get(reverse("batches:plan", args=[batch.job_id])).content.decode()
    receipt = json.loads(owner_client.get(reverse("batches:receipt", args=[batch.job_id, "json"])).getvalue())

    assert f"Archive: {archive}/out/ ({REGION})" in page
    assert "are read and sent on by the workers" in page
    assert "Tags of the objects do not come along" in page
    assert "The owner of the copies" in page
    assert (receipt["connection"], receipt["target_connection"]) == ("local", "archive")
    assert (receipt["target_bucket"], receipt["target_region"]) == (archive, REGION)


@pytest.fixture
def chosen(elsewhere: Connection, bucket: str, put: Put) -> Callable[[Client, str], str]:
    """A function that begins an action on one object and returns the address of what it asks."""
    put("in/a.txt")
    local = Connection.objects.get(slug="local")

    def begin(client: Client, action: str) -> str:
        url = reverse("batches:create", args=[local.slug, bucket])
        client.post(url, {"action": action, "scope": "keys", "folder": "in/"})
        return reverse("batches:options", args=[Batch.objects.get().job_id])

    return begin


def test_buckets_of_all_connections_are_offered_with_their_regions(
    owner_client: Client, chosen: Callable[[Client, str], str], archive: str, bucket: str
) -> None:
    url = chosen(owner_client, "copy")

    page = owner_client.get(url).content.decode()
    owner_client.post(url, {"bucket": f"archive/{archive}", "prefix": "out"})

    assert f'<option value="{bucket}" selected>{bucket} · {REGION}</option>' in page
    assert '<optgroup label="Archive">' in page
    assert f'<option value="archive/{archive}">{archive} · {REGION}</option>' in page
    batch = planned(Batch.objects.get())
    assert (batch.goes_to.slug, batch.option("bucket")) == ("archive", archive)
    assert results(batch) == {"in/a.txt": ("planned", "")}


def test_connection_that_one_may_only_read_is_offered_disabled(
    writer: Person, chosen: Callable[[Client, str], str], elsewhere: Connection, archive: str
) -> None:
    ConnectionMember.objects.create(connection=elsewhere, person=writer, role=Role.READER)
    client = client_of(writer)
    url = chosen(client, "copy")

    page = client.get(url).content.decode()
    refused = client.post(url, {"bucket": f"archive/{archive}"}).content.decode()

    assert '<option value="archive/" disabled>needs the role “Writer” there</option>' in page
    assert archive not in page
    assert "Select a valid choice" in refused
    assert Batch.objects.get().options_at is None


def test_connection_of_strangers_is_not_offered(
    writer: Person, chosen: Callable[[Client, str], str], archive: str
) -> None:
    client = client_of(writer)
    url = chosen(client, "copy")

    page = client.get(url).content.decode()
    folders = client.get(
        reverse("batches:folders", args=[Batch.objects.get().job_id]), {"bucket": f"archive/{archive}"}
    )

    assert "Archive" not in page
    assert "option" not in folders.content.decode()


def test_connection_that_does_not_answer_says_so(
    owner_client: Client, chosen: Callable[[Client, str], str], owner: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(places, "ASK_TIMEOUT_S", 0.05)
    connection_create(
        owner=owner, name="Silent", scheme="http", connect_to="127.0.0.1:1", appid="1", secret_id="a",
        secret_key="b",
    )  # fmt: skip

    page = owner_client.get(chosen(owner_client, "copy")).content.decode()

    assert '<option value="silent/" disabled>' in page


def test_reader_may_copy_to_where_he_writes_and_nowhere_else(
    member: Person, chosen: Callable[[Client, str], str], elsewhere: Connection, archive: str, bucket: str
) -> None:
    ConnectionMember.objects.create(connection=elsewhere, person=member, role=Role.WRITER)
    client = client_of(member)
    url = chosen(client, "copy")

    own = client.post(url, {"bucket": bucket, "prefix": "out"}).content.decode()
    client.post(url, {"bucket": f"archive/{archive}"})

    assert "Select a valid choice" in own
    batch = planned(Batch.objects.get())
    page = client.post(reverse("batches:plan", args=[batch.job_id]), {"typed": "1"})
    assert page.status_code == 302
    assert run_batch(batch_id=batch.pk) is True


def test_reader_may_not_move(member: Person, elsewhere: Connection, bucket: str) -> None:
    ConnectionMember.objects.create(connection=elsewhere, person=member, role=Role.WRITER)
    url = reverse("batches:create", args=["local", bucket])

    answer = client_of(member).post(url, {"action": "move", "scope": "keys", "folder": "in/"})

    assert answer.status_code == 403


def test_role_that_was_lost_stops_the_job(
    begin: Begin, put: Put, owner: Person, stranger: Person, elsewhere: Connection, archive: str
) -> None:
    put("in/a.txt")
    batch = confirmed(begin("copy", ALL, **to(elsewhere, archive)))
    Connection.objects.filter(pk=elsewhere.pk).update(owner=stranger)

    with pytest.raises(Exception, match="has lost the role “Writer” for the connection “Archive”"):
        run_batch(batch_id=batch.pk)


def test_plan_for_a_connection_that_was_deleted_never_runs_here(
    begin: Begin, put: Put, store: ObjectStore, bucket: str, elsewhere: Connection, archive: str
) -> None:
    put("in/a.txt")
    batch = begin("move", ALL, **to(elsewhere, archive, "out/"))
    connection_delete(elsewhere)
    batch = confirmed(fresh(batch))

    with pytest.raises(Exception, match="was deleted"):
        run_batch(batch_id=batch.pk)

    assert keys(store, bucket) == ["in/a.txt"]
    assert state_of(batch) in Job.ACTIVE


def test_answer_with_headers_that_are_not_to_be_used_is_asked_again(
    owner_client: Client, chosen: Callable[[Client, str], str], archive: str
) -> None:
    url = chosen(owner_client, "copy")

    page = owner_client.post(
        url, {"bucket": f"archive/{archive}", "content": "kept", "cache_control": "no-cache"}
    ).content.decode()

    assert "Choose Replace to use what is typed below" in page
    assert '<details class="fold" open>' in page
    assert 'value="no-cache"' in page
