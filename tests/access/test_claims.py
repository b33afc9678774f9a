"""Two people save the same settings at the same moment: one of them waits, and sees what the other did."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.access.models import SavingClaim
from apps.access.services.acl import Place, acl_read, acl_replace
from apps.access.services.claims import saving_claimed
from apps.access.services.cors import cors_save
from apps.access.services.tags import tags_save
from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.storage.cors import Cors, CorsRule
from apps.storage.errors import Unavailable
from apps.storage.grants import EVERYONE, Acl, Grant, Permission
from apps.storage.store import ObjectStore
from apps.storage.tags import Tag, tags_digest
from tests.conftest import REGION

NOW = timezone.now()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.access.services.claims.WAIT_S", 0.1)


def test_grants_are_not_written_while_somebody_else_saves_them(
    owner: Person, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    place = Place(store, bucket, REGION)
    seen = acl_read(place)
    wanted = Acl(seen.owner, (Grant(EVERYONE, Permission.READ),))

    with saving_claimed(what="acl", bucket=bucket), pytest.raises(Unavailable):
        acl_replace(place, person=owner, connection=connection, seen=seen.digest, wanted=wanted)
    held = acl_read(place)
    saved = acl_replace(place, person=owner, connection=connection, seen=seen.digest, wanted=wanted)

    assert held == seen
    assert saved is not None
    assert saved.digest == wanted.digest
    assert not SavingClaim.objects.exists()


def test_rules_and_tags_are_not_written_while_somebody_else_saves_them(
    owner: Person, connection: Connection, store: ObjectStore, bucket: str
) -> None:
    at = {"connection": connection, "bucket": bucket, "region": REGION, "person": owner, "now": NOW}
    rule = CorsRule(origins=("https://a.example.com",), methods=("GET",))

    with saving_claimed(what="cors", bucket=bucket), pytest.raises(Unavailable):
        cors_save(**at, rules=[rule], seen=Cors().digest)  # type: ignore[arg-type]
    with saving_claimed(what="tags", bucket=bucket), pytest.raises(Unavailable):
        tags_save(**at, tags=[Tag("a", "b")], seen=tags_digest(()))  # type: ignore[arg-type]

    assert store.get_bucket_cors(bucket=bucket, region=REGION) == Cors()
    assert store.get_bucket_tags(bucket=bucket, region=REGION) == ()


def test_other_places_do_not_wait(db: None) -> None:
    with (
        saving_claimed(what="acl", bucket="b"),
        saving_claimed(what="acl", bucket="b", key="k"),
        saving_claimed(what="cors", bucket="b"),
        saving_claimed(what="acl", bucket="c"),
    ):
        assert SavingClaim.objects.count() == 4


def test_claim_of_a_killed_process_ends_by_itself(db: None) -> None:
    with saving_claimed(what="acl", bucket="b"):
        SavingClaim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        with saving_claimed(what="acl", bucket="b"):
            assert SavingClaim.objects.count() == 1


def test_claim_ends_with_an_error(db: None) -> None:
    with pytest.raises(ValueError, match="broken"), saving_claimed(what="acl", bucket="b"):
        raise ValueError("broken")

    assert not SavingClaim.objects.exists()
