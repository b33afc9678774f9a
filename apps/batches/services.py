"""What a person does to a batch: begin it, answer what it asks, confirm it, stop it, try failures again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.activity.services import activity_record
from apps.batches.models import Action, Batch, BatchObject
from apps.batches.rules import STALE_AFTER
from apps.batches.selection import Match, Selection
from apps.batches.spans import spans_forget
from apps.connections.models import Connection, Role
from apps.jobs.models import Job
from apps.jobs.services import job_create, job_move
from apps.storage.errors import Denied
from apps.storage.keys import visible
from apps.storage.sizes import size_text

if TYPE_CHECKING:
    from apps.accounts.models import Person

KINDS = {
    Action.DELETE: Job.Kind.DELETE,
    Action.COPY: Job.Kind.COPY_MANY,
    Action.MOVE: Job.Kind.MOVE,
    Action.RENAME: Job.Kind.RENAME,
    Action.ACCESS: Job.Kind.ACCESS,
    Action.HEADERS: Job.Kind.HEADERS,
    Action.EMPTY: Job.Kind.EMPTY,
}
STOPPABLE = (
    Job.State.PLANNING,
    Job.State.PLANNED,
    Job.State.QUEUED,
    Job.State.RUNNING,
    Job.State.PAUSED,
    Job.State.PARKED,
)


class SelectionRefused(Exception):
    """Nothing is selected, or more than this action may touch. The text is for the person."""


class StateChanged(Exception):
    """The job is not in a state in which this can be done; somebody or something was faster."""


class PlanStale(Exception):
    """The plan is too old to be confirmed."""


def batch_create(
    *,
    owner: Person,
    connection: Connection,
    bucket: str,
    region: str,
    action: str,
    selection: Selection,
    undo_of: Batch | None = None,
) -> Batch:
    """This will record what a person wants to do to which objects. Nothing is listed or changed yet.

    Raises SelectionRefused for an empty selection, and for the whole bucket unless it is to be emptied:
    a prefix that is missing by mistake must not delete everything.
    """
    _require_selection(action, selection)
    with transaction.atomic():
        job = job_create(
            kind=KINDS[Action(action)],
            feature="batches",
            owner=owner,
            title=bucket if action == Action.EMPTY else selection_text(selection)[:1000],
            place=bucket,
            unit=Job.Unit.OBJECTS,
            state=Job.State.PLANNING,
        )
        return Batch.objects.create(
            job=job,
            connection=connection,
            bucket=bucket,
            region=region,
            action=action,
            selected=selection.to_json(),
            undo_of=undo_of,
        )


def _require_selection(action: str, selection: Selection) -> None:
    if action == Action.EMPTY:
        return
    if selection.is_empty:
        raise SelectionRefused(_("Nothing is selected. Mark some objects or folders first."))
    if selection.match is not None and selection.match.is_whole_bucket:
        raise SelectionRefused(
            _(
                "This would be every object of the bucket. Open a folder, or search for the beginning of a "
                "name. To delete everything, empty the bucket on its own page."
            )
        )
    if any(not folder.endswith("/") or folder == "/" for folder in selection.folders):
        raise SelectionRefused(_("A folder ends with a slash, and has a name before it."))
    if action == Action.RENAME and (
        selection.match is not None or len(selection.keys) + len(selection.folders) != 1
    ):
        raise SelectionRefused(_("One at a time can be renamed: choose one object or one folder."))


def selection_text(selection: Selection) -> str:
    """Return in words what is selected, for the title of the job."""
    if selection.match is not None:
        return _match_text(selection.match)
    names = [*selection.folders, *selection.keys]
    if len(names) == 1:
        return visible(names[0])
    folders = ngettext("%(count)s folder", "%(count)s folders", len(selection.folders))
    objects = ngettext("%(count)s object", "%(count)s objects", len(selection.keys))
    parts = []
    if selection.keys:
        parts.append(objects % {"count": len(selection.keys)})
    if selection.folders:
        parts.append(folders % {"count": len(selection.folders)})
    return " + ".join(parts)


def _match_text(match: Match) -> str:
    place = visible(match.prefix + match.find)
    text = _("All that match in %(place)s") % {"place": f"{place}…"} if place else _("Everything")
    if match.contains:
        text += _(", name contains “%(text)s”") % {"text": visible(match.contains)}
    if match.endings:
        text += _(", name ends in %(endings)s") % {"endings": visible(", ".join(match.endings))}
    return text + "".join(_facts_text(match))


def _facts_text(match: Match) -> Iterator[str]:
    """Yield in words what an object must be besides its name."""
    if match.min_size is not None:
        yield _(", from %(size)s") % {"size": size_text(match.min_size)}
    if match.max_size is not None:
        yield _(", up to %(size)s") % {"size": size_text(match.max_size)}
    if match.after is not None:
        yield _(", changed from %(moment)s") % {"moment": _moment_text(match.after)}
    if match.before is not None:
        yield _(", changed before %(moment)s") % {"moment": _moment_text(match.before)}
    if match.storage_class:
        yield _(", class %(name)s") % {"name": visible(match.storage_class)}
    if match.is_flat:
        yield _(", without folders below")


def _moment_text(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"


def batch_options(
    batch: Batch,
    options: Mapping[str, Any],
    *,
    place: str,
    now: datetime,
    target: Connection | None = None,
) -> None:
    """This will record what the person answered, so that the listing can begin. Raises StateChanged.

    `target` is the connection of the copies where that is another one; then the options name it too.
    """
    if target is not None and target.pk == batch.connection_id:
        target = None
    options = dict(options) | ({} if target is None else {"connection": target.slug})
    waiting = Batch.objects.filter(pk=batch.pk, options_at=None, job__state=Job.State.PLANNING)
    if not waiting.update(options=options, options_at=now, target_connection=target):
        raise StateChanged
    Job.objects.filter(pk=batch.job_id).update(place=place[:2000])
    batch.options, batch.options_at, batch.target_connection = options, now, target


def batch_confirm(batch: Batch, options: Mapping[str, Any], *, person: Person, now: datetime) -> None:
    """This will let the plan run, with what the person decided on its page.

    Raises PlanStale for a plan that waited too long, and StateChanged for one that does not wait (any more).
    """
    if batch.frozen_at is None or now - batch.frozen_at > STALE_AFTER:
        raise PlanStale
    with transaction.atomic():
        _require(job_move(batch.job_id, to=Job.State.QUEUED, frm=[Job.State.PLANNED]))
        Batch.objects.filter(pk=batch.pk).update(
            options={**batch.options, **options}, confirmed_at=now, confirmed_by=person
        )
        said = {"action": batch.action, "selected": batch.job.title, "options": {**batch.options, **options}}
        batch_log(batch, "batch.confirm", person=person, after=said | _figures_said(batch))


def _figures_said(batch: Batch) -> dict[str, int]:
    return {"objects": batch.figures["objects"], "bytes": batch.figures["bytes"]}


def batch_log(batch: Batch, verb: str, *, person: Person, after: Mapping[str, Any]) -> None:
    """This will write down who let the batch run, or how it ended."""
    activity_record(
        person=person,
        verb=verb,
        connection=batch.connection.slug,
        bucket=batch.bucket,
        after=dict(after),
        job=batch.job_id,
    )


def batch_undo(batch: Batch, *, person: Person, now: datetime) -> Batch:
    """This will begin a plan that writes back what a batch replaced: grants, or headers.

    Each object is left alone that was changed again since. Raises StateChanged for a batch that has not
    ended, or that replaced nothing that its ledger could give back.
    """
    replaced = BatchObject.objects.filter(batch=batch, state=BatchObject.State.DONE).exclude(before="")
    _require(can_undo(batch) and replaced.exists())
    fresh = batch_create(
        owner=person,
        connection=batch.connection,
        bucket=batch.bucket,
        region=batch.region,
        action=batch.action,
        selection=batch.selection,
        undo_of=batch,
    )
    Batch.objects.filter(pk=fresh.pk).update(options_at=now)
    fresh.options_at = now
    return fresh


def can_undo(batch: Batch) -> bool:
    """Return whether this kind of batch can be undone, and has ended."""
    return batch.action in (Action.ACCESS, Action.HEADERS) and batch.job.state in Job.ENDED


def batch_replan(batch: Batch, *, person: Person) -> Batch:
    """This will begin a new plan of the same selection and options, and throw the old one away.

    Raises StateChanged unless the old one still waits.
    """
    with transaction.atomic():
        _require(job_move(batch.job_id, to=Job.State.CANCELED, frm=[Job.State.PLANNED]))
        fresh = batch_create(
            owner=person,
            connection=batch.connection,
            bucket=batch.bucket,
            region=batch.region,
            action=batch.action,
            selection=batch.selection,
            undo_of=batch.undo_of,
        )
        Batch.objects.filter(pk=fresh.pk).update(
            options=batch.options,
            options_at=batch.options_at,
            target_connection=batch.target_connection_id,
        )
        Job.objects.filter(pk=fresh.job_id).update(place=batch.job.place)
    fresh.refresh_from_db()
    return fresh


def batch_pause(batch: Batch) -> None:
    """This will stop before the next request; those under way are still counted."""
    _require(job_move(batch.job_id, to=Job.State.PAUSED, frm=[Job.State.QUEUED, Job.State.RUNNING]))


def batch_resume(batch: Batch) -> None:
    """This will let a paused batch go on from where it is."""
    _require(job_move(batch.job_id, to=Job.State.RUNNING, frm=[Job.State.PAUSED]))


def batch_cancel(batch: Batch) -> None:
    """This will do nothing further; what was done stays done. A task ends the job."""
    _require(job_move(batch.job_id, to=Job.State.CANCELING, frm=STOPPABLE))


def batch_retry(batch: Batch) -> None:
    """This will let a stopped batch go on, or have what failed of a finished one tried again, and only that.

    Raises StateChanged when there is nothing to try.
    """
    if batch.job.state == Job.State.PARKED:
        to = Job.State.RUNNING if batch.confirmed_at else Job.State.PLANNING
        cleared = {"error_code": "", "error_message": "", "error_request_id": ""}
        _require(job_move(batch.job_id, to=to, frm=[Job.State.PARKED], **cleared))
        return
    with transaction.atomic():
        _require(job_move(batch.job_id, to=Job.State.RUNNING, frm=[Job.State.DONE], finished_at=None))
        failed = BatchObject.objects.filter(batch=batch, state=BatchObject.State.FAILED)
        _require(bool(failed.update(state=BatchObject.State.PLANNED, attempts=0, ended_at=None)))
        spans_forget(batch)


def roles_needed(batch: Batch) -> list[tuple[Connection, Role]]:
    """Return what a person must be in which connection to plan this and to let it run.

    Whoever only copies need not be able to write where the sources are.
    """
    if batch.action == Action.EMPTY:
        return [(batch.connection, Role.ADMIN)]
    if batch.target_connection is None:
        is_open = batch.action == Action.COPY and batch.options_at is None
        return [(batch.connection, Role.READER if is_open else Role.WRITER)]
    source = Role.READER if batch.action == Action.COPY else Role.WRITER
    return [(batch.connection, source), (batch.target_connection, Role.WRITER)]


def role_require(batch: Batch) -> None:
    """Raise Denied when the person who began the batch may not do this any more."""
    if batch.is_target_gone:
        raise Denied(_("The connection that the copies go to was deleted."), code="TargetGone")
    for connection, needed in roles_needed(batch):
        role = connection.role_of(batch.job.owner)
        if role is None or role < needed or not batch.job.owner.is_active:
            raise Denied(
                _("Who started this has lost the role “%(role)s” for the connection “%(connection)s”.")
                % {"role": needed.label, "connection": connection.name},
                code="RoleLost",
            )


def _require(moved: bool) -> None:
    if not moved:
        raise StateChanged
