"""Live figures for open pages: server-sent events, over connections that cost the web server no thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import http_date
from django.views.decorators.http import require_GET

from apps.jobs import handover
from apps.jobs.hub import Listener, event_of, hub, messages_now
from apps.jobs.models import Job
from apps.jobs.writer import KEEP_ALIVE, KEEP_ALIVE_S, Writer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from apps.accounts.models import Person

logger = logging.getLogger(__name__)

BEGINNING = b"retry: 3000\n\n"

writer = Writer()


class Stream:
    """The body of one page's answer where a thread has to send it.

    Closing it lets the page go, even if nothing was ever read of it, unless the writer has it now.
    """

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.is_handed_over = False

    def __iter__(self) -> Iterator[bytes]:
        outbox, news = self.listener.outbox, threading.Event()
        outbox.wake = news.set
        # A page's stream may stay open for hours and must not hold a database connection for it.
        connections.close_all()
        yield BEGINNING + outbox.take()
        while not outbox.is_ended:
            is_news = news.wait(KEEP_ALIVE_S)
            news.clear()
            if events := outbox.take():
                yield events
            elif not is_news:
                yield KEEP_ALIVE

    def close(self) -> None:
        if not self.is_handed_over:
            hub.leave(self.listener)


class LiveResponse(StreamingHttpResponse):
    """The answer to an open page, which the writer sends wherever the web server lets it."""

    def __init__(self, listener: Listener) -> None:
        self.stream = Stream(listener)
        super().__init__(self.stream, content_type="text/event-stream")
        self["Cache-Control"] = "no-store"
        self["X-Accel-Buffering"] = "no"

    def handed_over(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        """Return what the web server is to send itself: nothing, or this answer as a thread's work."""
        if not handover.is_possible(environ):
            return self
        try:
            sock, far_end = handover.socket_take(environ)
        except OSError:
            logger.exception("A live page could not be handed over and holds a thread.")
            return self
        listener = self.stream.listener
        self.stream.is_handed_over = True
        head = self._head() + BEGINNING
        writer.add(sock, listener.outbox, head=head, on_close=partial(hub.leave, listener))
        return handover.Nowhere(self, far_end)

    def _head(self) -> bytes:
        # Without a length or chunks the body ends with the connection, which every version of HTTP knows.
        lines = [
            f"HTTP/1.1 {self.status_code} {self.reason_phrase}",
            "Connection: close",
            f"Date: {http_date()}",
        ]
        lines += [f"{name}: {value}" for name, value in self.items()]
        lines += [f"Set-Cookie: {cookie.OutputString()}" for cookie in self.cookies.values()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _pages_at_most(environ: WSGIEnvironment) -> int:
    limit: int = settings.LIVE_STREAMS
    return limit if handover.is_possible(environ) else min(limit, settings.WEB_THREADS // 2)


@require_GET
def job_events(request: HttpRequest) -> HttpResponseBase:
    person = cast("Person", request.user)
    listener = Listener(person, session_key=request.session.session_key or "")
    # In this order, so that nothing is lost in between.
    if not hub.join(listener, at_most=_pages_at_most(request.META)):
        # Nothing is wrong: the page polls, and asks for a place again later. A browser would report a 503.
        return HttpResponse(status=204)
    try:
        for message in messages_now(Job.objects.visible_to(person).active()):
            listener.outbox.put_older(message["id"], event_of(message))
    except BaseException:
        hub.leave(listener)
        raise
    return LiveResponse(listener)
