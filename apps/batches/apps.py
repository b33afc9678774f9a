from __future__ import annotations

from django.apps import AppConfig


class BatchesConfig(AppConfig):
    name = "apps.batches"

    def ready(self) -> None:
        from apps.batches.ledger import uploads_needed
        from apps.transfers.services.adopting import uploads_elsewhere

        uploads_elsewhere(uploads_needed)
