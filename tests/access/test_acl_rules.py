"""What an ACL comes to: nothing public is called private, and nothing unknown is passed over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.access.rules.acl import AccessKind, access_summary, access_unknown, object_access_summary
from apps.access.rules.rights import bucket_rights, object_rights
from apps.storage.grants import EVERYONE, SIGNED_IN, Acl, Grant, Grantee, GranteeKind, Permission
from tests.access.acls import COLLEAGUE, OWNER, PARTNER, SOMEBODY, acl, acls, grants
from tests.examples import examples

READ, WRITE, FULL = Permission.READ, Permission.WRITE, Permission.FULL_CONTROL


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (acl(), AccessKind.PRIVATE),
        (acl((OWNER, FULL)), AccessKind.PRIVATE),
        (acl((PARTNER, READ)), AccessKind.SHARED),
        (acl((COLLEAGUE, WRITE)), AccessKind.SHARED),
        (acl((SIGNED_IN, READ)), AccessKind.SIGNED_IN),
        (acl((EVERYONE, READ)), AccessKind.PUBLIC_READ),
        (acl((EVERYONE, Permission.READ_ACP)), AccessKind.PUBLIC_READ),
        (acl((EVERYONE, WRITE)), AccessKind.PUBLIC_WRITE),
        (acl((EVERYONE, Permission.WRITE_ACP)), AccessKind.PUBLIC_WRITE),
        (acl((EVERYONE, FULL)), AccessKind.PUBLIC_WRITE),
        (acl((SOMEBODY, READ)), AccessKind.UNKNOWN),
        (acl((PARTNER, "RESTORE")), AccessKind.UNKNOWN),
        (acl((PARTNER, READ), (EVERYONE, READ)), AccessKind.PUBLIC_READ),
    ],
)
def test_kind_is_read_off_the_grants(seen: Acl, kind: AccessKind) -> None:
    assert access_summary(seen).kind == kind


def test_label_that_says_private_over_a_writable_bucket_is_contradicted() -> None:
    summary = access_summary(acl((EVERYONE, WRITE), label="private"))

    assert summary.is_public
    assert summary.findings == (
        "The store's label says private; the grants say more: "
        "Everyone on the internet can upload, overwrite and delete every object.",
    )


def test_writable_bucket_without_a_label_is_told_of_tools_that_shorten() -> None:
    (finding,) = access_summary(acl((EVERYONE, WRITE))).findings

    assert "call this private" in finding
    assert "Everyone on the internet can upload, overwrite and delete every object." in finding


def test_true_labels_are_not_contradicted() -> None:
    assert access_summary(acl((EVERYONE, READ), label="public-read")).findings == ()
    assert access_summary(acl((EVERYONE, READ), (EVERYONE, WRITE), label="public-read-write")).findings == ()
    assert access_summary(acl((PARTNER, READ), label="private")).findings == ()


def test_denied_read_is_unknown_and_not_private() -> None:
    summary = access_unknown("The key may not read them.")

    assert summary.kind is AccessKind.UNKNOWN
    assert "not “private”" in summary.sentences[0]
    assert summary.sentences[1] == "The key may not read them."


@given(acls())
@examples(60)
def test_whatever_a_group_may_do_is_exposed_whatever_the_label_says(seen: Acl) -> None:
    held = {grant.grantee.kind for grant in seen.explicit if grant.permission in tuple(Permission)}
    summary = access_summary(seen)

    assert summary.is_public == (GranteeKind.EVERYONE in held)
    assert summary.is_exposed == bool({GranteeKind.EVERYONE, GranteeKind.SIGNED_IN} & held)


@given(acls())
@examples(60)
def test_every_grant_is_named_in_sentences_or_in_findings(seen: Acl) -> None:
    summary = access_summary(seen)
    named = {line.grantee for line in bucket_rights(seen).lines}
    found = " ".join(summary.findings)

    for grant in seen.explicit:
        known = grant.grantee in named and grant.permission in tuple(Permission)
        assert known or grant.permission in found
    assert all(name in found for name in seen.unknown)
    assert (summary.kind is AccessKind.PRIVATE) == (not seen.explicit and not seen.unknown)


@given(acls(), st.randoms(use_true_random=False))
@examples(40)
def test_order_repetitions_and_the_owners_own_grant_change_nothing(seen: Acl, chance: object) -> None:
    listed = [*seen.grants, *seen.grants, Grant(OWNER, FULL)]
    chance.shuffle(listed)  # type: ignore[attr-defined]
    other = replace(seen, grants=tuple(listed))

    assert access_summary(other).kind == access_summary(seen).kind
    assert {line.sentence for line in bucket_rights(other).lines} == {
        line.sentence for line in bucket_rights(seen).lines
    }


@given(acls(), grants(), st.sampled_from((PARTNER, COLLEAGUE, EVERYONE, SIGNED_IN, OWNER)))
@examples(60)
def test_another_grant_never_takes_a_right_away(seen: Acl, grant: Grant, who: Grantee) -> None:
    wider = replace(seen, grants=(*seen.grants, grant))

    assert bucket_rights(seen).of(who) <= bucket_rights(wider).of(who)


@given(acls(), acls(is_inherited=st.booleans()))
@examples(60)
def test_object_is_read_by_its_own_grants_and_overwritten_by_the_buckets(bucket: Acl, own: Acl) -> None:
    rights = object_rights(own, bucket)
    deciding = bucket if own.is_inherited else own

    for who in (PARTNER, EVERYONE, SIGNED_IN):
        assert (READ in rights.of(who)) == (READ in bucket_rights(deciding).of(who))
        assert (WRITE in rights.of(who)) == (WRITE in bucket_rights(bucket).of(who))


def test_object_that_inherits_says_what_from() -> None:
    inherited = acl(is_inherited=True)

    assert object_access_summary(inherited, acl()).label == "Inherits: Private"
    assert object_access_summary(inherited, acl()).kind is AccessKind.INHERITED
    assert object_access_summary(inherited, acl((EVERYONE, READ))).is_public
    assert object_access_summary(inherited, None).kind is AccessKind.UNKNOWN
    assert object_access_summary(inherited, None).label == "Inherits: Unknown"
    assert object_access_summary(acl(), acl((EVERYONE, WRITE))).kind is AccessKind.PUBLIC_WRITE


def test_owner_of_the_bucket_can_do_everything_with_a_strangers_object() -> None:
    rights = object_rights(Acl(PARTNER), acl())

    assert rights.of(OWNER) == rights.of(PARTNER)
    assert "The owner's account" not in " ".join(line.sentence for line in rights.lines)


def test_write_on_an_object_is_unknown_and_nobody_it_is_shared_with() -> None:
    public = object_access_summary(acl((EVERYONE, Permission.WRITE)), acl())
    named = object_access_summary(acl((PARTNER, Permission.WRITE)), acl())

    assert public.kind is named.kind is AccessKind.UNKNOWN
    assert named.who == ()


def test_object_is_not_called_private_where_nobody_knows_who_overwrites_it() -> None:
    summary = object_access_summary(acl(), None)

    assert summary.kind is AccessKind.UNKNOWN
    assert summary.label == "Writing unknown"


def test_inherited_write_is_no_finding_about_the_object() -> None:
    inherited = acl(is_inherited=True)

    summary = object_access_summary(inherited, acl((PARTNER, Permission.WRITE)))

    assert summary.findings == ()
    assert summary.label == "Inherits: Shared with 1"
