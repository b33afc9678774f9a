from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.db import models

from apps.activity.rules import document_unpack, verb_label
from apps.storage.keys import key_unpack

if TYPE_CHECKING:
    from apps.accounts.models import Person


class AppendOnly(TypeError):
    """Somebody tried to change or remove an entry of the log."""


class EntryQuerySet(models.QuerySet["Entry"]):
    """Entries can be read and added to, nothing else."""

    def visible_to(self, person: Person, *, administered: Iterable[tuple[str, datetime]]) -> EntryQuerySet:
        """Return a person's own entries and those of the connections that they administer.

        Each connection comes with when it was created: the address of one that was deleted may be given to
        another person's connection later, and what happened under it before is not theirs.
        """
        if person.is_superuser:
            return self
        seen = models.Q(person=person)
        for slug, since in administered:
            seen |= models.Q(connection=slug, at__gte=since)
        return self.filter(seen)

    def update(self, **_values: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly

    def bulk_update(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AppendOnly


class Entry(models.Model):
    """One line of the log: somebody did something, and what was there before and after.

    Entries are numbered without a gap. Each one's digest covers all its fields and the digest of the one
    before, so that a line that was changed, removed or put in between breaks the chain from there on. Keys
    and documents are kept as ASCII text: what is hashed is what is stored, whatever the database makes of
    Unicode. The name of the person is a copy, and the row of the person may be gone.
    """

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
    )
    person_name = models.CharField(max_length=150, blank=True)
    verb = models.CharField(max_length=60)
    connection = models.CharField(max_length=60, blank=True)
    bucket = models.CharField(max_length=200, blank=True)
    packed_key = models.TextField(blank=True)
    job_id = models.UUIDField(null=True, blank=True)
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    request_id = models.CharField(max_length=200, blank=True)
    previous_digest = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ("-sequence",)
        indexes = (
            models.Index(fields=["connection", "bucket", "-sequence"]),
            models.Index(fields=["person", "-sequence"]),
            models.Index(fields=["at"]),
        )

    def __str__(self) -> str:
        return f"{self.sequence} {self.verb}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AppendOnly

    @property
    def key(self) -> str:
        return key_unpack(self.packed_key)

    @property
    def label(self) -> str:
        return verb_label(self.verb)

    @property
    def before_value(self) -> Any:
        return document_unpack(self.before)

    @property
    def after_value(self) -> Any:
        return document_unpack(self.after)

    def digest_computed(self) -> str:
        """Return what the digest has to be, from the fields as they are."""
        fields = [
            self.sequence,
            self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            self.person_id,
            self.person_name,
            self.verb,
            self.connection,
            self.bucket,
            self.packed_key,
            str(self.job_id or ""),
            self.before,
            self.after,
            self.request_id,
            self.previous_digest,
        ]
        return sha256(json.dumps(fields, separators=(",", ":")).encode()).hexdigest()


class ChainEnd(models.Model):
    """The end of the chain: one row, whose lock keeps two writers from following the same entry.

    It also tells that the newest entries were cut off, which the entries that are left cannot.
    """

    sequence = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"after {self.sequence}"
