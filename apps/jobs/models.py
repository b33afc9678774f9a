from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.jobs.rules import NEVER_BEGUN, error_sentence

if TYPE_CHECKING:
    from apps.accounts.models import Person


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, person: Person) -> JobQuerySet:
        return self if person.is_superuser else self.filter(owner=person)

    def active(self) -> JobQuerySet:
        return self.filter(state__in=Job.ACTIVE)

    def topmost(self) -> JobQuerySet:
        """Leave the files of a batch to the page of their batch."""
        return self.filter(parent=None)


class Job(models.Model):
    """One row per thing a person started: the record of it, whatever Redis forgets.

        planning ──> planned ──(confirmed)──> queued ──> running <──> paused
                                                          │  └────> parked ──(retry)──> running
                                                          v
                                                      finishing ──> done ──(retry of what failed)──> running
        any of these but done ──> canceling ──> canceled

    Planned means: a person has to confirm what is listed. Parked means: stopped by an error, nothing is lost,
    a person decides. `feature` is the URL namespace of the app that owns the work, and with it the pause,
    resume, retry and cancel of the job. A job counts bytes or objects (`unit`). `objects_done` are those that
    were dealt with, `objects_failed` among them; a total of 0 objects is not known yet. A job with a `parent`
    is one file of several that were sent together; lists show the parent.
    """

    class State(models.TextChoices):
        PLANNING = "planning", _("Planning")
        PLANNED = "planned", _("Waiting for confirmation")
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        PARKED = "parked", _("Needs attention")
        FINISHING = "finishing", _("Finishing")
        DONE = "done", _("Done")
        CANCELING = "canceling", _("Canceling")
        CANCELED = "canceled", _("Canceled")

    class Kind(models.TextChoices):
        UPLOAD = "upload", _("Upload")
        UPLOAD_MANY = "upload-many", _("Upload files")
        COPY = "copy", _("Copy")
        MOVE_ONE = "move-one", _("Move")
        DELETE = "delete", _("Delete objects")
        COPY_MANY = "copy-many", _("Copy objects")
        MOVE = "move", _("Move objects")
        RENAME = "rename", _("Rename")
        ACCESS = "access", _("Change access")
        HEADERS = "headers", _("Change headers")
        EMPTY = "empty", _("Empty bucket")
        ABORT_UPLOADS = "abort-uploads", _("Abort uploads")
        WALK = "walk", _("Count objects")

    class Unit(models.TextChoices):
        BYTES = "bytes", _("Bytes")
        OBJECTS = "objects", _("Objects")

    ENDED = (State.DONE, State.CANCELED)
    ACTIVE = (
        State.PLANNING,
        State.PLANNED,
        State.QUEUED,
        State.RUNNING,
        State.PAUSED,
        State.PARKED,
        State.FINISHING,
        State.CANCELING,
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    feature = models.CharField(max_length=20)
    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="jobs")
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="children"
    )
    title = models.CharField(max_length=1000)
    place = models.CharField(max_length=2000)
    bytes_total = models.BigIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
    unit = models.CharField(max_length=10, choices=Unit.choices, default=Unit.BYTES)
    objects_total = models.BigIntegerField(default=0)
    objects_done = models.BigIntegerField(default=0)
    objects_failed = models.BigIntegerField(default=0)
    error_code = models.CharField(max_length=100, blank=True)
    error_message = models.TextField(blank=True)
    error_request_id = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=["owner", "-created_at"]),
            models.Index(fields=["state", "-created_at"]),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.title}"

    @property
    def error_text(self) -> str:
        return error_sentence(self.error_code, self.error_message)

    @property
    def error_said(self) -> str:
        """The store's own words, where the sentence is ours."""
        return "" if self.error_text == self.error_message else self.error_message

    @property
    def state_text(self) -> str:
        if self.has_failures:
            return gettext("Done with errors")
        if self.is_incomplete:
            return gettext("Incomplete")
        return self.get_state_display()

    @property
    def has_failures(self) -> bool:
        return self.state == self.State.DONE and self.objects_failed > 0

    @property
    def is_incomplete(self) -> bool:
        """Whether some of the files that were announced were never begun."""
        return self.state == self.State.DONE and self.error_code == NEVER_BEGUN

    @property
    def never_begun(self) -> int:
        return self.objects_total - self.objects_done

    @property
    def is_batch(self) -> bool:
        """Whether this stands for many files, each of them a job below it."""
        return self.kind == self.Kind.UPLOAD_MANY

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE
