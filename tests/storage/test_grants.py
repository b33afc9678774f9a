"""What grants mean, however they are spelled and whatever label they carry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.storage import errors
from apps.storage.grants import (
    EVERYONE,
    SIGNED_IN,
    Acl,
    Grant,
    Grantee,
    GranteeKind,
    Permission,
    account_grantee,
)
from apps.storage.providers.cos import CosStore
from apps.storage.types import ObjectRef
from tests.storage.recorder import Recorder, reply

AT = {"bucket": "photos-1250000000", "region": "ap-guangzhou"}
OWNER = account_grantee("1")
READ = Permission.READ
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
GROUPS = "http://cam.qcloud.com/groups/global"


def policy(*grants: str) -> bytes:
    owner = "<Owner><ID>qcs::cam::uin/1:uin/1</ID><DisplayName>one</DisplayName></Owner>"
    listed = f"<AccessControlList>{''.join(grants)}</AccessControlList>"
    return f"<AccessControlPolicy>{owner}{listed}</AccessControlPolicy>".encode()


def grant(grantee: str, permission: str = "READ", attributes: str = "") -> str:
    return f"<Grant><Grantee{attributes}>{grantee}</Grantee><Permission>{permission}</Permission></Grant>"


@pytest.mark.parametrize(
    ("grantee", "attributes", "who"),
    [
        (f"<URI>{GROUPS}/AllUsers</URI>", f' {XSI} xsi:type="Group"', EVERYONE),
        (f"<URI>{GROUPS}/AuthenticatedUsers</URI>", f' {XSI} xsi:type="Group"', SIGNED_IN),
        (f"<ID>{GROUPS}/AllUsers</ID>", "", EVERYONE),
        ("<ID>qcs::cam::anyone:anyone</ID>", f' {XSI} xsi:type="RootAccount"', EVERYONE),
        ("<ID>qcs::cam::anonymous:anonymous</ID>", "", EVERYONE),
        ("<uin>anonymous</uin>", "", EVERYONE),
        ("<ID>qcs::cam::uin/2:uin/2</ID>", f' {XSI} xsi:type="CanonicalUser"', account_grantee("2")),
        ("<ID>qcs::cam::uin/2:uin/2</ID>", ' type="RootAccount"', account_grantee("2")),
        ("<Type>CanonicalUser</Type><ID>2</ID>", "", account_grantee("2")),
        ("<uin>2</uin>", ' type="RootAccount"', account_grantee("2")),
        ("<ID>qcs::cam::uin/2:uin/22</ID>", "", account_grantee("2", "22")),
        ("<ID>2/22</ID>", "", account_grantee("2", "22")),
        ("<uin>2</uin><Subacount>22</Subacount>", ' type="SubAccount"', account_grantee("2", "22")),
        (f"<URI>{GROUPS}/Everybody</URI>", "", Grantee(GranteeKind.UNKNOWN, f"{GROUPS}/Everybody")),
        ("<ID>somebody</ID>", "", Grantee(GranteeKind.UNKNOWN, "somebody")),
    ],
)
def test_every_spelling_of_a_grantee_is_understood(
    recorder: Recorder, recorded_store: CosStore, grantee: str, attributes: str, who: Grantee
) -> None:
    recorder.default = reply(body=policy(grant(grantee, attributes=attributes)))

    acl = recorded_store.get_bucket_acl(**AT)

    assert acl.grants == (Grant(who, "READ"),)
    assert acl.owner == OWNER
    assert acl.unknown == ()


@pytest.mark.parametrize(
    "granted",
    [
        grant("<ID>qcs::cam::anyone:anyone</ID>", attributes=f' {XSI} xsi:type="RootAccount"'),
        grant(f"<URI>{GROUPS}/Everybody</URI>", attributes=f' {XSI} xsi:type="Group"'),
        grant("<ID>somebody</ID>", "LIST_FOREVER", f' {XSI} xsi:type="CanonicalUser"'),
        grant("<ID>2/22</ID>", "FULL_CONTROL", f' {XSI} xsi:type="SubAccount"'),
    ],
)
def test_what_was_read_is_written_as_it_was_spelled(
    recorder: Recorder, recorded_store: CosStore, granted: str
) -> None:
    recorder.default = reply(body=policy(granted))

    recorded_store.put_bucket_acl(**AT, acl=recorded_store.get_bucket_acl(**AT))

    assert granted in recorder.seen[-1].body.decode()
    assert b"<Owner><ID>qcs::cam::uin/1:uin/1</ID></Owner>" in recorder.seen[-1].body


def test_spelling_of_2017_is_written_as_today(recorder: Recorder, recorded_store: CosStore) -> None:
    recorder.default = reply(body=policy(grant("<uin>2</uin><Subacount>22</Subacount>")))

    recorded_store.put_bucket_acl(**AT, acl=recorded_store.get_bucket_acl(**AT))

    assert b"<ID>qcs::cam::uin/2:uin/22</ID>" in recorder.seen[-1].body


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (policy(grant("<ID>2</ID><Until>2030</Until>")), "Grantee/Until"),
        (
            policy("<Grant><Grantee><ID>2</ID></Grantee><Permission>READ</Permission><If/></Grant>"),
            "Grant/If",
        ),
        (policy("<Deny><ID>2</ID></Deny>"), "AccessControlList/Deny"),
        (policy(grant("<ID>2</ID><URI>u</URI>")), "a grantee with both ID and URI"),
        (policy().replace(b"<Owner>", b"<Version>2</Version><Owner>"), "AccessControlPolicy/Version"),
    ],
)
def test_unknown_part_of_an_acl_stops_the_write(
    recorder: Recorder, recorded_store: CosStore, document: bytes, name: str
) -> None:
    recorder.default = reply(body=document)
    acl = recorded_store.get_bucket_acl(**AT)

    with pytest.raises(errors.Refused, match=f"{name}.* would be lost"):
        recorded_store.put_bucket_acl(**AT, acl=replace(acl, grants=(Grant(EVERYONE, READ),)))

    assert acl.unknown == (name,)
    assert len(recorder.seen) == 1


def test_grantee_that_cannot_be_spelled_stops_the_write(recorder: Recorder, recorded_store: CosStore) -> None:
    acl = Acl(OWNER, (Grant(Grantee(GranteeKind.UNKNOWN, "made up"), READ),))

    with pytest.raises(errors.Refused, match="whom the store knows"):
        recorded_store.put_bucket_acl(**AT, acl=acl)

    assert recorder.seen == []


def test_label_does_not_hide_who_may_write(recorder: Recorder, recorded_store: CosStore) -> None:
    listed = grant(f"<URI>{GROUPS}/AllUsers</URI>", "WRITE")
    recorder.default = reply(body=policy(listed), x_cos_acl="private")

    acl = recorded_store.get_bucket_acl(**AT)

    assert acl.label == "private"
    assert acl.permissions_of(EVERYONE) == {Permission.WRITE}


def test_inherited_acl_is_written_as_such(recorder: Recorder, recorded_store: CosStore) -> None:
    recorder.default = reply(body=policy(), x_cos_acl="default")

    recorded_store.put_object_acl(**AT, key="k", acl=recorded_store.get_object_acl(**AT, key="k"))

    assert recorder.seen[-1].headers["x-cos-acl"] == "default"
    assert recorder.seen[-1].body == b""


def test_acl_without_grants_is_written_as_private(recorder: Recorder, recorded_store: CosStore) -> None:
    recorded_store.put_bucket_acl(**AT, acl=Acl(OWNER))

    assert recorder.seen[-1].headers["x-cos-acl"] == "private"


def test_root_named_as_its_own_user_is_the_root() -> None:
    assert account_grantee("1", "1") == account_grantee("1")


def test_full_control_is_every_permission() -> None:
    acl = Acl(OWNER, (Grant(EVERYONE, Permission.FULL_CONTROL), Grant(SIGNED_IN, "SOMETHING_NEW")))

    assert acl.permissions_of(EVERYONE) == frozenset(Permission)
    assert acl.permissions_of(SIGNED_IN) == frozenset()
    assert acl.permissions_of(account_grantee("2")) == frozenset()
    assert acl.permissions_of(OWNER) == frozenset(Permission)


def test_digest_knows_no_order_no_spelling_and_no_owner() -> None:
    everyone = replace(EVERYONE, raw=(("ID", "qcs::cam::anyone:anyone"),), name="anyone")
    acl = Acl(OWNER, (Grant(EVERYONE, READ), Grant(account_grantee("2"), READ)))
    same = Acl(
        OWNER,
        (
            Grant(account_grantee("2"), "READ"),
            Grant(OWNER, Permission.FULL_CONTROL),
            Grant(everyone, READ),
            Grant(everyone, READ),
        ),
        label="private",
    )

    assert acl.digest == same.digest


@pytest.mark.parametrize(
    "change",
    [
        {"grants": ()},
        {"grants": (Grant(EVERYONE, Permission.WRITE),)},
        {"grants": (Grant(SIGNED_IN, READ),)},
        {"grants": (Grant(account_grantee("2", "22"), READ),)},
        {"grants": (Grant(Grantee(GranteeKind.UNKNOWN, "everyone"), READ),)},
        {"owner": account_grantee("2")},
        {"is_inherited": True},
        {"unknown": ("Grant/If",)},
    ],
)
def test_digest_notices_every_change_of_access(change: dict[str, object]) -> None:
    acl = Acl(OWNER, (Grant(EVERYONE, READ),))

    assert replace(acl, **change).digest != acl.digest


def test_copy_is_at_no_moment_more_open_than_its_source(recorder: Recorder, recorded_store: CosStore) -> None:
    everyone = f"<URI>{GROUPS}/AllUsers</URI>"
    source = policy(grant(everyone), grant(everyone, "READ_ACP"), grant("<ID>2/22</ID>", "FULL_CONTROL"))
    copied = b"<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"
    recorder.steps.extend(reply(body=body) for body in (source, copied, policy(), b""))

    recorded_store.copy_object(
        source=ObjectRef(**AT, key="from"), **AT, key="to", storage_class="STANDARD_IA", is_acl_kept=True
    )

    asked, copy, _, rest = recorder.seen
    assert (asked.method, asked.path, copy.method, copy.path) == ("GET", "/from", "PUT", "/to")
    assert copy.headers["x-cos-acl"] == "private"
    assert copy.headers["x-cos-grant-full-control"] == 'id="qcs::cam::uin/2:uin/22"'
    assert (rest.method, rest.path) == ("PUT", "/to")
    assert rest.body.count(b"AllUsers") == 2


def test_copy_of_grants_that_nobody_knows_is_not_begun(recorder: Recorder, recorded_store: CosStore) -> None:
    recorder.default = reply(body=policy("<Deny><ID>2</ID></Deny>"))

    with pytest.raises(errors.Refused, match="a copy would lose"):
        recorded_store.copy_object(source=ObjectRef(**AT, key="from"), **AT, key="to", is_acl_kept=True)

    assert [seen.method for seen in recorder.seen] == ["GET"]


def test_permissions_are_permissions() -> None:
    acl = Acl(owner=account_grantee("1"), grants=(Grant(EVERYONE, "READ"), Grant(EVERYONE, "NEW")))

    found = acl.permissions_of(EVERYONE)

    assert [type(one) for one in found] == [Permission]
