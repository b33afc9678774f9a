"""Any access, any CORS rules and any tags that the store takes come back, and go back unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.localstore.accounts import Account
from apps.localstore.server import LocalStore
from apps.storage.cors import Cors, CorsRule
from apps.storage.grants import EVERYONE, SIGNED_IN, Grant, Permission, account_grantee
from apps.storage.registry import store_open
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag, tags_digest
from apps.storage.types import Credentials, Endpoint
from tests.examples import examples

KEY = Credentials("AKIDSETTINGS", "settings-secret")
AT = {"bucket": "settings-1250000000", "region": "ap-guangzhou"}

UINS = st.integers(10**5, 10**13).map(str)
GRANTEES = st.sampled_from([EVERYONE, SIGNED_IN]) | st.builds(account_grantee, UINS, st.just("") | UINS)
GRANTS = st.builds(Grant, GRANTEES, st.sampled_from(Permission))
NAMES = st.from_regex(r"[A-Za-z0-9-]{1,20}", fullmatch=True)
ORIGINS = st.just("*") | st.builds("{0}://{1}".format, st.sampled_from(["http", "https", "app"]), NAMES)
PRINTABLE = st.text(st.characters(exclude_categories=["C"]), max_size=20)
RULES = st.builds(
    CorsRule,
    origins=st.lists(ORIGINS, min_size=1, max_size=4).map(tuple),
    methods=st.lists(st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]), min_size=1).map(tuple),
    allowed_headers=st.lists(NAMES | st.just("*") | NAMES.map("{}*".format), max_size=4).map(tuple),
    exposed_headers=st.lists(NAMES, max_size=4).map(tuple),
    max_age_s=st.none() | st.integers(0, 10**9),
    id=PRINTABLE,
)
LETTERS = st.characters(categories=["L", "N"]) | st.sampled_from(" +-=._:/@")
TAG_KEYS = st.text(LETTERS, min_size=1, max_size=127).filter(
    lambda key: key.strip() and not key.startswith(("qcs:", "project", "项目"))
)
TAG = st.builds(Tag, TAG_KEYS, st.text(LETTERS, max_size=255))
TAGS = st.lists(TAG, min_size=1, max_size=8, unique_by=lambda tag: tag.key)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    accounts = [Account(secret_id=KEY.secret_id, secret_key=KEY.secret_key)]
    server = LocalStore(tmp_path_factory.mktemp("store"), accounts)
    server.start()
    endpoint = Endpoint("http", connect_to=f"127.0.0.1:{server.port}")
    store = store_open("cos", credentials=KEY, endpoint=endpoint)
    store.create_bucket(**AT)
    yield store
    server.stop()


@examples(25)
@given(grants=st.lists(GRANTS, max_size=8))
def test_access_survives(store: ObjectStore, grants: list[Grant]) -> None:
    wanted = replace(store.get_bucket_acl(**AT), grants=tuple(grants))

    store.put_bucket_acl(**AT, acl=wanted)
    seen = store.get_bucket_acl(**AT)
    store.put_bucket_acl(**AT, acl=seen)

    assert set(seen.explicit) == set(wanted.explicit)
    assert seen.digest == wanted.digest
    assert store.get_bucket_acl(**AT) == seen


@examples(25)
@given(rules=st.lists(RULES, max_size=4))
def test_cors_rules_survive(store: ObjectStore, rules: list[CorsRule]) -> None:
    store.put_bucket_cors(**AT, cors=Cors(tuple(rules)))

    seen = store.get_bucket_cors(**AT)
    store.put_bucket_cors(**AT, cors=seen)

    assert seen == Cors(tuple(rules))
    assert store.get_bucket_cors(**AT) == seen


@examples(25)
@given(tags=TAGS)
def test_tags_survive(store: ObjectStore, tags: list[Tag]) -> None:
    store.put_bucket_tags(**AT, tags=tags)

    seen = store.get_bucket_tags(**AT)

    assert tags_digest(seen) == tags_digest(tags)
