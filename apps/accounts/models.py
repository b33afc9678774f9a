from __future__ import annotations

from django.contrib.auth.models import AbstractUser


class Person(AbstractUser):
    """Somebody who signs in to the console. `is_superuser` marks an administrator, who reaches everything."""
