"""What the page “Who can open this?” concludes, above all where it must not conclude."""

from __future__ import annotations

import pytest

from apps.access.rules.answers import Answer, Explained
from apps.access.rules.verdicts import CLOSED, OPEN, UNCLEAR, Verdict
from apps.storage.errors import Denied
from apps.storage.grants import EVERYONE, SIGNED_IN, Acl, Permission
from tests.access.acls import PARTNER, SOMEBODY, acl

REFUSED: Answer[object] = Answer(error=Denied("Access Denied.", status=403, code="AccessDenied"))


def verdict(bucket_acl: Acl, own: Acl | None = None) -> Verdict:
    """Return what is concluded where nobody without a key gets in; with `own` about an object."""
    answers = {"bucket": Answer(), "bucket_acl": Answer(bucket_acl), "list_probe": REFUSED}
    if own is not None:
        answers |= {"info": Answer(), "acl": Answer(own), "probe": REFUSED}
    return Verdict(Explained(**answers), "" if own is None else "k")  # type: ignore[arg-type]


INHERITS = acl(is_inherited=True)


@pytest.mark.parametrize(
    ("bucket_acl", "own"),
    [
        (acl((SOMEBODY, Permission.READ)), None),
        (acl((PARTNER, "RESTORE")), None),
        (acl((SOMEBODY, Permission.READ)), INHERITS),
        (acl(), acl((SOMEBODY, Permission.READ))),
        (acl(), acl((EVERYONE, "RESTORE"))),
    ],
)
def test_grants_that_cannot_be_read_are_never_a_closed_door(bucket_acl: Acl, own: Acl | None) -> None:
    found = verdict(bucket_acl, own)

    assert found.tone == UNCLEAR
    assert found.headline == "Who can open this is not clear."
    assert any("does not know" in reason for reason in found.reasons)


@pytest.mark.parametrize("own", [None, INHERITS, acl()])
@pytest.mark.parametrize("permission", [Permission.WRITE, Permission.FULL_CONTROL])
def test_place_that_everyone_may_overwrite_is_open(own: Acl | None, permission: Permission) -> None:
    found = verdict(acl((EVERYONE, permission)), own)

    assert found.tone == OPEN
    assert any("Everyone on the internet can" in reason for reason in [found.headline, *found.reasons])


def test_what_any_account_may_overwrite_is_open() -> None:
    found = verdict(acl((SIGNED_IN, Permission.WRITE)), acl())

    assert found.tone == OPEN
    assert found.headline == "Only the owner can open this, but strangers can change it."
    assert any("overwrite" in reason for reason in found.reasons)


def test_unknown_grants_of_the_bucket_leave_an_object_with_its_own_alone() -> None:
    found = verdict(acl((SOMEBODY, Permission.READ)), acl())

    assert found.tone == CLOSED
    assert found.headline == "Only the owner can open this."
    assert any("bucket's grants name" in doubt for doubt in found.doubts)
