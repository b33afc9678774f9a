"""`manage.py localstore`: the embedded store as a process."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.localstore.serve import ServeError, ServeOptions, environment_pair, serve
from apps.localstore.server import Tuning


class Command(BaseCommand):
    """Parses the command line and runs the store in the foreground."""

    help = "Serve the embedded COS-protocol store until SIGTERM or SIGINT."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        secret_id, secret_key = environment_pair()
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=9000, help="0 picks a free one")
        parser.add_argument("--data", type=Path, required=True, help="folder that holds everything")
        parser.add_argument(
            "--control",
            metavar="TOKEN",
            default=os.environ.get("LOCALSTORE_CONTROL"),
            help="enable /-/faults and /-/journal; or LOCALSTORE_CONTROL",
        )
        parser.add_argument("--secret-id", default=secret_id, help="or LOCALSTORE_SECRET_ID")
        parser.add_argument("--secret-key", default=secret_key, help="or LOCALSTORE_SECRET_KEY")
        parser.add_argument("--bytes-per-second", type=float, default=0.0, help="all uploads together")
        parser.add_argument("--latency-ms", type=float, default=0.0, help="before each answer")
        parser.add_argument("--max-connections", type=int, default=256)

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = ServeOptions(
            data=options["data"],
            host=options["host"],
            port=options["port"],
            control_token=options["control"],
            secret_id=options["secret_id"],
            secret_key=options["secret_key"],
            tuning=Tuning(
                bytes_per_second=options["bytes_per_second"],
                latency_ms=options["latency_ms"],
                max_connections=options["max_connections"],
            ),
        )
        try:
            serve(wanted, self._say)
        except ServeError as error:
            raise CommandError(str(error)) from error

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
