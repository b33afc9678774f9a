from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models

from apps.access.rules.acl import AccessKind
from apps.connections.models import Connection

# Older figures are read again when somebody looks at them.
FACTS_FRESH = timedelta(minutes=5)


class BucketFacts(models.Model):
    """What was last read about a bucket, so that a list of many can be filtered by it.

    `access` is an AccessKind, read off the grants; where they could not be read it is unknown and
    `access_code` holds the store's word for why. `accounts` counts who is let in by name, and
    `is_open_to_writing` says whether people whom nobody named may write. `tags` is a list of [key, value],
    None when they could not be read, for which `tags_code` is the reason. It is a memory: never treat it as
    permission.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="bucket_facts")
    bucket = models.CharField(max_length=100)
    access = models.CharField(max_length=20)
    accounts = models.PositiveIntegerField(default=0)
    is_open_to_writing = models.BooleanField(default=False)
    access_code = models.CharField(max_length=100, blank=True)
    grants_digest = models.CharField(max_length=64, blank=True)
    tags = models.JSONField(null=True)
    tags_code = models.CharField(max_length=100, blank=True)
    read_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["connection", "bucket"], name="bucket_facts_unique"),)

    def __str__(self) -> str:
        return f"{self.bucket}: {self.access}"

    def is_fresh(self, now: datetime) -> bool:
        return self.read_at > now - FACTS_FRESH

    @property
    def is_public(self) -> bool:
        """Whether people outside of any named account get in."""
        return self.access in {AccessKind.PUBLIC_READ, AccessKind.PUBLIC_WRITE, AccessKind.SIGNED_IN}

    def has_tag(self, wanted: str) -> bool:
        """Tell whether a tag is `key`, or `key=value`; a key may itself hold an equals sign."""
        return any(wanted in (key, f"{key}={value}") for key, value in self.tags or ())
