from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.storage.multipart import PartPlan, plan_of
from apps.storage.types import ObjectRef
from apps.transfers.content import CopyDetail, NewObject, copy_detail_of, new_object_of


class Transfer(models.Model):
    """The detail of an upload or a copy: one object on its way into a bucket.

    An upload receives slices from a browser, or lets it send them to the store directly; a copy has a source,
    in this connection or in `source_connection`. All end in the same way: parts, one Complete, one
    comparison of CRC-64; a move then deletes its source. `wanted` is what the object gets besides its bytes.
    An upload that somebody else began and a person took over is adopted: of its first parts no CRC is known.
     `upload_id` is empty until Initiate answered, and stays empty for an
    object that fits into a single request. From the moment it is set, a Complete or an Abort is owed.
    `lease_until` is how long the worker that completes or aborts may be believed to be alive; the parts of a
    copy are leased in spans. `etag` is set once the object is whole and verified: what a copy or a move owes
    after that, its grants and the end of its source, is then done without completing it again.
    """

    class Path(models.TextChoices):
        CONSOLE = "console", _("Through the console")
        DIRECT = "direct", _("Direct to the store")

    class Verified(models.TextChoices):
        """How the object was compared with what was sent; empty until it is whole."""

        WHOLE = "whole", _("by CRC-64")
        PARTS = "parts", _("by CRC-64 of the parts")
        MD5 = "md5", _("by MD5")
        NOTHING = "nothing", _("not at all")

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="transfer")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="transfers")
    bucket = models.CharField(max_length=100)
    region = models.CharField(max_length=50)
    key = models.CharField(max_length=1000)
    size = models.BigIntegerField()
    part_size = models.BigIntegerField()
    wanted = models.JSONField(default=dict, blank=True)
    path = models.CharField(max_length=10, choices=Path.choices, default=Path.CONSOLE)
    is_adopted = models.BooleanField(default=False)
    upload_id = models.CharField(max_length=200, blank=True)
    etag = models.CharField(max_length=100, blank=True)
    crc64 = models.CharField(max_length=20, blank=True)
    verified = models.CharField(max_length=10, choices=Verified.choices, blank=True)
    # When the file on the person's disk was last changed, in milliseconds, as the browser reports it.
    file_modified_ms = models.BigIntegerField(null=True, blank=True)
    source_connection = models.ForeignKey(
        Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="copies_out"
    )
    source_bucket = models.CharField(max_length=100, blank=True)
    source_region = models.CharField(max_length=50, blank=True)
    source_key = models.CharField(max_length=1000, blank=True)
    # Whether an object that has the key already may be lost: somebody said so.
    may_replace = models.BooleanField(default=False)
    source_etag = models.CharField(max_length=100, blank=True)
    source_version_id = models.CharField(max_length=200, blank=True)
    is_move = models.BooleanField(default=False)
    # Whether the bytes pass through a worker, because no single key reads the source and writes the target.
    is_relayed = models.BooleanField(default=False)
    copy_detail = models.JSONField(default=dict, blank=True)
    lease_until = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}"

    @property
    def plan(self) -> PartPlan:
        return plan_of(size=self.size, part_size=self.part_size)

    @property
    def new_object(self) -> NewObject:
        return new_object_of(self.wanted)

    @property
    def is_in_parts(self) -> bool:
        """Whether an upload id is owed: one request is not enough, or not the console's."""
        return self.path == self.Path.DIRECT or self.size > self.part_size

    @property
    def is_begun(self) -> bool:
        """Whether there is an upload to put parts into, where one is needed."""
        return bool(self.upload_id) or not self.is_in_parts

    @property
    def is_copy(self) -> bool:
        return bool(self.source_key)

    @property
    def detail(self) -> CopyDetail:
        return copy_detail_of(self.copy_detail)

    @property
    def target(self) -> ObjectRef:
        return ObjectRef(self.bucket, self.region, self.key)

    @property
    def source(self) -> ObjectRef:
        return ObjectRef(self.source_bucket, self.source_region, self.source_key)

    @property
    def is_source_lost(self) -> bool:
        """Whether the connection that the source was to be read through is gone."""
        return self.source_connection_id is None and bool(self.detail.reads_by)

    @property
    def reads_from(self) -> Connection:
        """The connection whose key reads the source of a copy."""
        return self.source_connection or self.connection


class CopySpan(models.Model):
    """A run of parts of a copy, `first` to `last`, that one worker at a time copies.

    The spans of a copy are taken by as many workers as are free; `lease_until` is how long the one that has
    it may be believed to be alive. Whether it `is_done` is a note: which parts are there, TransferPart says.
    """

    transfer = models.ForeignKey(Transfer, on_delete=models.CASCADE, related_name="spans")
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    is_begun = models.BooleanField(default=False)
    is_done = models.BooleanField(default=False)
    lease_until = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("first",)
        constraints = (models.UniqueConstraint(fields=["transfer", "first"], name="copy_span_unique"),)

    def __str__(self) -> str:
        return f"parts {self.first} to {self.last} of {self.transfer_id}"


class UploadPolicy(models.Model):
    """Which way files take into a bucket, as an administrator of the connection decided.

    An empty `bucket` stands for all buckets of the connection that have no line of their own. Where there is
    no line at all the way is found out: AUTO.
    """

    class Policy(models.TextChoices):
        AUTO = "auto", _("Direct where the store allows it, else through the console")
        CONSOLE = "console", _("Always through the console")
        DIRECT = "direct", _("Only direct: no byte may pass the console")

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="upload_policies")
    bucket = models.CharField(max_length=100, blank=True)
    policy = models.CharField(max_length=10, choices=Policy.choices, default=Policy.AUTO)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["connection", "bucket"], name="upload_policy_unique"),)

    def __str__(self) -> str:
        return f"{self.bucket or self.connection}: {self.policy}"


class TransferPart(models.Model):
    """A part that the store has confirmed. The row exists before the slice's file is removed."""

    transfer = models.ForeignKey(Transfer, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    size = models.BigIntegerField()
    etag = models.CharField(max_length=100)
    crc64 = models.CharField(max_length=20, blank=True)
    stored_at = models.DateTimeField()

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=["transfer", "number"], name="transfer_part_unique"),)

    def __str__(self) -> str:
        return f"part {self.number} of {self.transfer_id}"


class UploadBatch(models.Model):
    """What belongs to the job of many files that were sent together; each file is a job below it.

    `files` and `size` (bytes) are what the browser announced before the first byte, `skipped` and
    `skipped_size` what a person then decided not to send. `heard_at` is when the browser last began one of
    them. `closed_at` is when nothing more was to be expected: the browser said so, or fell silent. A file
    that begins after all opens the batch again.
    """

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="upload_batch")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="upload_batches")
    bucket = models.CharField(max_length=100)
    prefix = models.CharField(max_length=1000, blank=True)
    files = models.PositiveIntegerField()
    size = models.BigIntegerField()
    skipped = models.PositiveIntegerField(default=0)
    skipped_size = models.BigIntegerField(default=0)
    heard_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.files} files into {self.bucket}/{self.prefix}"


class PartsPrice(models.Model):
    """What a GB of 1024³ bytes in unfinished parts costs in a month, as a person typed it in."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="parts_price"
    )
    amount = models.DecimalField(max_digits=12, decimal_places=6)
    currency = models.CharField(max_length=12, blank=True)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class AbortRule(models.Model):
    """Once a day, uploads of a bucket that were begun more than `days` ago are aborted.

    An empty `bucket` stands for all of the connection's. `run_at` is when the last run began. A rule whose
    `owner` does not administer the connection any more is turned off instead of being run.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="abort_rules")
    bucket = models.CharField(max_length=100, blank=True)
    days = models.PositiveSmallIntegerField()
    is_on = models.BooleanField(default=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="abort_rules")
    run_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["connection", "bucket"], name="abort_rule_unique"),
            models.CheckConstraint(condition=models.Q(days__gte=1), name="abort_rule_days"),
        )

    def __str__(self) -> str:
        return f"{self.connection}/{self.bucket or '*'}: {self.days} days"


class UploadWalk(models.Model):
    """A walk over all unfinished uploads of a bucket, or of a connection where `bucket` is empty.

    It counts the parts of those that fit, or aborts them: for a `job` that a person started, or for a `rule`.
    `places` are the buckets that are still before it, as [name, region] pairs, None until they were looked
    up; both markers are where it is in the first of them. `kept` are those that a job of this console sends.
    `problems` say which buckets could not be walked, and why. `finished_at` ends it.
    """

    class Purpose(models.TextChoices):
        COUNT = "count", _("Count")
        ABORT = "abort", _("Abort")

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="upload_walks")
    bucket = models.CharField(max_length=100, blank=True)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    job = models.OneToOneField(
        Job, on_delete=models.CASCADE, null=True, blank=True, related_name="upload_walk"
    )
    rule = models.ForeignKey(AbortRule, on_delete=models.CASCADE, null=True, blank=True, related_name="walks")
    packed_prefix = models.TextField(blank=True)
    initiator = models.CharField(max_length=200, blank=True)
    before = models.DateTimeField(null=True, blank=True)
    places = models.JSONField(null=True, blank=True)
    packed_marker = models.TextField(blank=True)
    id_marker = models.CharField(max_length=200, blank=True)
    uploads = models.BigIntegerField(default=0)
    parts = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    aborted = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    kept = models.BigIntegerField(default=0)
    problems = models.JSONField(default=list, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=["connection", "bucket", "purpose"]),)

    def __str__(self) -> str:
        return f"{self.purpose} {self.connection}/{self.bucket or '*'}"
