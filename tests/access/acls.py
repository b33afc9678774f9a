"""ACLs for the tests of the rules: by hand, and drawn at random."""

from __future__ import annotations

from hypothesis import strategies as st

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

OWNER = account_grantee("100000000001")
PARTNER = account_grantee("100000000099")
COLLEAGUE = account_grantee("100000000001", "100000000011")
SOMEBODY = Grantee(GranteeKind.UNKNOWN, "qcs::cam::robot/7")
GRANTEES = (OWNER, PARTNER, COLLEAGUE, SOMEBODY, EVERYONE, SIGNED_IN)
PERMISSIONS = (*Permission, "RESTORE")
_NEVER = st.just(False)
LABELS = ("", "private", "public-read", "public-read-write", "authenticated-read", "other")


def acl(*grants: tuple[Grantee, str], label: str = "", is_inherited: bool = False) -> Acl:
    """Return an ACL of OWNER with these grants."""
    return Acl(OWNER, tuple(Grant(who, what) for who, what in grants), is_inherited, label)


def grants() -> st.SearchStrategy[Grant]:
    return st.builds(Grant, st.sampled_from(GRANTEES), st.sampled_from(PERMISSIONS))


def acls(*, is_inherited: st.SearchStrategy[bool] = _NEVER) -> st.SearchStrategy[Acl]:
    return st.builds(
        Acl,
        st.just(OWNER),
        st.lists(grants(), max_size=8).map(tuple),
        is_inherited,
        st.sampled_from(LABELS),
        st.sampled_from(((), ("Grant/Until",))),
    )
