from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils.html import escape

from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.grants import EVERYONE, SIGNED_IN, Acl, Grant, Permission, account_grantee
from apps.storage.store import ObjectStore
from tests.access.editor import fields_of, left, opened, row
from tests.conftest import REGION

READ, WRITE = Permission.READ, Permission.WRITE
PARTNER = account_grantee("100000000099")


@pytest.fixture
def url(connection: Connection, bucket: str) -> str:
    return f"/b/{connection.slug}/{bucket}/access/"


def acl_of(store: ObjectStore, bucket: str) -> Acl:
    return store.get_bucket_acl(bucket=bucket, region=REGION)


def grant(store: ObjectStore, bucket: str, *grants: Grant) -> None:
    acl = Acl(acl_of(store, bucket).owner, grants)
    store.put_bucket_acl(bucket=bucket, region=REGION, acl=acl)


def test_everyone_who_writes_is_said_although_tools_say_private(
    member_client: Client, store: ObjectStore, bucket: str, url: str
) -> None:
    grant(store, bucket, Grant(EVERYONE, WRITE), Grant(PARTNER, READ))

    page = member_client.get(url).text

    assert "Everyone on the internet can upload, overwrite and delete every object." in page
    assert "Account 100000000099 can list all keys" in page
    assert "call this private" in page
    assert "Public write" in page
    assert "URI=http://cam.qcloud.com/groups/global/AllUsers" in page
    assert "The owner, account 100000000001, can do everything" in page


def test_named_grants_are_saved_after_a_review(
    owner_client: Client, store: ObjectStore, bucket: str, url: str
) -> None:
    rows = [
        row("account", "READ", "100000000099"),
        row("sub-account", "WRITE", "100000000001", "100000000011"),
    ]

    review = owner_client.post(url, left(opened(owner_client, url), *rows) | {"step": "review"})

    assert review.status_code == 200
    assert "Account 100000000099 will be able to list all keys" in review.text
    assert acl_of(store, bucket).explicit == ()
    saved = owner_client.post(url, fields_of(review.text) | {"step": "save"})

    assert saved.status_code == 302
    assert set(acl_of(store, bucket).explicit) == {
        Grant(PARTNER, READ),
        Grant(account_grantee("100000000001", "100000000011"), WRITE),
    }
    assert "Access now: Shared with 2." in owner_client.get(url).text


@pytest.mark.parametrize("permission", list(Permission))
def test_every_permission_can_be_granted(
    owner_client: Client, store: ObjectStore, bucket: str, url: str, permission: Permission
) -> None:
    fields = left(opened(owner_client, url), row("account", permission, "100000000099"))

    owner_client.post(url, fields | {"step": "save"})

    assert acl_of(store, bucket).explicit == (Grant(PARTNER, permission),)


@pytest.mark.parametrize(
    ("canned", "expected"),
    [
        ("public-read", {Grant(EVERYONE, READ)}),
        ("public-read-write", {Grant(EVERYONE, READ), Grant(EVERYONE, WRITE)}),
        ("authenticated-read", {Grant(SIGNED_IN, READ)}),
    ],
)
def test_opening_needs_the_typed_word(
    owner_client: Client, store: ObjectStore, bucket: str, url: str, canned: str, expected: set[Grant]
) -> None:
    fields = left(opened(owner_client, url), choice=canned) | {"step": "save"}

    for typed in ("", "publik"):
        refused = owner_client.post(url, fields | {"confirm": typed})
        assert refused.status_code == 422
        assert "Type public to confirm" in refused.text
    assert acl_of(store, bucket).explicit == ()

    assert owner_client.post(url, fields | {"confirm": " Public "}).status_code == 302
    assert set(acl_of(store, bucket).explicit) == expected
    # Closing it again exposes nobody, so that nothing is typed for it.
    closing = left(opened(owner_client, url), choice="private") | {"step": "save"}
    assert owner_client.post(url, closing).status_code == 302
    assert acl_of(store, bucket).explicit == ()


def test_reason_for_opening_is_kept_through_a_slip_and_in_the_log(
    owner_client: Client, bucket: str, url: str
) -> None:
    why = "The press kit, “2026” <b>" + "x" * 400
    fields = left(opened(owner_client, url), choice="public-read") | {"step": "save", "reason": why}

    slip = owner_client.post(url, fields | {"confirm": "publik"})
    saved = owner_client.post(url, fields | {"confirm": "public"})

    assert escape(why) in slip.text
    assert saved.status_code == 302
    assert json.loads(Entry.objects.get(verb="bucket.acl").after)["reason"] == why[:300]


def test_review_of_opening_shows_keys_and_those_that_look_secret_first(
    owner_client: Client, bucket: str, url: str, put: Callable[..., str]
) -> None:
    for key in ("a.txt", "b.txt", "z/backup.sql"):
        put(key)

    fields = left(opened(owner_client, url), row("everyone", "WRITE"), row("everyone"))
    page = owner_client.post(url, fields).text

    assert "3 keys become visible" in page
    assert "1 has a name that looks like a secret" in page
    assert page.index("z/backup.sql") < page.index("a.txt")
    assert "can replace and delete what is in it" in page
    assert "Make it public" in page


def test_opening_for_writing_alone_claims_no_visibility(
    owner_client: Client, bucket: str, url: str, put: Callable[..., str]
) -> None:
    put("a.txt")
    put("b.txt")

    page = owner_client.post(url, left(opened(owner_client, url), row("everyone", "WRITE"))).text

    assert "It concerns 2 keys, also those with grants of their own." in page
    assert "become visible" not in page


def test_count_is_bounded_and_says_so(
    owner_client: Client, bucket: str, url: str, put: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.access.services.exposure.LOOKED_AT_MAX", 2)
    for key in ("a", "b", "c"):
        put(key)

    page = owner_client.post(url, left(opened(owner_client, url), choice="public-read")).text

    assert "2 or more keys become visible" in page


def test_somebody_elses_change_is_not_overwritten(
    owner_client: Client, store: ObjectStore, bucket: str, url: str
) -> None:
    fields = left(opened(owner_client, url), row("account", "READ", "100000000099"))
    grant(store, bucket, Grant(account_grantee("100000000077"), WRITE))

    for step in ("review", "save"):
        conflict = owner_client.post(url, fields | {"step": step})
        assert conflict.status_code == 409
        for words in ("What you saw", "What the store holds now", "What you wanted", "100000000077"):
            assert words in conflict.text
    assert acl_of(store, bucket).explicit == (Grant(account_grantee("100000000077"), WRITE),)

    review = owner_client.post(url, hidden(conflict.text) | {"step": "review"})
    assert "Account 100000000099 will be able to" in review.text
    assert "100000000077 will" not in review.text
    owner_client.post(url, fields_of(review.text) | {"step": "save"})
    assert set(acl_of(store, bucket).explicit) == {
        Grant(account_grantee("100000000077"), WRITE),
        Grant(PARTNER, READ),
    }


def hidden(page: str) -> dict[str, str]:
    """Return the fields of the form that goes on after a conflict."""
    return fields_of('class="access-review"' + page[page.index('name="seen"') - 100 :])


def test_second_click_saves_nothing_and_says_the_same(
    owner_client: Client, store: ObjectStore, bucket: str, url: str, local_store: LocalStore
) -> None:
    fields = left(opened(owner_client, url), row("account", "READ", "100000000099")) | {"step": "save"}

    assert owner_client.post(url, fields).status_code == 302
    local_store.faults.add("error", operation="PutBucketAcl", count=None, status=500)
    assert owner_client.post(url, fields).status_code == 302

    assert acl_of(store, bucket).explicit == (Grant(PARTNER, READ),)


def test_nothing_to_change_is_said(owner_client: Client, url: str) -> None:
    page = owner_client.post(url, opened(owner_client, url) | {"step": "review"})

    assert page.status_code == 422
    assert "Nothing would change" in page.text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (row("account", "READ", "abc"), "Enter the number (uin) of the root account"),
        (row("account", "WRITE"), "Enter the number (uin) of the root account"),
        (row("sub-account", "READ", "100000000099", "x"), "Enter the number (uin) of the sub-account"),
        (row("account", "READ", "100000000099", "100000000011"), "Choose “Sub-account” for this number"),
        (row("account", "READ", "100000000001"), "This is the owner"),
        (row("account", "RESTORE", "100000000099"), "Select a valid choice"),
        (row("account", "READ", "１００００００００９９"), "Enter the number (uin) of the root account"),
    ],
)
def test_bad_row_is_explained_and_kept(
    owner_client: Client, store: ObjectStore, bucket: str, url: str, given: dict[str, str], said: str
) -> None:
    page = owner_client.post(url, left(opened(owner_client, url), given))

    assert page.status_code == 422
    assert said in page.text
    assert not given["account"] or f'value="{given["account"]}"' in page.text
    assert acl_of(store, bucket).explicit == ()


def test_root_and_sub_account_may_be_pasted_together(
    owner_client: Client, store: ObjectStore, bucket: str, url: str
) -> None:
    fields = left(opened(owner_client, url), row("sub-account", "READ", "100000000099/100000000011"))

    owner_client.post(url, fields | {"step": "save"})

    assert acl_of(store, bucket).explicit == (Grant(account_grantee("100000000099", "100000000011"), READ),)


def test_empty_row_is_no_grant_and_repeated_ones_are_one(
    owner_client: Client, store: ObjectStore, bucket: str, url: str
) -> None:
    rows = [row("account"), row("account", "READ", "100000000099"), row("account", "READ", "100000000099")]

    owner_client.post(url, left(opened(owner_client, url), *rows) | {"step": "save"})

    assert acl_of(store, bucket).explicit == (Grant(PARTNER, READ),)


def test_more_grants_than_possible_are_refused(owner_client: Client, url: str) -> None:
    rows = [row("account", "READ", str(100000000100 + number)) for number in range(101)]

    page = owner_client.post(url, left(opened(owner_client, url), *rows))

    assert page.status_code == 422
    assert "At most 100 grants are possible." in page.text


def test_rows_are_added_and_removed_without_a_script(owner_client: Client, url: str) -> None:
    fields = left(opened(owner_client, url), row("account", "READ", "12"), row("everyone", "WRITE"))

    more = fields_of(owner_client.post(url, fields | {"step": "add"}).text)
    fewer = fields_of(owner_client.post(url, fields | {"remove": "0"}).text)

    assert more["grant-TOTAL_FORMS"] == "3"
    assert more["grant-0-account"] == "12"
    assert fewer["grant-TOTAL_FORMS"] == "1"
    assert fewer["grant-0-kind"] == "everyone"


def test_htmx_gets_the_table_alone(owner_client: Client, url: str) -> None:
    fields = left(opened(owner_client, url), choice="private") | {"step": "add"}

    page = owner_client.post(url, fields, headers={"HX-Request": "true"}).text

    assert page.lstrip().startswith('<div id="acl-fields">')
    assert 'value="named" checked' in page


@pytest.mark.parametrize(
    "seen", ["", "{}", "[]", "nonsense", '{"owner":1}', json.dumps({"owner": ["x", "", ""]})]
)
def test_form_that_saw_nothing_saves_nothing(
    owner_client: Client, store: ObjectStore, bucket: str, url: str, seen: str
) -> None:
    fields = left(opened(owner_client, url), choice="public-read") | {"seen": seen, "confirm": "public"}

    page = owner_client.post(url, fields | {"step": "save"})

    assert page.status_code == 422
    assert acl_of(store, bucket).explicit == ()


@pytest.mark.parametrize("total", ["", "x", "99999", pytest.param("9" * 5000, id="long")])
@pytest.mark.parametrize("step", ["add", "save"])
def test_table_without_a_length_is_no_accident(
    owner_client: Client, store: ObjectStore, bucket: str, url: str, total: str, step: str
) -> None:
    fields = left(opened(owner_client, url), row("everyone")) | {"grant-TOTAL_FORMS": total}

    page = owner_client.post(url, fields | {"step": step, "confirm": "public"})

    assert page.status_code in {200, 422}
    assert acl_of(store, bucket).explicit == ()


def test_denied_read_is_unknown_and_not_private(
    owner_client: Client, url: str, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="GetBucketAcl", count=None, status=403, code="AccessDenied")

    page = owner_client.get(url)

    assert page.status_code == 403
    assert "That is not “private”" in page.text
    assert "AccessDenied" in page.text
    assert "reach-unknown" in page.text


def test_throttled_store_keeps_what_was_typed(
    owner_client: Client, store: ObjectStore, bucket: str, url: str, local_store: LocalStore
) -> None:
    fields = left(opened(owner_client, url), row("account", "READ", "100000000099"))
    local_store.faults.add("error", operation="PutBucketAcl", count=None, status=403, code="AccessDenied")

    failed = owner_client.post(url, fields | {"step": "save"})
    local_store.faults.clear()

    assert failed.status_code == 403
    assert "AccessDenied" in failed.text
    assert owner_client.post(url, fields_of(failed.text) | {"step": "save"}).status_code == 302
    assert acl_of(store, bucket).explicit == (Grant(PARTNER, READ),)

    fields = left(opened(owner_client, url), row("account", "READ", "100000000088"))
    local_store.faults.add("error", operation="GetBucketAcl", count=None, status=403, code="AccessDenied")
    unread = owner_client.post(url, fields | {"step": "save"})
    assert unread.status_code == 403
    assert 'value="100000000088"' in unread.text


def test_saved_grants_that_cannot_be_read_back_are_said(
    owner_client: Client, store: ObjectStore, bucket: str, url: str, local_store: LocalStore
) -> None:
    fields = left(opened(owner_client, url), row("account", "READ", "100000000099")) | {"step": "save"}
    local_store.faults.add(
        "error", operation="GetBucketAcl", skip=2, count=1, status=403, code="AccessDenied"
    )

    page = owner_client.post(url, fields, follow=True)

    assert "did not let the grants be read again" in page.text
    assert acl_of(store, bucket).explicit == (Grant(PARTNER, READ),)


def test_stranger_gets_404(stranger_client: Client, url: str) -> None:
    assert stranger_client.get(url).status_code == 404
    assert stranger_client.post(url).status_code == 404


@pytest.mark.parametrize("who", ["member_client", "writer_client"])
def test_who_is_no_administrator_looks_and_changes_nothing(
    who: str, request: pytest.FixtureRequest, store: ObjectStore, bucket: str, url: str
) -> None:
    client: Client = request.getfixturevalue(who)
    page = client.get(url).text

    assert "this needs the role “Administrator”" in page
    assert "<fieldset disabled>" in page
    fields = left(fields_of(page), choice="public-read") | {"confirm": "public", "step": "save"}
    assert client.post(url, fields).status_code == 403
    assert acl_of(store, bucket).explicit == ()


def test_missing_bucket_is_not_found(owner_client: Client, connection: Connection) -> None:
    assert owner_client.get(f"/b/{connection.slug}/nothing-1250000000/access/").status_code == 404
