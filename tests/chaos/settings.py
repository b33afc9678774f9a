"""The console's own settings at a faster pace: what takes a minute for people takes a second here."""

from __future__ import annotations

from console.settings import *  # noqa: F403
from console.settings import CELERY_BEAT_SCHEDULE as AT_EASE
from console.settings import CELERY_BROKER_TRANSPORT_OPTIONS as TRANSPORT
from console.settings import INSTALLED_APPS as APPS
from tests.chaos.pace import IDLE_S

INSTALLED_APPS = [*APPS, "tests.chaos.pace.Faster"]
CELERY_BEAT_SCHEDULE = {
    name: {**entry, "schedule": 1.0, "options": {"expires": 2.0}} for name, entry in AT_EASE.items()
}
CELERY_BEAT_SCHEDULE["sweep-transfers"]["kwargs"] = {"min_age_s": IDLE_S}
# Shorter than some tasks take, so that a broker hands them to a second worker while the first is at it.
CELERY_BROKER_TRANSPORT_OPTIONS = {**TRANSPORT, "visibility_timeout": 6}
