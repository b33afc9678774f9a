"""The whole table."""

from __future__ import annotations

from tests.storage.wire import buckets, multipart, objects, settings

CASES = [*buckets.CASES, *settings.CASES, *objects.CASES, *multipart.CASES]
