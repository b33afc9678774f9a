"""The console's own application, and beside it the least that Django can do, on the same server.

`/bare/view/` is a view without middleware, `/bare/task/` one that also queues a task which does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

# The console's application has loaded Django's apps.
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.test.utils import override_settings
from django.urls import path

from console.wsgi import application as console_application
from harness.noop import noop

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BARE_PATH = "/bare/"


def bare_view(request: HttpRequest) -> HttpResponse:
    request.read()
    return HttpResponse(b"{}", content_type="application/json")


def task_view(request: HttpRequest) -> HttpResponse:
    request.read()
    noop.delay(transfer_id=1, number=1)
    return HttpResponse(b"{}", content_type="application/json")


urlpatterns = [path("bare/view/", bare_view), path("bare/task/", task_view)]


class BareRequest(WSGIRequest):
    """A request that knows the two addresses above and nothing else."""

    urlconf = __name__


class BareHandler(WSGIHandler):
    request_class = BareRequest


with override_settings(MIDDLEWARE=[]):
    bare_application = BareHandler()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"].startswith(BARE_PATH):
        return bare_application(environ, start_response)
    return console_application(environ, start_response)
