from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.jobs.rules import error_sentence

if TYPE_CHECKING:
    from apps.accounts.models import Person


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, person: Person) -> JobQuerySet:
        return self if person.is_superuser else self.filter(owner=person)

    def active(self) -> JobQuerySet:
        return self.filter(state__in=Job.ACTIVE)


class Job(models.Model):
    """One row per thing a person started: the record of it, whatever Redis forgets.

        queued ──> running <──> paused
                      │  └────> parked ──(retry)──> running
                      v
                  finishing ──> done
        any of these but done ──> canceling ──> canceled

    Parked means: stopped by an error, nothing is lost, a person decides. `feature` is the URL namespace of
    the app that owns the work, and with it the pause, resume, retry and cancel of the job.
    """

    class State(models.TextChoices):
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
        COPY = "copy", _("Copy")

    ACTIVE = (State.QUEUED, State.RUNNING, State.PAUSED, State.PARKED, State.FINISHING, State.CANCELING)
    ENDED = (State.DONE, State.CANCELED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    feature = models.CharField(max_length=20)
    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="jobs")
    title = models.CharField(max_length=1000)
    place = models.CharField(max_length=2000)
    bytes_total = models.BigIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
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
    def is_active(self) -> bool:
        return self.state in self.ACTIVE
