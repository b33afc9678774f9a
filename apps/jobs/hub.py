"""All open pages of this process, fed by one thread with one Redis subscription."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import connections

from apps.accounts.services import people_active, sessions_open
from apps.jobs import progress
from apps.jobs.models import Job, JobQuerySet
from apps.jobs.outbox import Outbox
from apps.jobs.services import figures_for, message_of

if TYPE_CHECKING:
    from apps.accounts.models import Person

logger = logging.getLogger(__name__)

RESUBSCRIBE_S = 1.0
# How long a page is told about jobs at most after its session ended.
LOOK_AT_PEOPLE_S = 5.0
# A page shows far fewer; the others tell of themselves as they move.
TOLD_AT_ONCE_MAX = 200


class Listener:
    """One open page: who looks at it, by which session, and what it has not been told yet."""

    def __init__(self, person: Person, *, session_key: str = "") -> None:
        self.person_id = person.pk
        self.sees_all = person.is_superuser
        self.session_key = session_key
        self.session_hash = person.get_session_auth_hash()
        self.outbox = Outbox()

    def may_see(self, message: dict[str, Any]) -> bool:
        return self.sees_all or message["owner"] == self.person_id

    def look_at(self, person: Person | None, *, is_signed_in: bool) -> None:
        """Follow what became of the person: other rights count from now on, and some end the stream."""
        if person is None or not is_signed_in or person.get_session_auth_hash() != self.session_hash:
            self.outbox.end()
            return
        self.sees_all = person.is_superuser


class Hub:
    """The listeners of this process. Its thread runs while there are any."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.listeners: set[Listener] = set()
        self.thread: threading.Thread | None = None
        self.looked_at = 0.0
        # Set while what is published reaches the pages, and everything before it has.
        self.is_fed = threading.Event()

    def join(self, listener: Listener, *, at_most: int) -> bool:
        """Let a page in; False when this process has `at_most` open pages already."""
        with self.lock:
            if len(self.listeners) >= at_most:
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
            outboxes = [listener.outbox for listener in self.listeners if listener.may_see(message)]
        event = event_of(message)
        for outbox in outboxes:
            outbox.put(message["id"], event)

    def run(self) -> None:
        self.looked_at = time.monotonic()
        while not self.is_idle():
            # Whatever happens here, the thread must live: without it every page of this process stands still.
            try:
                self.feed()
                continue
            except ConnectionError:
                logger.warning("The live hub lost Redis and subscribes again.")
            except Exception:
                logger.exception("The live hub failed and starts again.")
            finally:
                self.is_fed.clear()
            # Without Redis sessions end all the same.
            self.look_at_people()
            time.sleep(RESUBSCRIBE_S)

    def feed(self) -> None:
        """Deliver what is published until the last page has gone."""
        for message in progress.listen(on_subscribed=self.resynchronize):
            if message is not None:
                self.deliver(message)
            elif not self.listeners:
                return
            if self.listeners and time.monotonic() - self.looked_at >= LOOK_AT_PEOPLE_S:
                self.look_at_people()

    def is_idle(self) -> bool:
        """Give up the thread when no page is open; the next page starts another one."""
        with self.lock:
            if self.listeners:
                return False
            self.thread = None
        return True

    def resynchronize(self) -> None:
        """Tell every page what the rows say, for what was published while nobody listened."""
        with self.lock:
            listeners = list(self.listeners)
        jobs = Job.objects.active().topmost()
        if not any(listener.sees_all for listener in listeners):
            jobs = jobs.filter(owner__in={listener.person_id for listener in listeners})
        try:
            for message in messages_now(jobs):
                self.deliver(message)
        finally:
            connections.close_all()
        self.is_fed.set()

    def look_at_people(self) -> None:
        """End the streams of people who signed out, were shut out or got another password."""
        self.looked_at = time.monotonic()
        with self.lock:
            listeners = list(self.listeners)
        try:
            people = people_active({listener.person_id for listener in listeners})
            sessions = sessions_open({listener.session_key for listener in listeners})
            for listener in listeners:
                is_signed_in = listener.session_key in sessions
                listener.look_at(people.get(listener.person_id), is_signed_in=is_signed_in)
        except Exception:
            # A database that is away ends nobody's session.
            logger.exception("Whether the people of open pages are still signed in could not be read.")
        finally:
            connections.close_all()


hub = Hub()


def messages_now(jobs: JobQuerySet) -> Iterable[dict[str, Any]]:
    """Return what a page is told about the newest of these jobs; the files of a batch are its page's."""
    read_at = time.time()
    found = list(jobs.topmost()[:TOLD_AT_ONCE_MAX])
    figures = figures_for(found)
    return [message_of(job, figures[job.pk], read_at=read_at) for job in found]


def event_of(message: dict[str, Any]) -> bytes:
    """Return a message as a server-sent event, without what is not for pages."""
    public = {name: value for name, value in message.items() if name != "owner"}
    return f"event: job\ndata: {json.dumps(public)}\n\n".encode()
