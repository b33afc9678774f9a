"""The page with the CORS rules: nothing typed is lost, nothing exposing is saved by accident."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.test import Client
from django.utils.html import escape

from apps.access.models import CorsVersion
from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.cors import Cors, CorsRule
from apps.storage.store import ObjectStore
from tests.conftest import REGION

APP = CorsRule(
    origins=("https://app.example.com",),
    methods=("PUT", "HEAD"),
    allowed_headers=("content-md5",),
    exposed_headers=("ETag",),
    max_age_s=600,
    id="app",
)
SITE = CorsRule(origins=("https://www.example.com",), methods=("GET",), max_age_s=600, id="site")


@pytest.fixture
def url(connection: Connection, bucket: str) -> str:
    return f"/b/{connection.slug}/{bucket}/cors/"


@pytest.fixture
def saved(store: ObjectStore, bucket: str) -> Cors:
    """Two rules that are there already."""
    cors = Cors(rules=(APP, SITE))
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=cors)
    return store.get_bucket_cors(bucket=bucket, region=REGION)


def typed(*rules: CorsRule, seen: str, do: str, **more: object) -> dict[str, object]:
    """Return what a browser posts for these rules when a button is pressed."""
    data: dict[str, object] = {"seen": seen, "rules": str(len(rules)), "do": do, **more}
    for number, rule in enumerate(rules):
        data |= {
            f"r{number}-id": rule.id,
            f"r{number}-origins": "\r\n".join(rule.origins),
            f"r{number}-methods": list(rule.methods),
            f"r{number}-allowed_headers": "\r\n".join(rule.allowed_headers),
            f"r{number}-exposed_headers": "\r\n".join(rule.exposed_headers),
            f"r{number}-max_age_s": "" if rule.max_age_s is None else str(rule.max_age_s),
            f"r{number}-extras": json.dumps(rule.extras) if rule.extras else "",
        }
    return data


def reviewed(client: Client, url: str, *rules: CorsRule, seen: str) -> dict[str, str]:
    """Go to the review page and return what its form holds."""
    response = client.post(url, typed(*rules, seen=seen, do="review"))
    assert response.status_code == 200, response.content.decode()
    payload: dict[str, str] = response.context["payload"]
    return payload


def now_in(store: ObjectStore, bucket: str) -> Cors:
    return store.get_bucket_cors(bucket=bucket, region=REGION)


def test_rules_are_shown_with_what_they_mean(member_client: Client, url: str, saved: Cors) -> None:
    page = member_client.get(url).content.decode()

    assert "https://app.example.com" in page
    assert "Pages of https://www.example.com may send GET without further headers." in page
    assert "This needs the role “Administrator”." in page


def test_buttons_rearrange_without_saving(
    owner_client: Client, url: str, saved: Cors, store: ObjectStore, bucket: str
) -> None:
    for do, ids in (
        ("down:0", ["site", "app"]),
        ("up:1", ["site", "app"]),
        ("duplicate:0", ["app", "app-2", "site"]),
        ("remove:0", ["site"]),
        ("add", ["app", "site", ""]),
        ("up:0", ["app", "site"]),
        ("down:99999999999999999999", ["app", "site"]),
        ("nonsense", ["app", "site"]),
    ):
        response = owner_client.post(url, typed(APP, SITE, seen=saved.digest, do=do))

        assert [row.form["id"].value() for row in response.context["rows"]] == ids, do
    assert now_in(store, bucket) == saved


def test_folded_rule_shows_that_it_is_dangerous(
    member_client: Client, url: str, store: ObjectStore, bucket: str
) -> None:
    names = ("a", "b", "c", "d")
    rules = [replace(APP, id=name, origins=(f"https://{name}.example",)) for name in names]
    everybody = replace(APP, id="e", origins=("*",))
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=Cors(rules=(*rules, everybody)))

    response = member_client.get(url)

    assert [row.is_open for row in response.context["rows"]] == [False] * 5
    assert [row.worst for row in response.context["rows"]] == ["", "", "", "", "danger"]


def test_fragment_is_the_editor_alone(owner_client: Client, url: str, saved: Cors) -> None:
    response = owner_client.post(url, typed(APP, seen=saved.digest, do="add"), headers={"HX-Request": "true"})

    page = response.content.decode()
    assert page.strip().startswith('<form id="cors-editor"')
    assert "<html" not in page


def test_saved_in_two_steps_and_recorded(
    owner_client: Client, url: str, saved: Cors, store: ObjectStore, bucket: str
) -> None:
    wider = replace(APP, methods=("PUT", "HEAD", "POST"))

    page = owner_client.post(url, typed(SITE, wider, seen=saved.digest, do="review")).content.decode()
    payload = reviewed(owner_client, url, SITE, wider, seen=saved.digest)
    response = owner_client.post(url, {**payload, "do": "save"})

    assert "method POST is added" in page
    assert "The order decides" in page
    assert response.status_code == 302
    assert now_in(store, bucket).rules == (SITE, replace(wider, methods=("PUT", "HEAD", "POST")))
    version = CorsVersion.objects.get()
    assert version.cors_before.digest == saved.digest
    assert Entry.objects.filter(verb="bucket.cors", bucket=bucket).exists()


@pytest.mark.parametrize(
    "origin", ["*", "https://*", "https://*.com", "https://*com", "https://*.", "https://app*", "http://*:80"]
)
def test_sites_of_anybody_with_writes_take_the_typed_word(
    owner_client: Client, url: str, saved: Cors, store: ObjectStore, bucket: str, origin: str
) -> None:
    open_to_all = replace(APP, origins=(origin,))
    payload = reviewed(owner_client, url, open_to_all, seen=saved.digest)

    refused = owner_client.post(url, {**payload, "do": "save", "confirm": "yes"})
    before = now_in(store, bucket)
    word = {"confirm": "Public", "reason": "A form for everybody"}
    accepted = owner_client.post(url, {**payload, "do": "save", **word})

    assert refused.status_code == 422
    assert "Type public to confirm." in refused.content.decode()
    assert before == saved
    assert accepted.status_code == 302
    assert now_in(store, bucket).rules == (open_to_all,)
    assert json.loads(Entry.objects.get(verb="bucket.cors").after)["reason"] == "A form for everybody"


def test_what_was_open_before_needs_no_word_again(
    owner_client: Client, url: str, store: ObjectStore, bucket: str
) -> None:
    open_to_all = replace(APP, origins=("*",))
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=Cors(rules=(open_to_all,)))
    seen = now_in(store, bucket).digest

    payload = reviewed(owner_client, url, SITE, open_to_all, seen=seen)

    assert owner_client.post(url, {**payload, "do": "save"}).status_code == 302


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"origins": ()}, "Type at least one origin."),
        ({"origins": ("app.example.com",)}, "has no scheme. Write https://app.example.com."),
        ({"origins": ("https://a.example.com/page",)}, "is an address."),
        ({"origins": ("https://*.a.*",)}, "more than one *"),
        ({"origins": ("https://例子.example",)}, "letters outside ASCII"),
        ({"origins": ("null",)}, "A store takes no “null”"),
        ({"methods": ()}, "Choose at least one method."),
        ({"methods": ("PATCH",)}, "The store knows no PATCH here, only GET"),
        ({"allowed_headers": ("content md5:",)}, "cannot be the name of a header"),
        ({"allowed_headers": ("x-*-*",)}, "more than one *"),
        ({"exposed_headers": ("*",)}, "must be named one by one"),
        ({"id": "x" * 256}, "A name has at most 255 characters."),
        ({"id": "site"}, "Another rule has this name, too."),
    ],
)
def test_what_the_store_would_refuse_is_told_beside_the_field(
    owner_client: Client, url: str, saved: Cors, change: dict[str, object], sentence: str
) -> None:
    response = owner_client.post(url, typed(replace(APP, **change), SITE, seen=saved.digest, do="review"))  # type: ignore[arg-type]

    page = response.content.decode()
    assert response.status_code == 422
    assert escape(sentence) in page
    assert "https://www.example.com" in page


def test_age_must_be_a_number(owner_client: Client, url: str, saved: Cors) -> None:
    data = typed(APP, seen=saved.digest, do="review") | {"r0-max_age_s": "ten"}

    response = owner_client.post(url, data)

    assert response.status_code == 422
    assert "Type a whole number of seconds" in response.content.decode()
    assert 'value="ten"' in response.content.decode()


def test_too_many_rules_and_too_large_a_document_are_told(owner_client: Client, url: str) -> None:
    digest = Cors().digest
    many = [replace(SITE, id=f"r{number}") for number in range(101)]
    large = [replace(SITE, origins=tuple(f"https://{n:06}.{'x' * 50}.example.com" for n in range(900)))]

    too_many = owner_client.post(url, typed(*many, seen=digest, do="review"))
    too_large = owner_client.post(url, typed(*large, seen=digest, do="review"))

    assert "at most 100" in too_many.content.decode()
    assert "bytes; a store takes at most 65,536" in too_large.content.decode()


def test_somebody_elses_change_is_shown_and_nothing_is_lost(
    owner_client: Client, url: str, saved: Cors, store: ObjectStore, bucket: str
) -> None:
    mine = replace(APP, id="mine")
    payload = reviewed(owner_client, url, mine, seen=saved.digest)
    theirs = Cors(rules=(replace(SITE, id="theirs"),))
    store.put_bucket_cors(bucket=bucket, region=REGION, cors=theirs)

    conflict = owner_client.post(url, {**payload, "do": "save"})
    page = conflict.content.decode()
    again = owner_client.post(url, {**conflict.context["payload"], "do": "save"})

    assert conflict.status_code == 409
    assert "Somebody changed the rules in the meantime" in page
    assert "“theirs”" in page
    assert "“mine”" in page
    assert again.status_code == 302
    assert now_in(store, bucket).rules == (mine,)


def test_second_click_finds_what_the_first_one_saved(
    owner_client: Client, url: str, saved: Cors, store: ObjectStore, bucket: str
) -> None:
    payload = reviewed(owner_client, url, APP, seen=saved.digest)

    answers = [owner_client.post(url, {**payload, "do": "save"}).status_code for _click in range(2)]

    assert answers == [302, 302]
    assert now_in(store, bucket).rules == (APP,)
    assert CorsVersion.objects.count() == 1


@pytest.mark.parametrize(
    "origin", ["https://*.example.com", "https://*-shop.example.com", "http://*.localhost"]
)
def test_hosts_of_one_domain_take_no_typed_word(
    owner_client: Client, url: str, saved: Cors, origin: str
) -> None:
    payload = reviewed(owner_client, url, replace(APP, origins=(origin,)), seen=saved.digest)

    assert owner_client.post(url, {**payload, "do": "save"}).status_code == 302


def test_store_that_fails_keeps_what_was_typed(
    owner_client: Client, url: str, saved: Cors, local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="GetBucketCors", count=None, status=403, code="AccessDenied")

    typing = owner_client.post(url, typed(replace(APP, id="mine"), seen=saved.digest, do="review"))
    document = json.dumps({"CORSRules": [{"ID": "mine", "AllowedOrigins": [], "AllowedMethods": []}]})
    saving = owner_client.post(url, {"document": document, "seen": saved.digest, "do": "save"})

    for response in (typing, saving):
        page = response.content.decode()
        assert response.status_code == 403
        assert "AccessDenied" in page
        assert 'value="mine"' in page
        assert f'name="seen" value="{saved.digest}"' in page


def test_no_rules_at_all_delete_the_document(
    owner_client: Client, url: str, saved: Cors, store: ObjectStore, bucket: str
) -> None:
    page = owner_client.post(url, typed(seen=saved.digest, do="review")).content.decode()
    payload = reviewed(owner_client, url, seen=saved.digest)
    owner_client.post(url, {**payload, "do": "save"})

    assert "All rules are removed." in page
    assert now_in(store, bucket) == Cors()
    assert Entry.objects.filter(verb="bucket.cors", bucket=bucket).exists()


def test_damaged_document_removes_nothing(
    owner_client: Client, url: str, saved: Cors, store: ObjectStore, bucket: str
) -> None:
    for document in ("", "{", "[[[[", '{"CORSRules": 1}', '{"CORSRules": [{"ID": "\\ud800"}]}'):
        response = owner_client.post(url, {"document": document, "seen": saved.digest, "do": "save"})

        assert response.status_code == 302
    assert now_in(store, bucket) == saved


def test_template_asks_for_one_site(owner_client: Client, url: str) -> None:
    data = typed(seen=Cors().digest, do="template", template="browser-upload")

    without = owner_client.post(url, data)
    starred = owner_client.post(url, data | {"template_origin": "https://*.example.com"})
    named = owner_client.post(url, data | {"template_origin": "https://app.example.com/"})

    assert "Type the origin of the site" in without.content.decode()
    assert "A template is for one site." in starred.content.decode()
    fields = named.context["rows"][0].form
    assert fields["origins"].value() == "https://app.example.com"
    assert "etag" in fields["exposed_headers"].value()


@pytest.mark.parametrize(
    "text",
    [
        '[{"AllowedOrigins": ["https://a.example"], "AllowedMethods": "GET", "MaxAgeSeconds": "5"}]',
        '{"CORSRule": [{"AllowedOrigin": "https://a.example", "AllowedMethod": ["GET"]}]}',
        '<?xml version="1.0"?><CORSConfiguration xmlns="http://x"><CORSRule><AllowedOrigin>https://a.example'
        "</AllowedOrigin><AllowedMethod>GET</AllowedMethod><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule>"
        "</CORSConfiguration>",
    ],
)
def test_pasted_rules_are_added(owner_client: Client, url: str, text: str) -> None:
    response = owner_client.post(url, typed(SITE, seen=Cors().digest, do="paste", pasted=text))

    assert [row.text for row in response.context["rows"]][1].startswith(
        "Pages of https://a.example may send GET"
    )


@pytest.mark.parametrize(
    "text", ["", "nothing", "{}", "[1]", "<a/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "[" * 5000]
)
def test_pasted_nonsense_gets_a_sentence_and_is_kept(owner_client: Client, url: str, text: str) -> None:
    response = owner_client.post(url, typed(SITE, seen=Cors().digest, do="paste", pasted=text))

    assert response.status_code == 422
    assert response.context["paste_form"].errors
    assert len(response.context["rows"]) == 1


def test_rules_are_tried_before_they_are_saved(owner_client: Client, url: str) -> None:
    data = typed(APP, seen=Cors().digest, do="try", try_origin="https://app.example.com", try_method="PUT")

    fits = owner_client.post(url, data | {"try_headers": "Content-MD5"}).content.decode()
    lacks = owner_client.post(url, data | {"try_headers": "x-cos-meta-a"}).content.decode()

    assert "Decided by rule 1 “app”." in fits
    assert "it fits the origin and the method, but not x-cos-meta-a" in lacks


def test_further_elements_of_a_rule_are_kept(owner_client: Client, url: str) -> None:
    special = replace(APP, extras=(("ResponseVary", "true"),))

    payload = reviewed(owner_client, url, special, seen=Cors().digest)

    assert ["ResponseVary", "true"] in json.loads(payload["document"])["CORSRules"][0]["Extra"]


def test_refusal_of_the_store_keeps_what_was_typed(
    owner_client: Client, url: str, saved: Cors, local_store: LocalStore
) -> None:
    payload = reviewed(owner_client, url, APP, seen=saved.digest)
    local_store.faults.add("error", operation="PutBucketCors", count=None, status=403, code="AccessDenied")

    response = owner_client.post(url, {**payload, "do": "save"})

    page = response.content.decode()
    assert response.status_code == 422
    assert "AccessDenied" in page
    assert "Request id" in page
    assert response.context["payload"]["document"] == payload["document"]
    assert not CorsVersion.objects.exists()


def test_earlier_rules_can_be_edited_again(
    owner_client: Client, url: str, saved: Cors, store: ObjectStore, bucket: str
) -> None:
    payload = reviewed(owner_client, url, APP, seen=saved.digest)
    owner_client.post(url, {**payload, "do": "save"})

    response = owner_client.get(url, {"version": str(CorsVersion.objects.get().pk)})

    assert [row.form["id"].value() for row in response.context["rows"]] == ["app", "site"]
    assert "Nothing is changed until you review and save them." in response.content.decode()


def test_roles(
    stranger_client: Client, member_client: Client, writer_client: Client, url: str, saved: Cors
) -> None:
    data = typed(APP, seen=saved.digest, do="review")

    assert stranger_client.get(url).status_code == 404
    assert stranger_client.post(url, data).status_code == 404
    for client in (member_client, writer_client):
        assert client.get(url).status_code == 200
        assert client.post(url, data).status_code == 403


def test_store_failure_is_told_in_words(owner_client: Client, url: str, local_store: LocalStore) -> None:
    local_store.faults.add("error", operation="GetBucketCors", count=None, status=403, code="AccessDenied")

    response = owner_client.get(url)

    assert response.status_code == 403
    assert "AccessDenied" in response.content.decode()
