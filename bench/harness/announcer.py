"""Run inside the console's data folder: announces messages as workers do, each with the moment it left."""

from __future__ import annotations

import json
import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django.setup()

from apps.jobs import progress  # noqa: E402 - needs the apps loaded


def main() -> None:
    spec = json.load(sys.stdin)
    begun = time.monotonic()
    for number in range(spec["messages"]):
        time.sleep(max(0.0, begun + number / spec["per_second"] - time.monotonic()))
        message = {
            "id": f"job-{number % spec['jobs']}", "number": number, "version": number, "owner": 0,
            "kind": "upload", "state": "running", "title": "holiday-2026-08.mov", "unit": "bytes",
            "done": number << 20, "total": 1 << 32, "failed": 0, "rate": 5e7, "eta_s": 60,
            "error_message": "", "sent_at": time.monotonic(),
        }  # fmt: skip
        progress.announce(message)


if __name__ == "__main__":
    main()
