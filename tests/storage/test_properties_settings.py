"""Any ACL, any CORS rules and any tags come back as they went in, and preflights follow the first rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.storage import errors
from tests.examples import examples
from tests.storage.embedded import OWNER, Home, home
from tests.storage.strategies import CORS_RULES, METHODS, ORIGINS, TAGS, grants, policy

OWNER_ID = OWNER.principal
OBJECT_PERMISSIONS = ("READ", "READ_ACP", "WRITE_ACP", "FULL_CONTROL")
GRANT_OPTIONS = {
    "READ": "GrantRead",
    "WRITE": "GrantWrite",
    "READ_ACP": "GrantReadAcp",
    "WRITE_ACP": "GrantWriteAcp",
    "FULL_CONTROL": "GrantFullControl",
}


@pytest.fixture(scope="module")
def bucket() -> Iterator[Home]:
    with home() as found:
        found.client.put_object(**found.of("k"), Body=b"")
        yield found


def shown(acl: dict[str, Any]) -> list[tuple[str, str]]:
    assert acl["Owner"]["ID"] == OWNER_ID
    listed = acl["AccessControlList"]["Grant"]
    for grant in listed:
        assert grant["Grantee"]["Type"] == ("Group" if "URI" in grant["Grantee"] else "CanonicalUser")
    return [(grant["Grantee"].get("URI") or grant["Grantee"]["ID"], grant["Permission"]) for grant in listed]


def once(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what is left of grants: each once, and the owner's own where there is no other."""
    return list(dict.fromkeys(pairs)) or [(OWNER_ID, "FULL_CONTROL")]


@examples(40)
@given(pairs=grants())
@example(pairs=[])
def test_any_policy_of_a_bucket(bucket: Home, pairs: list[tuple[str, str]]) -> None:
    bucket.client.put_bucket_acl(**bucket.at, AccessControlPolicy=policy(OWNER_ID, pairs))

    acl = bucket.client.get_bucket_acl(**bucket.at)
    assert shown(acl) == once(pairs)
    # What was read can be written back, and is the same again.
    bucket.client.put_bucket_acl(**bucket.at, AccessControlPolicy=acl)
    assert shown(bucket.client.get_bucket_acl(**bucket.at)) == once(pairs)


@examples(30)
@given(pairs=grants(OBJECT_PERMISSIONS))
def test_any_policy_of_an_object(bucket: Home, pairs: list[tuple[str, str]]) -> None:
    bucket.client.put_object_acl(**bucket.of("k"), AccessControlPolicy=policy(OWNER_ID, pairs))

    assert shown(bucket.client.get_object_acl(**bucket.of("k"))) == once(pairs)


def _spelled(who: str, spelling: str) -> str:
    """Return the grantee as a header may name it."""
    root, user = re.findall("uin/([0-9]+)", who)
    short = root if root == user else f"{root}/{user}"
    return {"short": f'id="{short}"', "old": f'uin="{short}"', "whole": f'id="{who}"'}[spelling]


@examples(40)
@given(
    pairs=grants().map(lambda found: [pair for pair in found if not pair[0].startswith("http")][:40]),
    spelling=st.sampled_from(["short", "old", "whole"]),
    comma=st.sampled_from([",", ", ", " ,  "]),
    is_object=st.booleans(),
)
def test_any_grants_in_headers(
    bucket: Home, pairs: list[tuple[str, str]], spelling: str, comma: str, is_object: bool
) -> None:
    pairs = [pair for pair in pairs if not is_object or pair[1] != "WRITE"]
    named: dict[str, str] = {}
    for who, permission in pairs:
        name = GRANT_OPTIONS[permission]
        named[name] = comma.join([*filter(None, [named.get(name)]), _spelled(who, spelling)])
    client = bucket.client

    if is_object:
        client.put_object_acl(**bucket.of("k"), ACL="private", **named)
        acl = client.get_object_acl(**bucket.of("k"))
    else:
        client.put_bucket_acl(**bucket.at, ACL="private", **named)
        acl = client.get_bucket_acl(**bucket.at)

    assert sorted(shown(acl)) == sorted(once(pairs))


def test_too_many_grants_are_refused(bucket: Home) -> None:
    pairs = [(f"qcs::cam::uin/{number}:uin/{number}", "READ") for number in range(1, 102)]

    with pytest.raises(errors.Refused, match="100"):
        bucket.client.put_bucket_acl(**bucket.at, AccessControlPolicy=policy(OWNER_ID, pairs))


@examples(40)
@given(rules=st.lists(CORS_RULES, min_size=1, max_size=5))
def test_any_cors(bucket: Home, rules: list[dict[str, Any]]) -> None:
    bucket.client.put_bucket_cors(**bucket.at, CORSRules=rules)

    kept = bucket.client.get_bucket_cors(**bucket.at)["CORSRule"]

    assert [{name: rule[name] for name in rules[0]} for rule in kept] == rules
    bucket.client.put_bucket_cors(**bucket.at, CORSRules=kept)
    assert bucket.client.get_bucket_cors(**bucket.at)["CORSRule"] == kept


@examples(5)
@given(rule=CORS_RULES, count=st.sampled_from([1, 99, 100, 101]))
@example(rule={"AllowedOrigin": ["*"], "AllowedMethod": ["GET"], "ID": "r"}, count=100)
@example(rule={"AllowedOrigin": ["*"], "AllowedMethod": ["GET"], "ID": "r"}, count=101)
def test_up_to_a_hundred_rules(bucket: Home, rule: dict[str, Any], count: int) -> None:
    if count > 100:
        with pytest.raises(errors.Refused):
            bucket.client.put_bucket_cors(**bucket.at, CORSRules=[rule] * count)
        return
    bucket.client.put_bucket_cors(**bucket.at, CORSRules=[rule] * count)

    assert len(bucket.client.get_bucket_cors(**bucket.at)["CORSRule"]) == count


def _fits(pattern: str, value: str) -> bool:
    return re.fullmatch(re.escape(pattern.lower()).replace(r"\*", ".*"), value.lower()) is not None


def allowed(rules: list[dict[str, Any]], origin: str, method: str, names: list[str]) -> dict[str, str] | None:
    """Return what the first matching rule lets a browser do."""
    for rule in rules:
        is_match = (
            method in rule["AllowedMethod"]
            and any(_fits(pattern, origin) for pattern in rule["AllowedOrigin"])
            and all(any(_fits(pattern, name) for pattern in rule["AllowedHeader"]) for name in names)
        )
        if is_match:
            return {
                "AccessControlAllowOrigin": "*" if "*" in rule["AllowedOrigin"] else origin,
                "AccessControlAllowCredentials": "" if "*" in rule["AllowedOrigin"] else "true",
                "AccessControlAllowMethods": ",".join(rule["AllowedMethod"]),
                "AccessControlExposeHeaders": ",".join(rule["ExposeHeader"]),
                "AccessControlMaxAge": rule["MaxAgeSeconds"],
            }
    return None


@examples(80)
@given(
    rules=st.lists(CORS_RULES, min_size=1, max_size=3),
    origin=st.sampled_from(ORIGINS),
    method=st.sampled_from(METHODS),
    names=st.lists(st.sampled_from(["x-a", "X-a", "x-b", "x-c", "content-type"]), max_size=2),
)
def test_first_matching_rule_answers(
    bucket: Home, rules: list[dict[str, Any]], origin: str, method: str, names: list[str]
) -> None:
    bucket.client.put_bucket_cors(**bucket.at, CORSRules=rules)

    answer = bucket.client.options_object(
        **bucket.of("k"),
        Origin=origin,
        AccessControlRequestMethod=method,
        AccessControlRequestHeaders=", ".join(names),
    )

    expected = allowed(rules, origin, method, names)
    assert answer["OptionsForbidden"] is (expected is None)
    assert {name: answer[name] for name in expected or ()} == (expected or {})


@examples(40)
@given(tags=TAGS)
@example(tags=[{"Key": " a ", "Value": " "}, {"Key": "é", "Value": ""}, {"Key": "e\u0301", "Value": "=+"}])
def test_any_tags(bucket: Home, tags: list[dict[str, str]]) -> None:
    bucket.client.put_bucket_tagging(**bucket.at, Tags=tags)

    assert bucket.client.get_bucket_tagging(**bucket.at)["Tags"] == tags
