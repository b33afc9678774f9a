"""Moves that cross others, and sources and copies that somebody else changes meanwhile: nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from apps.accounts.models import Person
from apps.connections.models import Connection, ConnectionMember, Role
from apps.connections.services import ConnectionInUse, connection_delete, store_for
from apps.jobs.models import Job
from apps.storage.errors import ObjectNotFound
from apps.storage.grants import EVERYONE, Grant, Permission
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectRef
from apps.transfers import settling, tasks
from apps.transfers.copying import copy_batch
from apps.transfers.finishing import transfer_abort, transfer_finish_claim
from apps.transfers.models import Transfer
from apps.transfers.services import copies, states
from tests.conftest import OTHER_ACCOUNT, REGION
from tests.transfers.conftest import MIB
from tests.transfers.test_uploads import stored_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]

Move = Callable[..., Transfer]
BODY = os.urandom(2 * MIB + 5)


@pytest.fixture
def move(owner: Person, connection: Connection, bucket: str) -> Move:
    def start(source: str, target: str, *, parts_from: int = 32 * MIB, **wanted: object) -> Transfer:
        options = {"is_move": True, "parts_from": parts_from, "part_size": MIB} | wanted
        return copies.copy_start(
            owner=owner,
            connection=connection,
            source=ObjectRef(bucket, REGION, source),
            bucket=bucket,
            region=REGION,
            key=target,
            replace=True,
            wanted=copies.CopyWanted(**options),  # type: ignore[arg-type]
        )

    return start


def copied(transfer: Transfer) -> Transfer:
    """Copy all parts, and leave the end to come."""
    assert copy_batch(transfer_id=transfer.pk) is True
    assert transfer_finish_claim(transfer)
    return transfer


def complete(transfer: Transfer) -> tuple[str, str]:
    tasks.complete_transfer.apply(kwargs={"transfer_id": transfer.pk}, throw=True)
    transfer.job.refresh_from_db()
    return transfer.job.state, transfer.job.error_code


def exists(store: ObjectStore, bucket: str, key: str) -> bool:
    try:
        store.head_object(bucket=bucket, region=REGION, key=key)
    except ObjectNotFound:
        return False
    return True


def test_two_moves_to_each_others_keys_lose_nothing(
    move: Move, put: Callable[..., str], store: ObjectStore, bucket: str
) -> None:
    put("a", BODY)
    put("b", BODY)
    there, back = copied(move("a", "b")), copied(move("b", "a"))

    first = complete(there)
    second = complete(back)

    assert first == second == (Job.State.PARKED, settling.TARGET_LEAVES)
    assert exists(store, bucket, "a")
    assert exists(store, bucket, "b")


def test_move_goes_on_once_the_one_that_crossed_it_was_canceled(
    move: Move, put: Callable[..., str], store: ObjectStore, bucket: str
) -> None:
    put("a", BODY)
    put("b", BODY)
    there, back = copied(move("a", "b")), move("b", "a")
    complete(there)
    states.transfer_cancel(back)
    transfer_abort(transfer_id=back.pk)

    states.transfer_resume(there)
    assert transfer_finish_claim(there)

    assert complete(there) == (Job.State.DONE, "")
    assert there.job.get_kind_display() == "Move"
    assert stored_bytes(store, bucket, "b") == BODY
    assert not exists(store, bucket, "a")


def test_source_that_got_other_headers_is_kept(
    move: Move, put: Callable[..., str], store: ObjectStore, bucket: str
) -> None:
    put("a", BODY, content_type="text/plain")
    transfer = copied(move("a", "b"))
    put("a", BODY, content_type="text/html")

    assert complete(transfer) == (Job.State.PARKED, settling.SOURCE_CHANGED)
    assert store.head_object(bucket=bucket, region=REGION, key="a").content_type == "text/html"


def test_source_whose_grants_were_narrowed_is_kept(
    move: Move, put: Callable[..., str], store: ObjectStore, bucket: str
) -> None:
    put("a", BODY)
    store.put_object_acl(bucket=bucket, region=REGION, key="a", acl="public-read")
    transfer = copied(move("a", "b", is_acl_kept=True))
    store.put_object_acl(bucket=bucket, region=REGION, key="a", acl="private")

    assert complete(transfer) == (Job.State.PARKED, settling.SOURCE_CHANGED)
    assert exists(store, bucket, "a")


def test_grants_are_never_given_to_an_object_that_is_not_the_copy(
    move: Move, put: Callable[..., str], store: ObjectStore, bucket: str
) -> None:
    put("a", BODY)
    acl = store.get_object_acl(bucket=bucket, region=REGION, key="a")
    odd = (Grant(EVERYONE, Permission.READ), Grant(EVERYONE, Permission.READ_ACP))
    store.put_object_acl(
        bucket=bucket, region=REGION, key="a", acl=replace(acl, grants=odd, is_inherited=False)
    )
    transfer = copied(move("a", "b", is_acl_kept=True, is_move=False))
    assert transfer.detail.grants_later is not None
    put("b", b"a secret")
    store.put_object_acl(bucket=bucket, region=REGION, key="b", acl="private")

    assert complete(transfer) == (Job.State.PARKED, settling.COPY_REPLACED)
    found = store.get_object_acl(bucket=bucket, region=REGION, key="b").explicit
    assert EVERYONE not in {grant.grantee for grant in found}


@pytest.fixture
def across(
    owner: Person, connection: Connection, other_connection: Connection, bucket: str, put: Callable[..., str]
) -> Transfer:
    put("a", BODY)
    ConnectionMember.objects.create(connection=other_connection, person=owner, role=Role.WRITER)
    name = f"{bucket.rpartition('-')[0]}-{OTHER_ACCOUNT.appid}"
    store_for(other_connection).create_bucket(bucket=name, region=REGION)
    return copies.copy_start(
        owner=owner,
        connection=other_connection,
        source_connection=connection,
        source=ObjectRef(bucket, REGION, "a"),
        bucket=name,
        region=REGION,
        key="b",
        replace=False,
        wanted=copies.CopyWanted(is_move=True, parts_from=MIB, part_size=MIB),
    )


def test_connection_that_a_copy_reads_from_is_not_deleted_under_it(
    across: Transfer, connection: Connection
) -> None:
    with pytest.raises(ConnectionInUse):
        connection_delete(connection)


def test_copy_whose_source_is_gone_with_its_connection_touches_no_other(
    across: Transfer, store: ObjectStore, bucket: str
) -> None:
    copied(across)
    Transfer.objects.filter(pk=across.pk).update(source_connection=None)

    assert complete(across) == (Job.State.PARKED, "SourceConnectionGone")
    assert exists(store, bucket, "a")


def test_person_who_lost_the_role_copies_no_further(
    across: Transfer, store: ObjectStore, bucket: str
) -> None:
    ConnectionMember.objects.filter(connection=across.connection).delete()

    tasks.copy_parts.apply(kwargs={"transfer_id": across.pk})

    across.job.refresh_from_db()
    assert (across.job.state, across.job.error_code) == (Job.State.PARKED, "RoleLost")
    assert exists(store, bucket, "a")


def test_person_who_lost_the_role_deletes_no_source(
    across: Transfer, owner: Person, stranger: Person, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    copied(across)
    Connection.objects.filter(pk=connection.pk).update(owner=stranger)
    ConnectionMember.objects.create(connection=connection, person=owner, role=Role.READER)

    assert complete(across) == (Job.State.PARKED, "RoleLost")
    assert exists(store, bucket, "a")
