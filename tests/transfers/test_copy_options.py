"""What a copy can be told besides where it goes, in one request and in parts alike."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.storage.errors import Conflict, Denied, NotFound, Refused
from apps.storage.grants import EVERYONE, SIGNED_IN, Acl, Grant, account_grantee
from apps.storage.multipart import GIB, PART_SIZE_MAX, PARTS_MAX
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag
from apps.storage.types import ObjectHeaders, ObjectInfo, ObjectRef
from apps.transfers import settling, tasks
from apps.transfers.copying import copy_batch
from apps.transfers.finishing import transfer_complete, transfer_finish_claim
from apps.transfers.models import Transfer
from apps.transfers.services import copies
from tests.conftest import REGION
from tests.transfers.conftest import MIB

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Copied = Callable[..., Transfer]
BODY = os.urandom(2 * MIB + 1)
both_ways = pytest.mark.parametrize("parts_from", [MIB, 32 * MIB], ids=["parts", "one request"])
SOMEBODY = Grant(account_grantee("100000000002"), "READ")


@pytest.fixture
def begin(owner: Person, connection: Connection, bucket: str) -> Copied:
    def start(*, parts_from: int = MIB, **wanted: Any) -> Transfer:
        return copies.copy_start(
            owner=owner,
            connection=connection,
            source=ObjectRef(bucket, REGION, "from"),
            bucket=bucket,
            region=REGION,
            key="to",
            replace=False,
            wanted=copies.CopyWanted(**{"parts_from": parts_from, "part_size": MIB} | wanted),
        )

    return start


def run(transfer: Transfer) -> None:
    assert copy_batch(transfer_id=transfer.pk) is True
    assert transfer_finish_claim(transfer)
    transfer_complete(transfer_id=transfer.pk)


def head(store: ObjectStore, bucket: str, key: str = "to") -> ObjectInfo:
    return store.head_object(bucket=bucket, region=REGION, key=key)


def grant(store: ObjectStore, bucket: str, *grants: Grant) -> Acl:
    at = {"bucket": bucket, "region": REGION, "key": "from"}
    store.put_object_acl(**at, acl=replace(store.get_object_acl(**at), grants=grants, is_inherited=False))
    return store.get_object_acl(**at)


@both_ways
def test_plain_copy_keeps_class_headers_and_metadata(
    begin: Copied, put: Callable[..., str], store: ObjectStore, bucket: str, parts_from: int
) -> None:
    put("from", BODY, content_type="a/b", cache_control="no-store", storage_class="STANDARD_IA")

    run(begin(parts_from=parts_from))

    info = head(store, bucket)
    assert (info.content_type, info.storage_class, info.headers["cache-control"]) == (
        "a/b",
        "STANDARD_IA",
        "no-store",
    )


@both_ways
def test_headers_class_and_access_are_replaced_when_wanted(
    begin: Copied, put: Callable[..., str], store: ObjectStore, bucket: str, parts_from: int
) -> None:
    put("from", BODY, content_type="a/b", metadata={"old": "1"})
    headers = ObjectHeaders(content_type="text/css", metadata={"team": "blue"})

    run(
        begin(
            parts_from=parts_from,
            headers=headers,
            storage_class="STANDARD_IA",
            acl="public-read",
            grants=(SOMEBODY,),
            tags=(Tag("k", "v"),),
        )
    )

    info = head(store, bucket)
    assert (info.content_type, info.metadata, info.storage_class) == (
        "text/css",
        {"team": "blue"},
        "STANDARD_IA",
    )
    acl = store.get_object_acl(bucket=bucket, region=REGION, key="to")
    assert set(acl.explicit) == {Grant(EVERYONE, "READ"), SOMEBODY}


@both_ways
@pytest.mark.parametrize(
    "grants",
    [
        (),
        (SOMEBODY,),
        (Grant(EVERYONE, "READ"), SOMEBODY),
        (Grant(SIGNED_IN, "READ"), Grant(EVERYONE, "READ")),
        (Grant(EVERYONE, "READ_ACP"), SOMEBODY),
    ],
    ids=range(5),
)
def test_grants_are_kept_whatever_they_are(
    begin: Copied,
    put: Callable[..., str],
    store: ObjectStore,
    bucket: str,
    parts_from: int,
    grants: tuple[Grant, ...],
) -> None:
    put("from", BODY)
    before = grant(store, bucket, *grants)

    run(begin(parts_from=parts_from, is_acl_kept=True))

    assert store.get_object_acl(bucket=bucket, region=REGION, key="to").digest == before.digest


def test_inherited_access_is_inherited_again(
    begin: Copied, put: Callable[..., str], store: ObjectStore, bucket: str
) -> None:
    put("from", BODY)

    run(begin(is_acl_kept=True))

    assert store.get_object_acl(bucket=bucket, region=REGION, key="to").is_inherited


def test_grants_that_are_refused_leave_the_copy_private_and_say_so(
    begin: Copied, put: Callable[..., str], store: ObjectStore, bucket: str, local_store: LocalStore
) -> None:
    put("from", BODY)
    grant(store, bucket, Grant(EVERYONE, "READ_ACP"))
    transfer = begin(is_acl_kept=True)
    copy_batch(transfer_id=transfer.pk)
    transfer_finish_claim(transfer)
    local_store.faults.add(
        kind="error", operation="PutObjectAcl", status=403, code="AccessDenied", count=None
    )

    tasks.complete_transfer.apply(kwargs={"transfer_id": transfer.pk}, throw=True)

    local_store.faults.clear()
    transfer.job.refresh_from_db()
    assert (transfer.job.state, transfer.job.error_code) == (Job.State.PARKED, settling.GRANTS_REFUSED)
    assert store.get_object_acl(bucket=bucket, region=REGION, key="to").explicit == ()


def test_grants_that_may_not_be_read_stop_the_copy_before_it_begins(
    begin: Copied, put: Callable[..., str], local_store: LocalStore
) -> None:
    put("from", BODY)
    local_store.faults.add(
        kind="error", operation="GetObjectAcl", status=403, code="AccessDenied", count=None
    )

    with pytest.raises(Denied):
        begin(is_acl_kept=True)

    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("condition", "error"),
    [
        ({"if_match": "0" * 32}, Conflict),
        ({"if_none_match": "ETAG"}, Conflict),
        ({"version_id": "MTg0NDUx"}, (NotFound, Refused)),
    ],
    ids=range(3),
)
def test_source_that_is_not_as_wanted_is_not_copied(
    begin: Copied, put: Callable[..., str], condition: dict[str, str], error: type[Exception]
) -> None:
    etag = put("from", BODY)

    with pytest.raises(error):
        begin(**{name: value.replace("ETAG", etag) for name, value in condition.items()})

    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("size", "wanted", "plan"),
    [
        (0, {}, (1, False)),
        (32 * MIB, {}, (1, False)),
        (32 * MIB + 1, {}, (3, True)),
        (5 * GIB, {"parts_from": 5 * GIB}, (1, False)),
        (5 * GIB + 1, {"parts_from": 50 * GIB}, (321, True)),
        (5 * GIB, {"parts_from": MIB, "part_size": MIB}, (5120, True)),
        (20 * GIB, {"parts_from": MIB, "part_size": MIB}, (5120, True)),
        (PART_SIZE_MAX * PARTS_MAX, {}, (PARTS_MAX, True)),
        (10 * MIB, {"parts_from": MIB, "part_size": 16 * MIB}, (1, False)),
    ],
)
def test_threshold_and_size_of_parts(
    store: ObjectStore, size: int, wanted: dict[str, int], plan: tuple[int, bool]
) -> None:
    found, is_multipart = copies._plan_of(size, copies.CopyWanted(**wanted), store.features, is_relayed=False)

    assert (found.count, is_multipart) == plan
