"""Where slices arrive: a bare WSGI application in front of Django.

A slice is `PUT /slices/<token>/<number>` with exactly the bytes of that slice as its body. They go through
one small buffer into the spool, with their CRC-64; then the slice is handed to a worker at once, while the
browser sends the next one. A slow store holds the connection back instead of filling the disk.
"""

from __future__ import annotations

import errno
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_noop

from apps.storage.digest import crc64_update
from apps.transfers import spool, tasks, tokens

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

BUFFER_SIZE = 1 << 20
BUFFERS_KEPT = 8
WAIT_FOR_ROOM_S = 20.0
LOOK_FOR_ROOM_S = 0.05
RETRY_AFTER_S = 3
# A browser that sends nothing for this long has gone.
STALLED_S = 90.0
DISK_FULL = gettext_noop("The console's disk is full. The upload waits until there is room.")

WAITING = gettext_noop("Waiting for the store.")

# Kept for the next slice, and not by thread: a buffer for each of a hundred threads would be a hundred MiB.
_buffers: deque[memoryview] = deque()
_held_back = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 4))


class SliceRefused(Exception):
    """The slice was not kept; the browser is told why."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def slice_application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one slice: 200 when it is safe on disk, else a JSON object with the sentence to show."""
    try:
        kept = _receive(environ)
    except SliceRefused as refused:
        with translation.override(_language_of(environ)):
            return _answer(start_response, refused.status, {"error": translation.gettext(refused.sentence)})
    return _answer(
        start_response, HTTPStatus.OK, {"received": kept.number}, [("ETag", f'"{kept.crc64:016x}"')]
    )


def _language_of(environ: WSGIEnvironment) -> str:
    # Django's middleware does not run here; the person's choice is in the same cookie that it reads.
    try:
        chosen = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(settings.LANGUAGE_COOKIE_NAME)
    except CookieError:
        return settings.LANGUAGE_CODE
    known = dict(settings.LANGUAGES)
    return chosen.value if chosen is not None and chosen.value in known else settings.LANGUAGE_CODE


def _answer(
    start_response: StartResponse,
    status: HTTPStatus,
    body: dict[str, Any],
    headers: Iterable[tuple[str, str]] = (),
) -> Iterable[bytes]:
    payload = json.dumps(body).encode()
    always = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(payload))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        always.append(("Retry-After", str(RETRY_AFTER_S)))
    start_response(f"{status.value} {status.phrase}", [*always, *headers])
    return [payload]


def _receive(environ: WSGIEnvironment) -> spool.Slice:
    if environ["REQUEST_METHOD"] != "PUT":
        raise SliceRefused(HTTPStatus.METHOD_NOT_ALLOWED, gettext_noop("Slices are sent with PUT."))
    token, number = _target_of(environ["PATH_INFO"])
    length = _length_of(environ, token, number)
    try:
        _wait_for_room(token.transfer_id, length)
        draft = spool.Draft(token.transfer_id, number)
        kept = _fill(draft, environ, length)
    except spool.SpoolClosed:
        raise SliceRefused(HTTPStatus.GONE, gettext_noop("This upload has ended.")) from None
    tasks.publish(tasks.send_part, transfer_id=token.transfer_id, number=number)
    return kept


def _target_of(path: str) -> tuple[tokens.SliceToken, int]:
    try:
        token, number = path.removeprefix(tokens.SLICES_PATH).split("/")
        return tokens.token_read(token, now=time.time()), int(number)
    except (tokens.TokenRefused, ValueError):
        raise SliceRefused(
            HTTPStatus.FORBIDDEN,
            gettext_noop("This upload address is not valid any more. Resume the upload."),
        ) from None


def _length_of(environ: WSGIEnvironment, token: tokens.SliceToken, number: int) -> int:
    try:
        _offset, expected = token.plan.range_of(number)
    except ValueError:
        raise SliceRefused(HTTPStatus.BAD_REQUEST, gettext_noop("The file has no such slice.")) from None
    if environ.get("CONTENT_LENGTH") != str(expected):
        raise SliceRefused(
            HTTPStatus.BAD_REQUEST, gettext_noop("The slice does not have the length that was agreed.")
        )
    return expected


def _wait_for_room(transfer_id: int, length: int) -> None:
    """Hold the sender back while workers are behind; its unread body is what slows the browser down."""
    if not _has_room(transfer_id):
        # Each one that is held back holds a thread, and pages need threads as well.
        if not _held_back.acquire(blocking=False):
            raise SliceRefused(HTTPStatus.SERVICE_UNAVAILABLE, WAITING)
        try:
            _hold_back(transfer_id)
        finally:
            _held_back.release()
    if not spool.has_room(length):
        raise SliceRefused(HTTPStatus.SERVICE_UNAVAILABLE, DISK_FULL)


def _hold_back(transfer_id: int) -> None:
    spool.partials_remove(transfer_id)
    deadline = time.monotonic() + WAIT_FOR_ROOM_S
    while not _has_room(transfer_id):
        if time.monotonic() > deadline:
            raise SliceRefused(HTTPStatus.SERVICE_UNAVAILABLE, WAITING)
        time.sleep(LOOK_FOR_ROOM_S)


def _has_room(transfer_id: int) -> bool:
    return spool.backlog(transfer_id) < settings.SPOOL_SLICES_PER_UPLOAD


def _fill(draft: spool.Draft, environ: WSGIEnvironment, length: int) -> spool.Slice:
    crc, arrived = 0, 0
    try:
        for view in _body_of(environ, length):
            draft.write(view)
            crc = crc64_update(view, crc)
            arrived += len(view)
    except OSError as error:
        draft.discard()
        logger.warning("A slice was cut off.", extra={"transfer": draft.transfer_id}, exc_info=True)
        sentence = DISK_FULL if error.errno == errno.ENOSPC else gettext_noop("The slice was cut off.")
        raise SliceRefused(HTTPStatus.SERVICE_UNAVAILABLE, sentence) from error
    if arrived != length:
        draft.discard()
        raise SliceRefused(HTTPStatus.BAD_REQUEST, gettext_noop("The slice ended too early."))
    return draft.keep(crc)


def _body_of(environ: WSGIEnvironment, length: int) -> Iterator[memoryview]:
    """Yield the body in views of one buffer that is used again.

    Under gunicorn the bytes are taken from the socket into the buffer without an object per read, which is
    a third cheaper than `wsgi.input` and keeps memory flat; any other server is read in the standard way.
    """
    socket, body = environ.get("gunicorn.socket"), environ["wsgi.input"]
    reader: Any = getattr(body, "reader", None)
    if socket is None or not hasattr(reader, "unreader") or not hasattr(reader, "length"):
        yield from _standard_body(body.read, length)
        return
    early: bytes = reader.unreader.take_buffered()
    if len(early) > length:
        reader.unreader.unread(early[length:])
        early = early[:length]
    if early:
        reader.length -= len(early)
        yield memoryview(early)
    yield from _socket_body(socket, body, length - len(early))


def _socket_body(socket: Any, body: Any, length: int) -> Iterator[memoryview]:
    buffer = _buffer_take()
    socket.settimeout(STALLED_S)
    try:
        while length:
            count = _fill_buffer(socket.recv_into, buffer, min(length, BUFFER_SIZE))
            if not count:
                return
            length -= count
            body.reader.length -= count
            yield buffer[:count]
    except OSError:
        # Where the next request begins is unknown now, so that gunicorn must not look for one.
        body.failed = True
        raise
    finally:
        socket.settimeout(None)
        if len(_buffers) < BUFFERS_KEPT:
            _buffers.append(buffer)


def _buffer_take() -> memoryview:
    try:
        return _buffers.pop()
    except IndexError:
        return memoryview(bytearray(BUFFER_SIZE))


def _fill_buffer(recv_into: Callable[[memoryview], int], buffer: memoryview, wanted: int) -> int:
    # Small reads are gathered, so that the file is written and hashed in large pieces.
    filled = 0
    while filled < wanted:
        count = recv_into(buffer[filled:wanted])
        if not count:
            break
        filled += count
    return filled


def _standard_body(read: Callable[[int], bytes], length: int) -> Iterator[memoryview]:
    while length:
        data = read(min(length, BUFFER_SIZE))
        if not data:
            return
        length -= len(data)
        yield memoryview(data)
