"""The tags of a bucket: typed or pasted, checked against the service's limits, never overwritten unseen."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.utils.html import escape

from apps.access.models import TagsSeen
from apps.access.rules.tags import tags_pasted
from apps.activity.models import Entry
from apps.connections.models import Connection
from apps.localstore.server import LocalStore
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag, tags_digest
from tests.conftest import REGION

TEAM, ENV = Tag("team", "web"), Tag("env", "production")


@pytest.fixture
def url(connection: Connection, bucket: str) -> str:
    return f"/b/{connection.slug}/{bucket}/tags/"


@pytest.fixture
def saved(store: ObjectStore, bucket: str) -> tuple[Tag, ...]:
    store.put_bucket_tags(bucket=bucket, region=REGION, tags=[TEAM, ENV])
    return store.get_bucket_tags(bucket=bucket, region=REGION)


def typed(*tags: Tag, do: str, seen: str = "", **more: str) -> dict[str, str]:
    data = {"do": do, "seen": seen, "lines": str(len(tags)), **more}
    for number, tag in enumerate(tags):
        data |= {f"t{number}-key": tag.key, f"t{number}-value": tag.value}
    return data


def now_in(store: ObjectStore, bucket: str) -> set[Tag]:
    return set(store.get_bucket_tags(bucket=bucket, region=REGION))


def test_tags_are_shown_to_readers(member_client: Client, url: str, saved: tuple[Tag, ...]) -> None:
    page = member_client.get(url).content.decode()

    assert 'value="team"' in page
    assert "This needs the role “Administrator”." in page
    assert TagsSeen.objects.get().tags == [["team", "web"], ["env", "production"]]


def test_saved_in_two_steps_and_recorded(
    owner_client: Client, url: str, saved: tuple[Tag, ...], store: ObjectStore, bucket: str
) -> None:
    wanted = [Tag("team", "shop"), Tag("成本", "4711"), Tag("", "")]

    review = owner_client.post(url, typed(*wanted, do="review", seen=tags_digest(saved)))
    response = owner_client.post(url, {**review.context["payload"], "do": "save"})

    kinds = {(one.kind, one.key) for one in review.context["differences"]}
    assert kinds == {("changed", "team"), ("added", "成本"), ("removed", "env")}
    assert response.status_code == 302
    assert now_in(store, bucket) == {Tag("team", "shop"), Tag("成本", "4711")}
    assert Entry.objects.filter(verb="bucket.tags", bucket=bucket).exists()


@pytest.mark.parametrize(
    ("tag", "sentence"),
    [
        (Tag("", "value"), "Type a key, or remove this line."),
        (Tag("k" * 128, ""), "A key has at most 127 characters; this one has 128."),
        (Tag("key", "v" * 256), "A value has at most 255 characters; this one has 256."),
        (Tag("qcs:x", ""), "A key cannot begin with “qcs:”"),
        (Tag("项目一", ""), "A key cannot begin with “项目”"),
        (Tag("a/b*", ""), "“*” is not allowed."),
        (Tag("a", "b\u0007"), "“U+0007” is not allowed."),
        (Tag("team", "again"), "This key comes more than once."),
    ],
)
def test_what_the_service_would_refuse_is_told_beside_the_field(
    owner_client: Client, url: str, saved: tuple[Tag, ...], tag: Tag, sentence: str
) -> None:
    response = owner_client.post(url, typed(TEAM, tag, do="review", seen=tags_digest(saved)))

    assert response.status_code == 422
    assert escape(sentence) in response.content.decode()
    assert 'value="web"' in response.content.decode()


def test_more_than_the_service_keeps_are_told(owner_client: Client, url: str) -> None:
    many = [Tag(f"k{number}", "") for number in range(51)]

    page = owner_client.post(url, typed(*many, do="review")).content.decode()

    assert "These are 51 tags; a bucket has at most 50." in page
    assert 'value="k50"' in page


def test_lines_are_added_and_removed_without_saving(
    owner_client: Client, url: str, saved: tuple[Tag, ...], store: ObjectStore, bucket: str
) -> None:
    added = owner_client.post(url, typed(TEAM, ENV, do="add"))
    removed = owner_client.post(url, typed(TEAM, ENV, do="remove:0"))
    beyond = owner_client.post(url, typed(TEAM, do="remove:7"))

    assert [line.tag for line in added.context["lines"]] == [TEAM, ENV, Tag("", "")]
    assert [line.tag for line in removed.context["lines"]] == [ENV]
    assert [line.tag for line in beyond.context["lines"]] == [TEAM]
    assert now_in(store, bucket) == {TEAM, ENV}


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("a=1\nb = 2\n\nc: 3\nd\t4\te", [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4\te")]),
        (
            "qcs:a=1\nb:2\nurl: https://x.example/?a=b",
            [("qcs:a", "1"), ("b", "2"), ("url", "https://x.example/?a=b")],
        ),
        ("url=https://x.example/?a=b", [("url", "https://x.example/?a=b")]),
        ("'a': \"1\",", [("a", "1")]),
        ('{"a": "1", "b": 2, "c": true}', [("a", "1"), ("b", "2"), ("c", "true")]),
        ('[{"Key": "a", "Value": "1"}]', [("a", "1")]),
    ],
)
def test_pasted_text_is_understood(text: str, tags: list[tuple[str, str]]) -> None:
    pasted = tags_pasted(text)

    assert [(tag.key, tag.value) for tag in pasted.tags] == tags
    assert pasted.problems == ()


def test_pasted_lines_that_are_no_tags_are_named() -> None:
    assert "Line 2" in tags_pasted("a=1\nnonsense\nb=2").problems[0]
    assert "more than once" in tags_pasted("a=1\na=2").problems[0]
    assert "cannot be read as JSON" in tags_pasted("{a").problems[0]
    assert "no tags" in tags_pasted("[1]").problems[0]


def test_paste_shows_first_and_then_fills_the_lines(owner_client: Client, url: str) -> None:
    data = typed(TEAM, ENV, pasted="team=shop\nenv=production\nnew=1\nqcs:no=1", do="paste")

    shown = owner_client.post(url, data)
    taken = owner_client.post(url, data | {"do": "take"})

    assert [state for _line, state in shown.context["pasted_rows"]] == ["other", "same", "new", "new"]
    assert "A key cannot begin with" in shown.content.decode()
    assert [line.tag for line in shown.context["lines"]] == [TEAM, ENV]
    assert [line.tag.value for line in taken.context["lines"]] == ["shop", "production", "1", "1"]


def test_somebody_elses_change_is_shown_and_nothing_is_lost(
    owner_client: Client, url: str, saved: tuple[Tag, ...], store: ObjectStore, bucket: str
) -> None:
    review = owner_client.post(url, typed(Tag("mine", "1"), do="review", seen=tags_digest(saved)))
    store.put_bucket_tags(bucket=bucket, region=REGION, tags=[Tag("theirs", "2")])

    conflict = owner_client.post(url, {**review.context["payload"], "do": "save"})
    again = owner_client.post(url, {**conflict.context["payload"], "do": "save"})

    assert conflict.status_code == 409
    assert "Somebody changed the tags in the meantime" in conflict.content.decode()
    assert "theirs" in conflict.content.decode()
    assert again.status_code == 302
    assert now_in(store, bucket) == {Tag("mine", "1")}


def test_second_click_finds_what_the_first_one_saved(
    owner_client: Client, url: str, saved: tuple[Tag, ...], store: ObjectStore, bucket: str
) -> None:
    review = owner_client.post(url, typed(Tag("mine", "1"), do="review", seen=tags_digest(saved)))
    data = {**review.context["payload"], "do": "save"}

    answers = [owner_client.post(url, data).status_code for _click in range(2)]

    assert answers == [302, 302]
    assert now_in(store, bucket) == {Tag("mine", "1")}
    assert Entry.objects.filter(verb="bucket.tags", bucket=bucket).count() == 1


def test_store_that_fails_keeps_what_was_typed(
    owner_client: Client, url: str, saved: tuple[Tag, ...], local_store: LocalStore
) -> None:
    local_store.faults.add("error", operation="GetBucketTagging", count=None, status=403, code="AccessDenied")

    typing = owner_client.post(url, typed(Tag("mine", "1"), do="review", seen=tags_digest(saved)))
    document = json.dumps([["mine", "1"]])
    saving = owner_client.post(url, {"document": document, "seen": tags_digest(saved), "do": "save"})

    for response in (typing, saving):
        page = response.content.decode()
        assert response.status_code == 403
        assert "AccessDenied" in page
        assert 'value="mine"' in page
        assert f'name="seen" value="{tags_digest(saved)}"' in page


def test_no_tags_at_all_remove_them(
    owner_client: Client, url: str, saved: tuple[Tag, ...], store: ObjectStore, bucket: str
) -> None:
    review = owner_client.post(url, typed(do="review", seen=tags_digest(saved)))
    owner_client.post(url, {**review.context["payload"], "do": "save"})

    assert "All tags are removed." in review.content.decode()
    assert now_in(store, bucket) == set()


def test_damaged_page_removes_nothing(
    owner_client: Client, url: str, saved: tuple[Tag, ...], store: ObjectStore, bucket: str
) -> None:
    for document in ("", "{}", "[1]", json.dumps([["a", 1]]), json.dumps([["\ud800", ""]])):
        response = owner_client.post(url, {"document": document, "seen": tags_digest(saved), "do": "save"})

        assert response.status_code == 302
    assert now_in(store, bucket) == {TEAM, ENV}


def test_refusal_of_the_store_keeps_what_was_typed(
    owner_client: Client, url: str, saved: tuple[Tag, ...], local_store: LocalStore
) -> None:
    review = owner_client.post(url, typed(Tag("mine", "1"), do="review", seen=tags_digest(saved)))
    fault = {"operation": "PutBucketTagging", "status": 403, "code": "AccessDenied", "count": None}
    local_store.faults.add("error", **fault)

    response = owner_client.post(url, {**review.context["payload"], "do": "save"})

    assert response.status_code == 422
    assert "AccessDenied" in response.content.decode()
    assert "mine" in response.content.decode()


def test_other_buckets_suggest_keys_and_values(
    member_client: Client,
    url: str,
    connection: Connection,
    store: ObjectStore,
    bucket: str,
    local_store: LocalStore,
) -> None:
    for name in ("one", "two", "three"):
        other = f"{name}-{bucket}"
        store.create_bucket(bucket=other, region=REGION, tags=[TEAM])
    member_client.get("/buckets/")

    page = member_client.get(f"{url}suggestions/").content.decode()
    local_store.faults.add("error", operation="GetBucketTagging", count=None, status=403)
    again = member_client.get(f"{url}suggestions/").content.decode()

    for answer in (page, again):
        assert '<option value="team">' in answer
        assert 'label="team: web"' in answer


def test_roles(stranger_client: Client, member_client: Client, writer_client: Client, url: str) -> None:
    data = typed(TEAM, do="review")

    assert stranger_client.get(url).status_code == 404
    assert stranger_client.get(f"{url}suggestions/").status_code == 404
    for client in (member_client, writer_client):
        assert client.get(url).status_code == 200
        assert client.post(url, data).status_code == 403
