"""Who may do what: owner, another root, a user below the owner, nobody in particular."""

from __future__ import annotations

import pytest

from tests.localstore.conftest import OTHER, OWNER, USER, Connect
from tests.localstore.wire import Wire

ALL = "http://cam.qcloud.com/groups/global/AllUsers"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def grants_of(wire: Wire, target: str = "/?acl") -> list[tuple[str | None, str | None]]:
    xml = wire.call("GET", target).xml
    return [
        (g.findtext("Grantee/URI") or g.findtext("Grantee/ID"), g.findtext("Permission"))
        for g in xml.iter("Grant")
    ]


def policy(*grants: str) -> bytes:
    owner = f"<Owner><ID>{OWNER.principal}</ID></Owner>"
    listed = f"<AccessControlList>{''.join(grants)}</AccessControlList>"
    return f"<AccessControlPolicy>{owner}{listed}</AccessControlPolicy>".encode()


def grant(grantee: str, permission: str) -> str:
    return f"<Grant><Grantee>{grantee}</Grantee><Permission>{permission}</Permission></Grant>"


@pytest.mark.parametrize(
    ("canned", "read", "write"),
    [
        ("private", (403, 403), (403, 403)),
        ("public-read", (200, 200), (403, 403)),
        ("public-read-write", (200, 200), (200, 200)),
        ("authenticated-read", (200, 403), (403, 403)),
    ],
)
def test_canned_bucket_acl(
    wire: Wire, connect: Connect, canned: str, read: tuple[int, int], write: tuple[int, int]
) -> None:
    wire.call("PUT", "/inherits", b"x")
    assert wire.call("PUT", "/?acl", x_cos_acl=canned).status == 200
    people = [connect(OTHER), connect(None)]

    assert tuple(p.call("GET", "/").status for p in people) == read
    assert tuple(p.call("HEAD", "/").status for p in people) == read
    assert tuple(p.call("GET", "/inherits").status for p in people) == read
    assert tuple(p.call("PUT", "/new", b"y").status for p in people) == write
    assert [p.call("GET", "/?acl").status for p in people] == [403, 403]


def test_private_shows_the_owner_alone(wire: Wire) -> None:
    assert grants_of(wire) == [(OWNER.principal, "FULL_CONTROL")]


def test_public_read_write_shows_both_permissions(wire: Wire) -> None:
    wire.call("PUT", "/?acl", x_cos_acl="public-read-write")

    assert grants_of(wire) == [(ALL, "READ"), (ALL, "WRITE")]


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        ("READ", {"list"}),
        ("WRITE", {"put"}),
        ("READ_ACP", {"acl"}),
        ("WRITE_ACP", {"set"}),
        ("FULL_CONTROL", {"list", "put", "acl", "set"}),
    ],
)
def test_each_permission_gives_its_own_right(
    wire: Wire, connect: Connect, permission: str, allowed: set[str]
) -> None:
    body = policy(grant(f"<ID>{OTHER.principal}</ID>", permission))
    assert wire.call("PUT", "/?acl", body).status == 200
    other = connect(OTHER)

    replies = {
        "list": other.call("GET", "/"),
        "put": other.call("PUT", "/k", b"x"),
        "acl": other.call("GET", "/?acl"),
        "set": other.call("PUT", "/?acl", body),
    }

    assert {name for name, reply in replies.items() if reply.status == 200} == allowed
    assert connect(None).call("GET", "/").status == 403
    assert other.call("DELETE", "/").code == "AccessDenied"


def test_user_below_the_root_has_only_what_is_granted(wire: Wire, connect: Connect) -> None:
    user = connect(USER)
    assert user.call("GET", "/").code == "AccessDenied"
    assert connect(USER, to="new-1250000000").call("PUT", "/").code == "AccessDenied"

    wire.call("PUT", "/?acl", x_cos_grant_read=f'id="{USER.root_uin}/{USER.sub_uin}"')

    assert user.call("GET", "/").status == 200


def test_user_below_the_root_is_not_told_of_its_buckets(wire: Wire, connect: Connect) -> None:
    wire.call("PUT", "/?acl", x_cos_grant_read=f'id="{USER.root_uin}/{USER.sub_uin}"')

    reply = connect(USER, to="").call("GET", "/")

    assert (reply.status, reply.code) == (403, "AccessDenied")
    assert connect(OWNER, to="").call("GET", "/").status == 200


@pytest.mark.parametrize(
    ("header", "grantee"),
    [
        ('id="100000000002"', OTHER.principal),
        ('uin="100000000002"', OTHER.principal),
        ('id="100000000002/100000000002"', OTHER.principal),
        (f'id="{OTHER.principal}"', OTHER.principal),
        (f'id="{OTHER.principal}", id="100000000002"', OTHER.principal),
        ('id="qcs::cam::anyone:anyone"', ALL),
    ],
)
def test_spellings_of_a_grantee(wire: Wire, header: str, grantee: str) -> None:
    assert wire.call("PUT", "/?acl", x_cos_grant_read_acp=header).status == 200

    assert grants_of(wire) == [(grantee, "READ_ACP")]


@pytest.mark.parametrize(
    "extra", [f'{XSI} xsi:type="CanonicalUser"', "", 'xmlns="http://doc.s3.amazonaws.com/2006-03-01"']
)
def test_body_form_with_and_without_types(wire: Wire, extra: str) -> None:
    given = f"<Grant><Grantee {extra}><Type>CanonicalUser</Type><ID>{OTHER.principal}</ID></Grantee>"

    assert wire.call("PUT", "/?acl", policy(given + "<Permission>READ</Permission></Grant>")).status == 200
    assert grants_of(wire) == [(OTHER.principal, "READ")]


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"x-cos-acl": "everything"}, b"", "InvalidArgument"),
        ({"x-cos-grant-read": "100000000002"}, b"", "InvalidArgument"),
        ({"x-cos-grant-read": 'id="somebody"'}, b"", "InvalidArgument"),
        ({}, b"", "MissingRequestBodyError"),
        ({}, b"<AccessControlPolicy/>", "MalformedXML"),
        ({}, policy(grant("<ID>1</ID>", "OWN")), "MalformedXML"),
        ({}, policy(grant("<ID>nobody</ID>", "READ")), "InvalidArgument"),
        ({}, policy(*(grant(f"<ID>{n}</ID>", "READ") for n in range(1, 102))), "AttachmentFull"),
    ],
)
def test_refused_acls_change_nothing(wire: Wire, headers: dict[str, str], body: bytes, code: str) -> None:
    assert wire.request("PUT", "/?acl", headers, body).code == code

    assert grants_of(wire) == [(OWNER.principal, "FULL_CONTROL")]


def test_hundred_grants_are_accepted(wire: Wire) -> None:
    body = policy(*(grant(f"<ID>{n}</ID>", "READ") for n in range(1, 101)))

    assert wire.call("PUT", "/?acl", body).status == 200
    assert len(grants_of(wire)) == 100


def test_object_acl_beats_the_buckets(wire: Wire, connect: Connect) -> None:
    wire.call("PUT", "/?acl", x_cos_acl="public-read")
    wire.call("PUT", "/k", b"x", x_cos_acl="private")
    nobody = connect(None)
    assert nobody.call("GET", "/k").status == 403

    assert wire.call("PUT", "/k?acl", x_cos_acl="default").status == 200

    assert nobody.call("GET", "/k").status == 200


def test_object_says_when_it_has_no_acl(wire: Wire) -> None:
    wire.call("PUT", "/k", b"x")
    assert wire.call("GET", "/k?acl").header("x-cos-acl") == "default"

    wire.call("PUT", "/k?acl", x_cos_acl="public-read")

    assert wire.call("GET", "/k?acl").header("x-cos-acl") is None
    assert grants_of(wire, "/k?acl") == [(ALL, "READ")]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"x-cos-acl": "public-read-write"}, b""),
        ({"x-cos-grant-write": 'id="100000000002"'}, b""),
        ({}, policy(grant(f"<ID>{OTHER.principal}</ID>", "WRITE"))),
    ],
)
def test_objects_know_no_write(wire: Wire, headers: dict[str, str], body: bytes) -> None:
    wire.call("PUT", "/k", b"x")

    assert wire.request("PUT", "/k?acl", headers, body).code == "InvalidArgument"


def test_writer_owns_what_it_put(wire: Wire, connect: Connect) -> None:
    wire.call("PUT", "/?acl", x_cos_grant_write=f'id="{OTHER.root_uin}"')
    other = connect(OTHER)
    other.call("PUT", "/theirs", b"x")

    assert other.call("GET", "/theirs").status == 200
    assert other.call("GET", "/").status == 403
    assert wire.call("GET", "/theirs").status == 200


def test_missing_key_is_no_news_to_strangers(connect: Connect) -> None:
    assert connect(None).call("GET", "/missing").status == 403


@pytest.mark.parametrize("target", ["/?cors", "/?tagging", "/?location"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_settings_belong_to_the_owner(wire: Wire, connect: Connect, method: str, target: str) -> None:
    wire.call("PUT", "/?acl", x_cos_acl="public-read-write")

    for account in (OTHER, None):
        assert connect(account).call(method, target).status in (403, 405)
