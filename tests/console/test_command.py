from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Person
from apps.connections.models import Connection, KnownBucket
from apps.connections.places import place_star
from apps.jobs.models import Job
from apps.storage.keys import key_query

BUCKET = "holiday-photos-1250000000"


@pytest.fixture
def known(owner: Person, connection: Connection) -> None:
    now = timezone.now()
    KnownBucket.objects.create(connection=connection, name=BUCKET, region="ap-guangzhou", seen_at=now)
    place_star(
        person=owner, connection=connection, bucket=BUCKET, prefix="2026/june/", is_favorite=True, now=now
    )
    Job.objects.create(kind=Job.Kind.COPY, feature="transfers", owner=owner, title="beach.jpg", place="p")


def links(client: Client, text: str, here: str = "") -> dict[str, str]:
    response = client.get(reverse("command"), {"q": text, "here": here})
    return {item.label: item.url for group in response.context["groups"] for item in group.items}


def test_bucket_is_found_by_a_part_of_its_name(
    owner_client: Client, connection: Connection, known: None
) -> None:
    assert links(owner_client, "PHOTOS")[BUCKET] == reverse("objects:list", args=[connection.slug, BUCKET])


def test_favorites_jobs_connections_and_pages_are_found(owner_client: Client, known: None) -> None:
    assert f"{BUCKET}/2026/june/" in links(owner_client, "june")
    assert "beach.jpg" in links(owner_client, "beach")
    assert "Local" in links(owner_client, "loc")
    assert links(owner_client, "new buck")["New bucket"] == reverse("buckets:create")


def test_bucket_and_key_lead_to_the_object(owner_client: Client, connection: Connection, known: None) -> None:
    found = links(owner_client, f"{BUCKET}/a b/c?.txt")

    detail = reverse("objects:detail", args=[connection.slug, BUCKET])
    assert found["Object a b/c?.txt"] == f"{detail}?key=a%20b/c%3F.txt"
    assert "Folder a b/c?.txt/" in found


def test_address_that_somebody_sent_leads_to_the_object_and_to_who_can_open_it(
    owner_client: Client, connection: Connection, known: None
) -> None:
    address = f"https://{BUCKET}.cos.ap-guangzhou.myqcloud.com/a%20b/c.txt"

    found = links(owner_client, f" {address}?q-signature=0123456789 ")

    detail = reverse("objects:detail", args=[connection.slug, BUCKET])
    assert found["Object a b/c.txt"] == f"{detail}?key=a%20b/c.txt"
    assert found["Who can open this?"] == f"{reverse('access:explain')}?url={key_query(address)}"


def test_address_of_a_stranger_s_bucket_is_not_known(
    stranger_client: Client, connection: Connection, known: None
) -> None:
    found = links(stranger_client, f"https://{BUCKET}.cos.ap-guangzhou.myqcloud.com/c.txt")

    assert list(found) == ["Who can open this?"]


def test_page_of_a_bucket_offers_what_can_be_done_there(
    owner_client: Client, member_client: Client, connection: Connection, known: None
) -> None:
    here = reverse("objects:list", args=[connection.slug, BUCKET]) + "?prefix=a%20b/"

    mine, theirs = links(owner_client, "", here), links(member_client, "", here)

    assert mine["New folder"].endswith("?prefix=a%20b/")
    assert "New folder" not in theirs
    assert "History" in theirs
    assert links(owner_client, "x", here)["Names starting with “x”"].endswith("?prefix=a%20b/&find=x")


def test_stranger_finds_nothing_of_others(
    stranger_client: Client, connection: Connection, known: None
) -> None:
    here = reverse("objects:list", args=[connection.slug, BUCKET])
    for text in ("", "photos", f"{BUCKET}/a", "june", "beach", "loc"):
        response = stranger_client.get(reverse("command"), {"q": text, "here": here})

        assert not any(
            connection.slug in item.url or "photos" in item.label.replace(text, "")
            for group in response.context["groups"]
            for item in group.items
        )


@pytest.mark.parametrize(
    "text", ["\0", "%", "/", "//", "x" * 1500, "<script>alert(1)</script>", "\u202e"], ids=range(7)
)
def test_any_text_gets_an_answer(owner_client: Client, known: None, text: str) -> None:
    response = owner_client.get(reverse("command"), {"q": text, "here": f"/b/local/{BUCKET}/objects/"})

    assert response.status_code == 200
    assert "<script>alert" not in response.text


def test_fragment_holds_the_options_alone(owner_client: Client, known: None) -> None:
    text = owner_client.get(reverse("command"), {"q": "photos"}, headers={"HX-Request": "true"}).text

    assert 'role="option"' in text
    assert "<html" not in text
