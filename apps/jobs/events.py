"""Live figures for open pages: server-sent events from one hub per process over one Redis subscription."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_GET

from apps.jobs import progress
from apps.jobs.models import Job
from apps.jobs.services import figures_for, message_of

if TYPE_CHECKING:
    from apps.accounts.models import Person

logger = logging.getLogger(__name__)

KEEP_ALIVE_S = 15.0
RESUBSCRIBE_S = 1.0


class Listener:
    """One open page. It holds the newest message per job only, so that a slow page costs nothing more."""

    def __init__(self, person: Person) -> None:
        self.sees_all = person.is_superuser
        self.person_id = person.pk
        self.ready = threading.Condition()
        self.pending: dict[str, dict[str, Any]] = {}

    def may_see(self, message: dict[str, Any]) -> bool:
        return self.sees_all or message["owner"] == self.person_id

    def offer(self, message: dict[str, Any]) -> None:
        with self.ready:
            self.pending[message["id"]] = message
            self.ready.notify()

    def take(self, timeout_s: float) -> list[dict[str, Any]]:
        with self.ready:
            if not self.pending:
                self.ready.wait(timeout_s)
            messages = list(self.pending.values())
            self.pending.clear()
        return messages


class Hub:
    """All open pages of this process, fed by one thread with one subscription."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.listeners: set[Listener] = set()
        self.thread: threading.Thread | None = None

    def join(self, listener: Listener) -> bool:
        """Let a page in; False when this process holds as many open streams as it may."""
        with self.lock:
            if len(self.listeners) >= settings.LIVE_STREAMS:
                return False
            self.listeners.add(listener)
            if self.thread is None:
                self.thread = threading.Thread(target=self.run, name="live-hub", daemon=True)
                self.thread.start()
        return True

    def leave(self, listener: Listener) -> None:
        with self.lock:
            self.listeners.discard(listener)

    def deliver(self, message: dict[str, Any]) -> None:
        with self.lock:
            listeners = [listener for listener in self.listeners if listener.may_see(message)]
        for listener in listeners:
            listener.offer(message)

    def run(self) -> None:
        was_lost = False
        while not self.is_idle():
            # Whatever happens here, the thread must live: without it every page of this process stands still.
            try:
                if was_lost:
                    self.resynchronize()
                self.feed()
            except ConnectionError:
                logger.warning("The live hub lost Redis and subscribes again.")
            except Exception:
                logger.exception("The live hub failed and starts again.")
            else:
                continue
            was_lost = True
            time.sleep(RESUBSCRIBE_S)

    def feed(self) -> None:
        """Deliver what is published until the last page has gone."""
        for message in progress.listen():
            if message is not None:
                self.deliver(message)
            elif not self.listeners:
                return

    def is_idle(self) -> bool:
        """Give up the thread when no page is open; the next page starts another one."""
        with self.lock:
            if self.listeners:
                return False
            self.thread = None
        return True

    def resynchronize(self) -> None:
        """Tell every page what the rows say, for what was published while nobody listened."""
        try:
            read_at = time.time()
            for job in Job.objects.active():
                self.deliver(message_of(job, figures_for([job])[job.pk], read_at=read_at))
        finally:
            connections.close_all()


hub = Hub()


def _event(message: dict[str, Any]) -> str:
    public = {name: value for name, value in message.items() if name != "owner"}
    return f"event: job\ndata: {json.dumps(public)}\n\n"


class Stream:
    """The body of one page's answer. Closing it lets the page go, even if nothing was ever read of it."""

    def __init__(self, listener: Listener, snapshot: list[dict[str, Any]]) -> None:
        self.listener = listener
        self.chunks = self._chunks(snapshot)

    def __iter__(self) -> Iterator[str]:
        return self.chunks

    def _chunks(self, snapshot: list[dict[str, Any]]) -> Iterator[str]:
        # A page's stream may stay open for hours and must not hold a database connection for it.
        connections.close_all()
        yield "retry: 3000\n\n"
        for message in snapshot:
            yield _event(message)
        while True:
            messages = self.listener.take(KEEP_ALIVE_S)
            yield "".join(_event(message) for message in messages) or ": keep-alive\n\n"

    def close(self) -> None:
        hub.leave(self.listener)


def _snapshot_for(person: Person) -> list[dict[str, Any]]:
    read_at = time.time()
    jobs = list(Job.objects.visible_to(person).active())
    figures = figures_for(jobs)
    return [message_of(job, figures[job.pk], read_at=read_at) for job in jobs]


@require_GET
def job_events(request: HttpRequest) -> HttpResponseBase:
    person = cast("Person", request.user)
    listener = Listener(person)
    stream = Stream(listener, _snapshot_for(person))
    if not hub.join(listener):
        # Nothing is wrong: the page polls, and asks for a place again later. A browser would report a 503.
        return HttpResponse(status=204)
    response = StreamingHttpResponse(stream, content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response
