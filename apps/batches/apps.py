from __future__ import annotations

from django.apps import AppConfig


class BatchesConfig(AppConfig):
    name = "apps.batches"

    def ready(self) -> None:
        from apps.batches.ledger import key_leaves, uploads_needed
        from apps.transfers.leaving import leaves_elsewhere
        from apps.transfers.services.adopting import uploads_elsewhere

        leaves_elsewhere(key_leaves)
        uploads_elsewhere(uploads_needed)
