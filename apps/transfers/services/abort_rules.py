"""Rules that abort old unfinished uploads once a day, for keys that may not set a lifecycle."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from apps.activity.services import activity_record
from apps.connections.models import Connection, Role
from apps.transfers.models import AbortRule
from apps.transfers.services.upload_walks import rule_walk_start

if TYPE_CHECKING:
    from apps.accounts.models import Person

EVERY = timedelta(days=1)
# A run that lies further ahead than this was written before the clock was set back.
CLOCKS_DIFFER = timedelta(minutes=15)


def rule_save(connection: Connection, *, owner: Person, bucket: str, days: int) -> AbortRule:
    """This will turn a place's rule on, or change it. Its next run comes within a minute or so."""
    with transaction.atomic():
        rule, _is_new = AbortRule.objects.update_or_create(
            connection=connection,
            bucket=bucket,
            defaults={"days": days, "is_on": True, "owner": owner, "run_at": None},
        )
        _record(rule, owner, {"older_than_days": days, "is_on": True})
    return rule


def rule_off(rule: AbortRule, *, person: Person | None) -> None:
    """This will stop a rule; a run that is under way ends after its page."""
    with transaction.atomic():
        if AbortRule.objects.filter(pk=rule.pk, is_on=True).update(is_on=False):
            _record(rule, person, {"older_than_days": rule.days, "is_on": False})


def rules_run(now: datetime) -> None:
    """This will begin the runs that are due. Of two workers that ask at the same moment one begins each.

    The age that a run goes by is that of the store's own times. A clock that is wrong by more than a quarter
    of an hour makes the store refuse every request, so that one that jumps ahead aborts nothing young.
    """
    for rule in AbortRule.objects.filter(is_on=True).select_related("connection", "owner"):
        # At once: a worker that is killed between the two would cost the rule a day.
        with transaction.atomic():
            if _is_due(rule, now) and _claim(rule, now):
                _run(rule, now)


def _is_due(rule: AbortRule, now: datetime) -> bool:
    if rule.run_at is None or rule.run_at > now + CLOCKS_DIFFER:
        return True
    return now - rule.run_at >= EVERY


def _claim(rule: AbortRule, now: datetime) -> bool:
    return bool(AbortRule.objects.filter(pk=rule.pk, is_on=True, run_at=rule.run_at).update(run_at=now))


def _run(rule: AbortRule, now: datetime) -> None:
    if rule.connection.role_of(rule.owner) != Role.ADMIN or not rule.owner.is_active:
        # Who set it up may not do this any more, and nobody else has said that it shall go on.
        rule_off(rule, person=None)
        return
    if not rule.walks.filter(finished_at=None).exists():
        rule_walk_start(rule, before=now - timedelta(days=rule.days))


def _record(rule: AbortRule, person: Person | None, after: dict[str, object]) -> None:
    activity_record(
        person=person,
        verb="upload.rule",
        connection=rule.connection.slug,
        bucket=rule.bucket,
        after=after,
    )
