from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    """Somebody who signs in to the console. `is_superuser` marks an administrator, who reaches everything."""


class SignInLink(models.Model):
    """A link that signs one person in once: unused ──> used. Only a digest of its token is kept."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_in_links"
    )
    token_digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"sign-in link of {self.person}"


class SignInFailure(models.Model):
    """A password that was wrong or is being looked at, kept as long as it counts against further attempts."""

    username = models.CharField(max_length=150)
    address = models.CharField(max_length=64)
    failed_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["username", "address", "failed_at"]),)

    def __str__(self) -> str:
        return f"{self.username} from {self.address}"
