"""Choosing which way files take into a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from apps.activity.services import activity_record
from apps.connections.models import Connection
from apps.transfers.models import UploadPolicy
from apps.transfers.paths import policy_of

if TYPE_CHECKING:
    from apps.accounts.models import Person


def policy_set(
    *, connection: Connection, bucket: str, policy: UploadPolicy.Policy, is_for_all: bool, person: Person
) -> None:
    """This will choose the way of files that begin from now on; those under way keep theirs.

    With `is_for_all` the choice is the connection's, and the bucket's own one is forgotten.
    """
    with transaction.atomic():
        before = policy_of(connection, bucket)
        if is_for_all:
            UploadPolicy.objects.filter(connection=connection, bucket=bucket).delete()
        UploadPolicy.objects.update_or_create(
            {"policy": policy}, connection=connection, bucket="" if is_for_all else bucket
        )
    activity_record(
        person=person,
        verb="bucket.upload-policy",
        connection=connection.slug,
        bucket="" if is_for_all else bucket,
        before={"policy": before},
        after={"policy": policy},
    )
