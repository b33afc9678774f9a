"""Taking a browser's connection away from the web server, so that none of its threads waits for the page.

Gunicorn shows an application the socket of its request. What follows swaps the descriptor beneath: the live
page's connection gets a descriptor of its own, and gunicorn keeps one that leads nowhere. It writes its
answer there, counts and closes it like any other, and never knows. Servers that show no socket, encrypted
connections and HTTP/2, where one socket is many requests, keep the thread.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Nowhere:
    """The empty body that the web server sends into the void. Closing it ends the void."""

    def __init__(self, body: Any, far_end: socket.socket) -> None:
        self._body = body
        self._far_end = far_end

    def __iter__(self) -> Nowhere:
        return self

    def __next__(self) -> bytes:
        raise StopIteration

    def close(self) -> None:
        self._far_end.close()
        self._body.close()


def is_possible(environ: WSGIEnvironment) -> bool:
    """Return whether this request came over a plain connection that the web server shows."""
    # A subclass encrypts, or belongs to a server that must see every wait.
    is_plain = type(environ.get("gunicorn.socket")) is socket.socket
    return is_plain and "HTTP_VERSION" not in environ and environ["SERVER_PROTOCOL"].startswith("HTTP/1.")


def socket_take(environ: WSGIEnvironment) -> tuple[socket.socket, socket.socket]:
    """Return the browser's socket, and the far end of what the web server has now instead.

    Raises OSError when the process has no descriptors left; the web server then still has its socket.
    """
    servers: socket.socket = environ["gunicorn.socket"]
    near_end, far_end = socket.socketpair()
    try:
        taken = servers.dup()
    except OSError:
        far_end.close()
        raise
    else:
        os.dup2(near_end.fileno(), servers.fileno(), inheritable=False)
    finally:
        near_end.close()
    return taken, far_end
