"""What the web server calls: slices go straight to their receiver, everything else to Django.

Live pages are let in by Django and then taken off the server's threads.

A slice's request is a body and a signed token. Sending it through Django's middleware would cost more than
receiving it (`bench/`), so that the split is made here, in front of Django.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django_application = get_wsgi_application()
from apps.jobs.events import LiveResponse  # noqa: E402 - needs the apps loaded
from apps.transfers.receiver import slice_application  # noqa: E402 - needs the apps loaded
from apps.transfers.tokens import SLICES_PATH  # noqa: E402

# Loads the views now, and not while somebody waits for the first page.
get_resolver().url_patterns  # noqa: B018

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"].startswith(SLICES_PATH):
        return slice_application(environ, start_response)
    response = django_application(environ, start_response)
    return response.handed_over(environ) if isinstance(response, LiveResponse) else response
