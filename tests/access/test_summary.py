from __future__ import annotations

import pytest

from apps.access.rules.summary import AccessKind, access_summary
from apps.storage.grants import EVERYONE, SIGNED_IN, Acl, Grant, Grantee, GranteeKind, account_grantee

OWNER = account_grantee("1")
FRIEND = account_grantee("2")
SUB = account_grantee("2", "3")
NOBODY_KNOWS = Grantee(GranteeKind.UNKNOWN, "qcs::future")


@pytest.mark.parametrize(
    ("grants", "kind"),
    [
        ([], AccessKind.PRIVATE),
        ([(OWNER, "FULL_CONTROL")], AccessKind.PRIVATE),
        ([(FRIEND, "READ")], AccessKind.SHARED),
        ([(EVERYONE, "READ"), (FRIEND, "READ")], AccessKind.PUBLIC_READ),
        ([(EVERYONE, "READ_ACP")], AccessKind.PUBLIC_READ),
        ([(EVERYONE, "WRITE")], AccessKind.PUBLIC_WRITE),
        ([(EVERYONE, "WRITE_ACP")], AccessKind.PUBLIC_WRITE),
        ([(EVERYONE, "FULL_CONTROL")], AccessKind.PUBLIC_WRITE),
        ([(SIGNED_IN, "READ")], AccessKind.SIGNED_IN_READ),
        ([(SIGNED_IN, "WRITE")], AccessKind.SIGNED_IN_WRITE),
        ([(EVERYONE, "READ"), (SIGNED_IN, "WRITE")], AccessKind.SIGNED_IN_WRITE),
        ([(NOBODY_KNOWS, "READ")], AccessKind.UNKNOWN),
        ([(EVERYONE, "WRITE"), (NOBODY_KNOWS, "READ")], AccessKind.PUBLIC_WRITE),
    ],
)
def test_widest_access_has_the_word(grants: list[tuple[Grantee, str]], kind: AccessKind) -> None:
    acl = Acl(owner=OWNER, grants=tuple(Grant(*grant) for grant in grants), label="private")

    assert access_summary(acl).kind is kind


def test_what_a_document_holds_beyond_grants_is_unknown_and_never_private() -> None:
    assert access_summary(Acl(owner=OWNER, unknown=("Condition",))).kind is AccessKind.UNKNOWN


def test_each_account_counts_once() -> None:
    grants = (Grant(FRIEND, "READ"), Grant(FRIEND, "WRITE"), Grant(SUB, "READ"), Grant(OWNER, "READ"))

    assert access_summary(Acl(owner=OWNER, grants=grants)).accounts == (FRIEND, SUB)
