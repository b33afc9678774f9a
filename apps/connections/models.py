from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.storage.keys import key_unpack

if TYPE_CHECKING:
    from apps.accounts.models import Person


class Role(models.IntegerChoices):
    """What a person may do through a connection; each role includes the ones below it."""

    READER = 1, _("Reader")
    WRITER = 2, _("Writer")
    ADMIN = 3, _("Administrator")


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def visible_to(self, person: Person) -> ConnectionQuerySet:
        if person.is_superuser:
            return self
        return self.filter(models.Q(owner=person) | models.Q(members__person=person)).distinct()

    def writable_by(self, person: Person) -> ConnectionQuerySet:
        if person.is_superuser:
            return self
        member = models.Q(members__person=person, members__role__gte=Role.WRITER)
        return self.filter(models.Q(owner=person) | member).distinct()

    def administered_by(self, person: Person) -> ConnectionQuerySet:
        if person.is_superuser:
            return self
        member = models.Q(members__person=person, members__role=Role.ADMIN)
        return self.filter(models.Q(owner=person) | member).distinct()


class Connection(models.Model):
    """A saved endpoint with its keys. The secret is encrypted and appears in no repr, log or page.

    The slug is part of every address and never changes. `default_region` is where new buckets go unless
    another region is chosen, and where buckets are looked for when the key may not list them.
    """

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    provider = models.CharField(max_length=20, default="cos")
    scheme = models.CharField(max_length=5, default="https")
    suffix = models.CharField(max_length=200, default="myqcloud.com")
    connect_to = models.CharField(max_length=200, blank=True)
    appid = models.CharField(max_length=20, blank=True)
    default_region = models.CharField(max_length=50, blank=True)
    secret_id = models.CharField(max_length=200)
    encrypted_secret_key = models.BinaryField()
    encrypted_token = models.BinaryField(default=bytes, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="connections")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ("name", "slug")

    def __str__(self) -> str:
        return self.name

    @property
    def masked_secret_id(self) -> str:
        """Enough of the SecretId to tell two keys apart."""
        return f"{self.secret_id[:8]}…{self.secret_id[-4:]}" if len(self.secret_id) > 16 else "…"

    def role_of(self, person: Person) -> Role | None:
        """Return what `person` may do here; None for a stranger."""
        if person.is_superuser or person.pk == self.owner_id:
            return Role.ADMIN
        roles = (Role(member.role) for member in self.members.all() if member.person_id == person.pk)
        return next(roles, None)


class ConnectionMember(models.Model):
    """A person who was let in to somebody's connection."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="members")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.READER)

    class Meta:
        ordering = ("person__username",)
        constraints = (
            models.UniqueConstraint(fields=["connection", "person"], name="connection_member_unique"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="connection_member_role"),
        )

    def __str__(self) -> str:
        return f"{self.person} in {self.connection}"


class KnownBucket(models.Model):
    """Where a bucket was last seen. Its region is part of its host name, so every call needs it."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="known_buckets")
    name = models.CharField(max_length=100)
    region = models.CharField(max_length=50)
    created_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=["connection", "name"], name="known_bucket_unique"),)

    def __str__(self) -> str:
        return self.name


class Place(models.Model):
    """A folder of a bucket that a person looked into or put a star on.

    The prefix is packed, since it may hold what a database refuses; the digest stands for bucket and prefix,
    which together are longer than an index takes.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="places")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="places")
    bucket = models.CharField(max_length=100)
    packed_prefix = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    is_favorite = models.BooleanField(default=False)
    visited_at = models.DateTimeField()

    class Meta:
        ordering = ("-visited_at",)
        indexes = (models.Index(fields=["person", "-visited_at"]),)
        constraints = (
            models.UniqueConstraint(fields=["person", "connection", "digest"], name="place_unique"),
        )

    def __str__(self) -> str:
        return f"{self.bucket}/{self.packed_prefix}"

    @property
    def prefix(self) -> str:
        return key_unpack(self.packed_prefix)
