"""The Celery app: queues, and where tasks are found."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import task_prerun
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

app = Celery("console")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_prerun.connect
def _drop_broken_connections(**_: Any) -> None:
    # A worker keeps its database connections; one that the server closed meanwhile is noticed here.
    close_old_connections()
