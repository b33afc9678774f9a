from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from apps.connections.models import Connection, Role

if TYPE_CHECKING:
    from apps.accounts.models import Person


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def visible_to(self, person: Person) -> ShareLinkQuerySet:
        """Return the person's own links, and all links of the connections that the person administers."""
        if person.is_superuser:
            return self
        own = models.Q(person=person, connection__in=Connection.objects.visible_to(person))
        return self.filter(own | models.Q(connection__in=Connection.objects.administered_by(person)))

    def active(self, now: datetime) -> ShareLinkQuerySet:
        return self.filter(expires_at__gt=now)

    def expired(self, now: datetime) -> ShareLinkQuerySet:
        return self.filter(expires_at__lte=now)


class ShareLink(models.Model):
    """That somebody made a presigned address of an object; the address itself is kept nowhere.

    Nothing here opens or closes the link: it works until `expires_at` for whoever has it, unless the object
    or the key behind `signed_by` goes first. `signed_by` is enough of a SecretId to tell which key that is.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="share_links"
    )
    made_by = models.CharField(max_length=150)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="share_links")
    bucket = models.CharField(max_length=100)
    key = models.CharField(max_length=1000)
    is_inline = models.BooleanField(default=False)
    filename = models.CharField(max_length=255, blank=True)
    signed_by = models.CharField(max_length=20)
    is_key_temporary = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key} until {self.expires_at:%Y-%m-%d %H:%M}"

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at <= now

    def may_forget(self, person: Person) -> bool:
        """Whether the person may remove the row once it has expired: the maker, and administrators."""
        return self.person_id == person.pk or self.connection.role_of(person) == Role.ADMIN
