from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.batches.columns import OpaqueKeyField
from apps.batches.selection import Selection, selection_of
from apps.connections.models import Connection
from apps.jobs.models import Job


class Action(models.TextChoices):
    """What is done to each object."""

    DELETE = "delete", _("Delete")
    COPY = "copy", _("Copy")
    MOVE = "move", _("Move")
    RENAME = "rename", _("Rename")
    ACCESS = "access", _("Change access")
    HEADERS = "headers", _("Change headers")
    EMPTY = "empty", _("Empty bucket")


class Batch(models.Model):
    """The detail of a job that does one thing to many objects: its selection, its plan and its ledger.

        options wanted ──> listing ──> planned ──(confirmed)──> running ──> done

    The states are those of the job. While it is PLANNING, `options_at` says whether the person has answered
    what the action asks; then tasks list the selection, and `plan_source` and `plan_marker` say how far they
    are: a page of the ledger and its place are written in one transaction. `frozen_at` is when the list was
    complete: what was stored later is not touched. From `confirmed_at` on the options do not change.
    `figures` is what the plan found, counted once. `undo_of` is the batch whose old values this one writes
    back. `pace` is how many requests are under way at once; a store that asks to slow down lowers it.
    `cut_at` is when the ledger was cut into spans; `lease_until` is held by whoever lists it, or ends the
    batch. Copies may go to another connection, `target_connection`; its slug is in the options as well, so
    that a connection that was deleted since is not taken for the own one.
    """

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="batch")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="batches")
    target_connection = models.ForeignKey(
        Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="batches_in"
    )
    bucket = models.CharField(max_length=100)
    region = models.CharField(max_length=50)
    action = models.CharField(max_length=20, choices=Action.choices)
    selected = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    options_at = models.DateTimeField(null=True, blank=True)
    undo_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="undone_by"
    )
    plan_source = models.PositiveIntegerField(default=0)
    plan_marker = OpaqueKeyField(blank=True, default="")
    frozen_at = models.DateTimeField(null=True, blank=True)
    figures = models.JSONField(default=dict)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    pace = models.PositiveSmallIntegerField(default=0)
    cut_at = models.DateTimeField(null=True, blank=True)
    throttled_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"{self.action} in {self.bucket}"

    @property
    def selection(self) -> Selection:
        return selection_of(self.selected)

    @property
    def does_copy(self) -> bool:
        return self.action in (Action.COPY, Action.MOVE, Action.RENAME)

    @property
    def does_delete(self) -> bool:
        return self.action in (Action.DELETE, Action.EMPTY)

    @property
    def needs_options(self) -> bool:
        return not self.does_delete and self.options_at is None

    @property
    def goes_to(self) -> Connection:
        """The connection of the copies."""
        return self.target_connection or self.connection

    @property
    def is_target_gone(self) -> bool:
        return "connection" in self.options and self.target_connection_id is None

    def option(self, name: str, default: Any = None) -> Any:
        return self.options.get(name, default)


class BatchObject(models.Model):
    """A line of the ledger: one object, what was to happen to it, and what did.

        planned ──> done | failed | skipped
           └──> read ──> done | failed            (what was there is kept before it is replaced or deleted)
           └──> copied ──> read ──> done | failed (move: the copy is verified before the source is deleted)

    A worker that is killed leaves a line in the state from which the same requests are safe to repeat.
    `size` is bytes. `target` is the key of the copy; `target_etag` is the object that the plan saw there, the
    only one that may be replaced. `rank` counts the objects of the plan that meet in one target. `before` and
    `after` are JSON text, because a JSON column refuses some characters; an undo has in `wanted` what it
    writes back, and in `expected` what it must find. `upload_id` is set while a large object is copied in
    parts: then a Complete or an Abort is owed.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        READ = "read", _("Under way")
        COPIED = "copied", _("Copied")
        DONE = "done", _("Done")
        FAILED = "failed", _("Error")
        SKIPPED = "skipped", _("Skipped")

    OPEN = (State.PLANNED, State.READ, State.COPIED)

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="objects_listed")
    key = OpaqueKeyField()
    size = models.BigIntegerField(default=0)
    etag = models.CharField(max_length=100, blank=True)
    storage_class = models.CharField(max_length=40, blank=True)
    modified_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    target = OpaqueKeyField(blank=True, default="")
    target_etag = models.CharField(max_length=100, blank=True, default="")
    rank = models.PositiveIntegerField(default=1)
    wanted = models.TextField(blank=True, default="")
    expected = models.TextField(blank=True, default="")
    before = models.TextField(blank=True, default="")
    after = models.TextField(blank=True, default="")
    upload_id = models.CharField(max_length=200, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=100, blank=True, default="")
    error_message = models.TextField(blank=True, default="")
    request_id = models.CharField(max_length=200, blank=True, default="")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["batch", "key"], name="batch_object_unique"),)
        indexes = (models.Index(fields=["batch", "state", "id"], name="batch_object_state"),)

    def __str__(self) -> str:
        return str(self.key)


class BatchSpan(models.Model):
    """Neighboring lines of a ledger, by their ids, that one worker at a time works on until none is open.

        free <──> held ──> ended

    A worker that is killed loses it by not renewing `lease_until`.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="spans")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    ended_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("first",)
        constraints = (models.UniqueConstraint(fields=["batch", "first"], name="batch_span_unique"),)

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


class BatchSeat(models.Model):
    """A place at a batch for one worker at a time. `turn` counts up with each of its tasks that began."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="seats")
    number = models.PositiveSmallIntegerField()
    turn = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=["batch", "number"], name="batch_seat_unique"),)

    def __str__(self) -> str:
        return f"seat {self.number}"
