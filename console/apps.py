from __future__ import annotations

from django.apps import AppConfig

from console.heartbeat import heartbeat_connect


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        heartbeat_connect()
