"""What a change of grants does for whom, and how two changes of the same grants come together."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from apps.access.rules.canned import acl_of_canned, canned_choice, canned_of
from apps.access.rules.difference import bucket_difference, object_difference
from apps.access.rules.key_names import secrets_first
from apps.access.rules.merging import acl_rebased
from apps.access.rules.rights import bucket_rights
from apps.access.rules.words import Resource
from apps.storage.grants import EVERYONE, SIGNED_IN, Acl, Permission
from apps.storage.registry import provider_get
from tests.access.acls import COLLEAGUE, OWNER, PARTNER, SOMEBODY, acl, acls
from tests.examples import examples

READ, WRITE = Permission.READ, Permission.WRITE
FEATURES = provider_get("cos").features


def sentences(difference: object) -> list[str]:
    return [text for change in difference.changes for text in change.sentences]  # type: ignore[attr-defined]


def test_gains_and_losses_are_sentences() -> None:
    difference = bucket_difference(acl((PARTNER, READ)), acl((COLLEAGUE, WRITE)))

    assert sentences(difference) == [
        "Account 100000000099 will no longer be able to list all keys and read every object that has no "
        "grants of its own.",
        "Sub-account 100000000011 of the owner's account will be able to upload, overwrite and delete "
        "every object.",
    ]
    assert [change.kind for change in difference.changes] == ["removed", "added"]
    assert not difference.opened


def test_strangers_come_first_among_many() -> None:
    difference = bucket_difference(acl((PARTNER, READ)), acl((COLLEAGUE, WRITE), (EVERYONE, READ)))

    assert difference.changes[0].grantee == EVERYONE


def test_removing_what_cannot_be_read_is_not_called_nothing() -> None:
    unknown = bucket_difference(acl((SOMEBODY, READ), (PARTNER, "RESTORE")), acl())
    beyond = bucket_difference(replace(acl(), unknown=("Grant/Until",)), acl())

    assert unknown.notes == (
        "A grant that the console cannot read is removed: READ for Somebody whom the console does not know "
        "(“qcs::cam::robot/7”). What that changes is unknown.",
        "A grant that the console cannot read is removed: RESTORE for Account 100000000099. "
        "What that changes is unknown.",
    )
    assert beyond.notes == (
        "Grant/Until is lost, which the console cannot read. What that changes is unknown.",
    )


def test_grant_that_everyone_has_as_well_changes_nothing_in_effect() -> None:
    difference = bucket_difference(acl((EVERYONE, READ), (PARTNER, READ)), acl((EVERYONE, READ)))

    assert difference
    assert "nothing changes in effect" in sentences(difference)[0]


def test_object_that_begins_to_inherit_from_a_public_bucket_becomes_public() -> None:
    public, own, inherited = acl((EVERYONE, READ)), acl(), acl(is_inherited=True)

    assert object_difference(own, inherited, public).opened == {EVERYONE: {READ}}
    assert object_difference(own, inherited, acl()).opened == {}
    assert not object_difference(own, inherited, None).is_certain
    assert object_difference(own, inherited, acl()).notes


@given(acls(), acls())
@examples(60)
def test_what_becomes_public_is_exactly_what_a_group_gains(before: Acl, after: Acl) -> None:
    opened = bucket_difference(before, after).opened

    for group in (EVERYONE, SIGNED_IN):
        gained = bucket_rights(after).of(group) - bucket_rights(before).of(group)
        assert opened.get(group, frozenset()) | opened.get(EVERYONE, frozenset()) >= gained
        assert opened.get(group, frozenset()) <= gained


@given(acls(is_inherited=st.booleans()))
@examples(30)
def test_no_change_is_no_difference(seen: Acl) -> None:
    assert not object_difference(seen, seen, acl())
    assert not object_difference(seen, replace(seen, grants=seen.grants[::-1]), acl()).changes


@given(acls(is_inherited=st.booleans()), acls(is_inherited=st.booleans()))
@examples(60)
def test_change_on_top_of_nothing_is_that_change(base: Acl, other: Acl) -> None:
    other = replace(other, unknown=base.unknown)

    assert acl_rebased(base=base, mine=other, theirs=base).digest == other.digest
    assert acl_rebased(base=base, mine=base, theirs=other).digest == other.digest


@given(acls(), acls(), acls())
@examples(60)
def test_both_changes_are_kept(base: Acl, mine: Acl, theirs: Acl) -> None:
    merged = set(acl_rebased(base=base, mine=mine, theirs=theirs).explicit)
    was, left, wanted = set(base.explicit), set(theirs.explicit), set(mine.explicit)

    if mine.digest != base.digest:
        assert merged == (left - (was - wanted)) | (wanted - was)


def test_canned_names_are_recognized_by_their_grants() -> None:
    for canned in FEATURES.bucket_canned_acls:
        seen = acl_of_canned(canned, acl((PARTNER, READ)), OWNER)
        assert canned_of(seen, FEATURES.bucket_canned_acls, OWNER) == canned.name
    assert canned_of(acl((PARTNER, READ)), FEATURES.bucket_canned_acls, OWNER) == ""
    assert canned_of(acl(is_inherited=True), FEATURES.object_canned_acls, OWNER) == "default"
    assert canned_of(acl((PARTNER, READ)), FEATURES.object_canned_acls, PARTNER) == "bucket-owner-read"


def test_canned_names_are_spelled_out() -> None:
    chosen = {one.name: canned_choice(one, Resource.BUCKET, OWNER) for one in FEATURES.bucket_canned_acls}

    assert not chosen["private"].is_exposing
    assert chosen["public-read-write"].is_exposing
    assert "Everyone on the internet can list all keys" in chosen["public-read-write"].meaning
    inherit = canned_choice(FEATURES.object_canned_acls[0], Resource.OBJECT, OWNER)
    assert inherit.title == "Inherit from the bucket"


def test_secret_looking_names_come_first() -> None:
    keys = [
        "a.txt",
        "site/.env",
        "b/backup-2026.sql.gz",
        "img/logo.png",
        "keys/id_rsa",
        "x.pem",
        "q/tokens.md",
    ]

    assert secrets_first(keys)[:5] == [
        "site/.env",
        "b/backup-2026.sql.gz",
        "keys/id_rsa",
        "x.pem",
        "q/tokens.md",
    ]
