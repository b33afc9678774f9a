"""One saving of a bucket's or an object's settings at a time, in every process of the console."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.access.models import SavingClaim
from apps.storage.errors import Unavailable
from apps.storage.facts import facts_digest

# A store's client tries again for a while before it gives up; a claim outlives that, and a killed process.
HELD_MAX = timedelta(minutes=3)
WAIT_S = 10.0
STEP_S = 0.05


@contextmanager
def saving_claimed(*, what: str, bucket: str, key: str = "") -> Iterator[None]:
    """Hold the settings of a place while they are compared and replaced: no store does both at once.

    `what` is the kind of the settings. The connection does not matter, because two may lead to one bucket.
    Whoever comes second waits, and then sees what the first one saved.
    Raises Unavailable when that takes more than ten seconds.
    """
    claim = _claim(facts_digest([what, bucket, key]))
    try:
        yield
    finally:
        claim.delete()


def _claim(place: str) -> SavingClaim:
    until = time.monotonic() + WAIT_S
    while True:
        SavingClaim.objects.filter(place=place, expires_at__lt=timezone.now()).delete()
        try:
            with transaction.atomic():
                return SavingClaim.objects.create(place=place, expires_at=timezone.now() + HELD_MAX)
        except IntegrityError:
            if time.monotonic() > until:
                raise Unavailable(_("Somebody else is saving this right now.")) from None
        time.sleep(STEP_S)
