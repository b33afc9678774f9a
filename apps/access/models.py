from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.access.rules.cors import Question
from apps.access.rules.cors_documents import record_read
from apps.access.rules.cors_words import question_text
from apps.connections.models import Connection
from apps.storage.cors import Cors


class CorsVersion(models.Model):
    """One saving of a bucket's CORS rules: who, when, and the whole document before and after.

    The documents are JSON as `rules.cors_documents` writes it; the digests are those of `storage.cors.Cors`.
    """

    class Kind(models.TextChoices):
        SAVE = "save", _("Saved")
        ROLL_BACK = "roll-back", _("Rolled back")

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="cors_versions")
    bucket = models.CharField(max_length=100)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SAVE)
    before = models.JSONField()
    after = models.JSONField()
    before_digest = models.CharField(max_length=64)
    after_digest = models.CharField(max_length=64)
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ("-saved_at", "-pk")
        indexes = (models.Index(fields=["connection", "bucket", "-saved_at"], name="cors_version_bucket"),)

    def __str__(self) -> str:
        return f"{self.bucket} {self.saved_at}"

    @property
    def cors_before(self) -> Cors:
        return record_read(self.before)

    @property
    def cors_after(self) -> Cors:
        return record_read(self.after)


class PinnedTest(models.Model):
    """What a browser must, or must not, be told about a bucket; asked after each change of its CORS rules.

    `headers` are names joined by commas. The state is that of the last run: what the store said was as
    expected, was not, or could not be learnt.

        new → passed | failed | unanswered, and from each to each with every run
    """

    class State(models.TextChoices):
        NEW = "new", _("Not run yet")
        PASSED = "passed", _("Passed")
        FAILED = "failed", _("Failed")
        UNANSWERED = "unanswered", _("No answer")

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="pinned_tests")
    bucket = models.CharField(max_length=100)
    key = models.TextField()
    origin = models.CharField(max_length=500)
    method = models.CharField(max_length=20)
    headers = models.TextField(blank=True)
    is_allowed = models.BooleanField()
    pinned_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    pinned_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    run_at = models.DateTimeField(null=True, blank=True)
    code = models.CharField(max_length=100, blank=True)
    request_id = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("origin", "method", "headers", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["connection", "bucket", "key", "origin", "method", "headers"],
                name="pinned_test_unique",
            ),
        )

    def __str__(self) -> str:
        return question_text(self.question, is_allowed=self.is_allowed)

    @property
    def question(self) -> Question:
        return Question(self.origin, self.method, tuple(name for name in self.headers.split(",") if name))


class TagsSeen(models.Model):
    """The tags of a bucket when they were last read, to suggest them elsewhere. Never shown as the truth.

    `tags` is a list of pairs of key and value.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="tags_seen")
    bucket = models.CharField(max_length=100)
    tags = models.JSONField(default=list)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("bucket",)
        constraints = (models.UniqueConstraint(fields=["connection", "bucket"], name="tags_seen_unique"),)

    def __str__(self) -> str:
        return self.bucket


class SavingClaim(models.Model):
    """Somebody is saving the settings of a place, which `place` is a digest of. Gone when that is done.

    One that is past `expires_at` was left behind by a process that was killed.
    """

    place = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.place
