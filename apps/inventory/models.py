from __future__ import annotations

from django.db import models
from django.utils import timezone

from apps.connections.models import Connection
from apps.inventory.columns import KeyColumn
from apps.inventory.tally import Tally, tally_of
from apps.jobs.models import Job


class WalkQuerySet(models.QuerySet["Walk"]):
    def of_scope(self, *, connection_id: int, bucket: str, prefix: str = "") -> WalkQuerySet:
        return self.filter(connection_id=connection_id, bucket=bucket, prefix=prefix)


class Walk(models.Model):
    """What a walk over a bucket, or over what lies below a prefix of it, has found so far.

        open ──(last page)──> current ──(a newer walk ends)──> replaced, pruned by the sweep
          └──(canceled)──> ended early, kept as the last word until the next walk begins

    The job's state says whether it goes on. `marker` is where the next page begins and `pages` how many are
    counted: both move in the transaction that adds a page's figures and rows, so that no page counts twice.
    `objects`, `size` (bytes) and `kept` (rows in the index) are what those pages held. `expected` is what
    the walk before this one counted, 0 where there was none. `throttled_at` is when the store last asked to
    slow down. One walk per scope is open, one is current.
    """

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="walk")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="walks")
    bucket = models.CharField(max_length=100)
    region = models.CharField(max_length=50)
    prefix = KeyColumn()
    keeps_keys = models.BooleanField(default=True)
    marker = KeyColumn()
    pages = models.BigIntegerField(default=0)
    objects_count = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    kept = models.BigIntegerField(default=0)
    expected = models.BigIntegerField(default=0)
    figures = models.TextField(default="", blank=True)
    is_open = models.BooleanField(default=True)
    is_current = models.BooleanField(default=False)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    throttled_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(default=timezone.now)

    objects = WalkQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["connection", "bucket", "prefix"],
                condition=models.Q(is_open=True),
                name="walk_one_open",
            ),
            models.UniqueConstraint(
                fields=["connection", "bucket", "prefix"],
                condition=models.Q(is_current=True),
                name="walk_one_current",
            ),
        )
        indexes = (models.Index(fields=["connection", "bucket"]),)

    def __str__(self) -> str:
        return f"walk {self.pk} of {self.bucket}"

    def tally(self) -> Tally:
        """Return the figures as far as they are counted."""
        return tally_of(self.figures, prefix=self.prefix)


class IndexEntry(models.Model):
    """One object of the index: what the store listed when the walk came by, and never a permission.

    `number` counts a walk's objects in the order of keys, so that it orders, pages and makes twice-added
    rows impossible. `folded` is the key as searches compare it, NULL where that is the key itself. There is
    no index but the one on `number`: a scan of a million rows takes a fifth of a second, while indexes on
    size and time made adding them thirteen times as slow.

    Rows outlive their walk for a moment: a sweep deletes them in batches, because one statement over a
    million rows would hold up every other writer.
    """

    walk_id = models.BigIntegerField()
    number = models.BigIntegerField()
    key = KeyColumn()
    folded = models.BinaryField(null=True, blank=True)
    size = models.BigIntegerField()
    modified_ms = models.BigIntegerField()
    storage_class = models.CharField(max_length=40)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["walk_id", "number"], name="index_entry_unique"),)

    def __str__(self) -> str:
        return f"{self.walk_id}/{self.number}"
