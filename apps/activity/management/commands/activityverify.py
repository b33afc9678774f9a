"""Walk the chain of the activity log and say whether it holds."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.activity.services import activity_verify


class Command(BaseCommand):
    help = "Check that no entry of the activity log was changed, removed or put in between."

    def handle(self, *args: Any, **options: Any) -> None:
        found = activity_verify()
        if not found.is_whole:
            raise CommandError(
                f"The chain breaks at entry {found.broken}; {found.count} entries before it hold."
            )
        self.stdout.write(f"The chain holds: {found.count} entries, ending in {found.digest or 'nothing'}.")
