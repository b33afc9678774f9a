"""ACLs, CORS, tags and location."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.storage import errors
from apps.storage.cors import Cors, CorsRule
from apps.storage.grants import (
    EVERYONE,
    SIGNED_IN,
    Acl,
    CannedAcl,
    Grant,
    GranteeKind,
    Permission,
    account_grantee,
)
from apps.storage.registry import provider_get
from apps.storage.tags import Tag
from apps.storage.types import Credentials
from tests.storage.contract.place import Place, settled, settled_on

FEATURES = provider_get("cos").features
NEIGHBOR = account_grantee("100000000002")
GUEST = account_grantee("100000000002", "100000000022")
NAMED = (
    Grant(EVERYONE, Permission.READ),
    Grant(SIGNED_IN, Permission.READ_ACP),
    Grant(NEIGHBOR, Permission.READ),
    Grant(NEIGHBOR, Permission.READ_ACP),
    Grant(GUEST, Permission.WRITE_ACP),
    Grant(GUEST, Permission.FULL_CONTROL),
)
RULES = Cors(
    (
        CorsRule(
            origins=("https://app.example.com", "http://*.example.com:8080"),
            methods=("PUT", "GET", "POST", "DELETE", "HEAD"),
            allowed_headers=("content-md5", "x-cos-meta-*"),
            exposed_headers=("ETag", "x-cos-request-id"),
            max_age_s=600,
            id='first & <"second">',
        ),
        CorsRule(origins=("*",), methods=("GET",)),
    )
)


def test_new_bucket_is_its_owners_alone(own: Place) -> None:
    own.store.put_bucket_acl(**own.at, acl="private")

    acl = settled(lambda: own.store.get_bucket_acl(**own.at), lambda acl: not acl.explicit)

    assert acl.owner.kind is GranteeKind.ACCOUNT
    assert acl.explicit == ()
    assert acl.permissions_of(acl.owner) == frozenset(Permission)
    assert (acl.is_inherited, acl.unknown) == (False, ())


@pytest.mark.parametrize("canned", FEATURES.bucket_canned_acls, ids=lambda canned: canned.name)
def test_canned_bucket_acl_grants_what_it_says(own: Place, canned: CannedAcl) -> None:
    _write_acl(own, canned.name)

    acl = settled(lambda: own.store.get_bucket_acl(**own.at), lambda acl: _is_as_canned(acl, canned))

    assert _is_as_canned(acl, canned)
    assert not acl.is_inherited


@pytest.mark.parametrize("canned", FEATURES.object_canned_acls, ids=lambda canned: canned.name)
def test_canned_object_acl_grants_what_it_says(own: Place, canned: CannedAcl) -> None:
    own.put("k", b"")

    _write_acl(own, canned.name, key="k")
    acl = settled(lambda: own.store.get_object_acl(**own.key("k")), lambda acl: _is_as_canned(acl, canned))

    assert _is_as_canned(acl, canned)
    assert acl.is_inherited == canned.is_inherited


def test_named_grants_come_back_and_go_back(own: Place) -> None:
    before = own.store.get_bucket_acl(**own.at)
    wanted = replace(before, grants=(*NAMED, Grant(NEIGHBOR, Permission.WRITE)))

    _write_acl(own, wanted)
    seen = settled(lambda: own.store.get_bucket_acl(**own.at), lambda acl: acl.digest == wanted.digest)
    _write_acl(own, seen)
    again = own.store.get_bucket_acl(**own.at)

    assert set(seen.explicit) == set(wanted.grants)
    assert seen.digest == wanted.digest != before.digest
    assert again == seen
    assert [grant.grantee.raw for grant in again.grants] == [grant.grantee.raw for grant in seen.grants]
    assert seen.permissions_of(NEIGHBOR) == {Permission.READ, Permission.READ_ACP, Permission.WRITE}
    assert seen.permissions_of(GUEST) == frozenset(Permission)
    _write_acl(own, "private")


def test_named_grants_of_an_object_come_back_and_go_back(own: Place) -> None:
    own.put("k", b"")
    wanted = replace(own.store.get_object_acl(**own.key("k")), grants=NAMED, is_inherited=False)

    _write_acl(own, wanted, key="k")
    seen = settled(lambda: own.store.get_object_acl(**own.key("k")), lambda acl: acl.digest == wanted.digest)
    _write_acl(own, seen, key="k")

    assert set(seen.explicit) == set(NAMED)
    assert own.store.get_object_acl(**own.key("k")) == seen


def test_object_that_inherits_still_does_after_writing_back(own: Place) -> None:
    own.put("k", b"")
    seen = own.store.get_object_acl(**own.key("k"))

    own.store.put_object_acl(**own.key("k"), acl=seen)

    assert seen.is_inherited
    assert own.store.get_object_acl(**own.key("k")) == seen


def test_object_has_no_write_to_grant(own: Place) -> None:
    own.put("k", b"")
    acl = own.store.get_object_acl(**own.key("k"))
    grants = (Grant(account_grantee("100000000002"), Permission.WRITE),)

    with pytest.raises(errors.Refused):
        own.store.put_object_acl(**own.key("k"), acl=replace(acl, grants=grants, is_inherited=False))

    assert Permission.WRITE not in FEATURES.object_permissions


@pytest.mark.parametrize("number", [FEATURES.grants_max, FEATURES.grants_max + 1])
def test_acl_holds_so_many_grants(own: Place, number: int) -> None:
    if own.server is None:
        pytest.skip("A real store knows only accounts that exist.")
    acl = own.store.get_bucket_acl(**own.at)
    grants = [Grant(account_grantee(str(100000001000 + i)), Permission.READ) for i in range(number)]

    if number > FEATURES.grants_max:
        with pytest.raises(errors.Refused):
            own.store.put_bucket_acl(**own.at, acl=replace(acl, grants=tuple(grants)))
        return
    own.store.put_bucket_acl(**own.at, acl=replace(acl, grants=tuple(grants)))

    assert len(own.store.get_bucket_acl(**own.at).explicit) == number


def test_settings_of_a_missing_bucket_are_not_empty(place: Place) -> None:
    reads = (place.store.get_bucket_acl, place.store.get_bucket_cors, place.store.get_bucket_tags)

    for read in (*reads, place.store.bucket_location):
        with pytest.raises(errors.BucketNotFound):
            read(**place.elsewhere)


def test_acl_of_a_missing_object_is_not_found(place: Place) -> None:
    with pytest.raises(errors.ObjectNotFound):
        place.store.get_object_acl(**place.key("gone"))


def test_settings_are_not_a_strangers(place: Place) -> None:
    stranger = place.opened_with(Credentials("AKIDNOBODY", "wrong"))

    for read in (stranger.get_bucket_acl, stranger.get_bucket_cors, stranger.get_bucket_tags):
        with pytest.raises(errors.Denied):
            read(**place.at)


def test_cors_rules_come_back_and_go_back(own: Place) -> None:
    own.store.put_bucket_cors(**own.at, cors=RULES)

    seen = settled(lambda: own.store.get_bucket_cors(**own.at), lambda cors: len(cors.rules) == 2)
    own.store.put_bucket_cors(**own.at, cors=seen)

    assert seen.digest == RULES.digest
    assert seen.rules[0].id == RULES.rules[0].id
    assert own.store.get_bucket_cors(**own.at) == seen


def test_bucket_without_cors_has_no_rules(own: Place) -> None:
    own.store.put_bucket_cors(**own.at, cors=RULES)
    own.store.delete_bucket_cors(**own.at)

    seen = settled_on(Cors(), lambda: own.store.get_bucket_cors(**own.at))
    own.store.put_bucket_cors(**own.at, cors=seen)
    own.store.delete_bucket_cors(**own.at)

    assert seen == Cors()
    assert own.store.get_bucket_cors(**own.at) == seen


@pytest.mark.parametrize("number", [FEATURES.cors.rules_max, FEATURES.cors.rules_max + 1])
def test_cors_holds_so_many_rules(own: Place, number: int) -> None:
    cors = Cors(tuple(CorsRule((f"https://{i}.example.com",), ("GET",)) for i in range(number)))

    if number > FEATURES.cors.rules_max:
        with pytest.raises(errors.Refused):
            own.store.put_bucket_cors(**own.at, cors=cors)
        return
    own.store.put_bucket_cors(**own.at, cors=cors)
    seen = settled(lambda: own.store.get_bucket_cors(**own.at), lambda seen: len(seen.rules) == number)

    assert [rule.origins for rule in seen.rules] == [rule.origins for rule in cors.rules]


def test_preflight_is_answered_by_the_first_rule_that_fits(own: Place) -> None:
    ask = {**own.key("k"), "method": "PUT", "headers": ("content-md5",)}
    own.store.put_bucket_cors(**own.at, cors=RULES)

    allowed = settled(
        lambda: own.store.preflight(**ask, origin="https://app.example.com"), lambda found: found.is_allowed
    )
    forbidden = own.store.preflight(**ask, origin="https://other.example.org")

    assert allowed.is_allowed
    assert allowed.origin == "https://app.example.com"
    assert set(allowed.methods) == {"PUT", "GET", "POST", "DELETE", "HEAD"}
    assert "content-md5" in [name.lower() for name in allowed.headers]
    assert {"etag", "x-cos-request-id"} == {name.lower() for name in allowed.exposed_headers}
    assert (allowed.max_age_s, allowed.has_credentials) == (600, True)
    assert (forbidden.is_allowed, forbidden.origin, forbidden.methods) == (False, "", ())


def test_preflight_without_rules_is_forbidden(own: Place) -> None:
    own.store.delete_bucket_cors(**own.at)
    ask = {**own.key("k"), "origin": "https://app.example.com", "method": "GET"}

    answer = settled(lambda: own.store.preflight(**ask), lambda answer: not answer.is_allowed)

    assert not answer.is_allowed


def test_tags_come_back_and_go_back(own: Place) -> None:
    tags = (Tag("owner", "Ana +-=._:/@"), Tag("Owner", ""), Tag("部门", "研发 é"))
    own.store.put_bucket_tags(**own.at, tags=tags)

    seen = settled(lambda: own.store.get_bucket_tags(**own.at), lambda seen: len(seen) == 3)
    own.store.put_bucket_tags(**own.at, tags=seen)

    assert sorted(seen, key=lambda tag: tag.key) == sorted(tags, key=lambda tag: tag.key)
    assert own.store.get_bucket_tags(**own.at) == seen


def test_bucket_without_tags_has_none(own: Place) -> None:
    own.store.put_bucket_tags(**own.at, tags=[Tag("a", "b")])
    own.store.delete_bucket_tags(**own.at)

    seen = settled_on((), lambda: own.store.get_bucket_tags(**own.at))
    own.store.put_bucket_tags(**own.at, tags=seen)

    assert seen == own.store.get_bucket_tags(**own.at) == ()


@pytest.mark.parametrize("number", [FEATURES.bucket_tags.count_max, FEATURES.bucket_tags.count_max + 1])
def test_bucket_holds_so_many_tags(own: Place, number: int) -> None:
    longest = FEATURES.bucket_tags
    tags = [Tag(f"{i:0{longest.key_max}}", "v" * longest.value_max) for i in range(number)]

    if number > longest.count_max:
        with pytest.raises(errors.Refused):
            own.store.put_bucket_tags(**own.at, tags=tags)
        return
    own.store.put_bucket_tags(**own.at, tags=tags)
    seen = settled(lambda: own.store.get_bucket_tags(**own.at), lambda seen: len(seen) == number)

    assert sorted(tag.key for tag in seen) == [tag.key for tag in tags]
    own.store.delete_bucket_tags(**own.at)


def test_reserved_tag_is_refused(own: Place) -> None:
    for reserved in FEATURES.bucket_tags.reserved:
        with pytest.raises(errors.Refused):
            own.store.put_bucket_tags(**own.at, tags=[Tag(f"{reserved}x", "v")])


def test_bucket_says_where_it_is(place: Place) -> None:
    assert place.store.bucket_location(**place.at) == place.region


def _write_acl(own: Place, acl: Acl | str, key: str = "") -> None:
    """Write an ACL. A real account may know nobody of the names here, or forbid anything public."""
    try:
        if key:
            own.store.put_object_acl(**own.key(key), acl=acl)
        else:
            own.store.put_bucket_acl(**own.at, acl=acl)
    except (errors.Denied, errors.Refused) as error:
        if own.server is not None:
            raise
        pytest.skip(f"This account does not take such grants: {error}")


def _is_as_canned(acl: Acl, canned: CannedAcl) -> bool:
    """Tell whether the grants give the groups what the name promises, in any of the store's spellings.

    Everybody's READ and WRITE may be read back as FULL_CONTROL. A bucket's owner who is also the object's
    shows in no grant of their own.
    """
    if acl.is_inherited or canned.is_inherited:
        return acl.is_inherited == canned.is_inherited
    for group in (EVERYONE, SIGNED_IN):
        promised = {grant.permission for grant in canned.grants if grant.grantee == group}
        given = acl.permissions_of(group)
        is_full = given == frozenset(Permission) and {Permission.READ, Permission.WRITE} <= promised
        if given != promised and not is_full:
            return False
    return all(grant.grantee in (EVERYONE, SIGNED_IN) for grant in acl.explicit)
