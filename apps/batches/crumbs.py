"""Where a page of a batch is: below its bucket, and beside its job."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.batches.models import Batch
from apps.connections.crumbs import Crumb


def batch_crumbs(batch: Batch, end: str) -> list[Crumb]:
    """Return jobs › this job › `end`."""
    return [
        {"label": _("Jobs"), "url": reverse("jobs:list")},
        {"label": batch.job.title, "url": reverse("jobs:detail", args=[batch.job_id])},
        {"label": end, "url": ""},
    ]
