"""How every libcurl handle is set up, and what its failures mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from urllib.parse import urlsplit

import certifi
import pycurl

from apps.storage import errors
from apps.storage.cos.messages import Pace, Request
from apps.storage.types import Endpoint

ANSWER_BYTES_MAX = 64 << 20
_UPLOAD_BUFFER = 512 << 10

_NEVER_SENT = {
    pycurl.E_COULDNT_RESOLVE_HOST: "The store's host name cannot be resolved.",
    pycurl.E_COULDNT_CONNECT: "The store cannot be reached.",
    pycurl.E_SSL_CONNECT_ERROR: "The encrypted connection to the store could not be set up.",
    pycurl.E_PEER_FAILED_VERIFICATION: "The store's certificate is not trusted.",
}
_MAYBE_SENT = {
    pycurl.E_OPERATION_TIMEDOUT: "The store did not answer in time.",
    pycurl.E_GOT_NOTHING: "The store closed the connection without an answer.",
    pycurl.E_SEND_ERROR: "The connection to the store broke while sending.",
    pycurl.E_RECV_ERROR: "The connection to the store broke while receiving.",
    pycurl.E_FILESIZE_EXCEEDED: "The store's answer is larger than any answer should be.",
}


@dataclass(frozen=True)
class Timeouts:
    """How long to wait, in seconds, per phase of a call.

    `tidy_s` is for the abort of an upload whose caller wants to be gone.
    """

    connect_s: float = 10.0
    small_s: float = 10.0
    stalled_s: float = 60.0
    long_s: float = 1800.0
    tidy_s: float = 5.0


class TransportFailure(Exception):
    """No usable answer. `was_sent` says whether the store may have seen the request."""

    def __init__(self, error: errors.StorageError, *, was_sent: bool, is_final: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.was_sent = was_sent
        self.is_final = is_final


def curl_multi() -> pycurl.CurlMulti:
    """Return a new multi handle; raises TransportFailure where the system has no descriptor left for it."""
    try:
        return pycurl.CurlMulti()
    except pycurl.error:
        raise no_descriptor() from None


def no_descriptor() -> TransportFailure:
    """Return what it means that nothing can be opened in this process for the time being."""
    error = errors.Unavailable("The system has no descriptor left to work with.")
    return TransportFailure(error, was_sent=False)


def curl_prepare(curl: pycurl.Curl, request: Request, endpoint: Endpoint, timeouts: Timeouts) -> None:
    """Make a handle ready for a call, whatever it did before. It keeps its connections through `reset`."""
    curl.reset()
    curl_configure(curl, endpoint, timeouts)
    curl_aim(curl, request, endpoint)
    _method(curl, request.call.method, has_body=request.call.body is not None)


def curl_aim(curl: pycurl.Curl, request: Request, endpoint: Endpoint) -> None:
    """Point a configured handle at the address, target and headers of a call."""
    curl.setopt(pycurl.URL, f"{endpoint.scheme}://{request.call.host}/")
    # The target is ours byte for byte: libcurl would fold `/a/../b` when it stands in the URL.
    curl.setopt(pycurl.REQUEST_TARGET, request.call.target)
    curl.setopt(pycurl.HTTPHEADER, _header_lines(request))


def curl_configure(curl: pycurl.Curl, endpoint: Endpoint, timeouts: Timeouts) -> None:
    """Set what is the same for every call to an endpoint."""
    for option, value in (
        (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
        (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
        (pycurl.FOLLOWLOCATION, 0),
        (pycurl.PROXY, ""),
        (pycurl.NETRC, pycurl.NETRC_IGNORED),
        (pycurl.NOSIGNAL, 1),
        (pycurl.TCP_NODELAY, 1),
        (pycurl.TCP_KEEPALIVE, 1),
        (pycurl.CAINFO, certifi.where()),
        (pycurl.CONNECTTIMEOUT_MS, int(timeouts.connect_s * 1000)),
    ):
        curl.setopt(option, value)
    if endpoint.connect_to:
        curl.setopt(pycurl.CONNECT_TO, [f"::{endpoint.connect_to}"])


def curl_limit(curl: pycurl.Curl, pace: Pace, timeouts: Timeouts, *, method: str = "GET") -> None:
    """Set the clocks and the size limit of a call that libcurl runs from beginning to end."""
    # The Content-Length of a HEAD is the object's: nothing of that size arrives.
    if method != "HEAD":
        curl.setopt(pycurl.MAXFILESIZE_LARGE, ANSWER_BYTES_MAX)
    if pace is Pace.BODY:
        curl.setopt(pycurl.LOW_SPEED_LIMIT, 1)
        curl.setopt(pycurl.LOW_SPEED_TIME, max(1, math.ceil(timeouts.stalled_s)))
        return
    total_s = timeouts.long_s if pace is Pace.LONG else timeouts.small_s
    curl.setopt(pycurl.TIMEOUT_MS, int(total_s * 1000))


def failure_from(curl: pycurl.Curl, error: pycurl.error) -> TransportFailure:
    """Return what an error of libcurl means for the call."""
    number = error.args[0]
    if number == pycurl.E_ABORTED_BY_CALLBACK:
        return TransportFailure(errors.Canceled("The call was canceled."), was_sent=True, is_final=True)
    was_sent = number not in _NEVER_SENT and curl.getinfo(pycurl.REQUEST_SIZE) > 0
    if number == pycurl.E_PARTIAL_FILE:
        return TransportFailure(errors.Interrupted("The store's answer was cut short."), was_sent=True)
    sentence = _NEVER_SENT.get(number) or _MAYBE_SENT.get(number) or "The connection to the store failed."
    # Only libcurl's number is quoted: its text may name addresses, and says nothing more to a person.
    failure = errors.Unavailable(f"{sentence} [libcurl {number}]")
    return TransportFailure(failure, was_sent=was_sent, is_final=number == pycurl.E_PEER_FAILED_VERIFICATION)


def _method(curl: pycurl.Curl, method: str, *, has_body: bool) -> None:
    if method == "HEAD":
        curl.setopt(pycurl.NOBODY, 1)
        return
    if has_body:
        curl.setopt(pycurl.UPLOAD, 1)
        curl.setopt(pycurl.UPLOAD_BUFFERSIZE, _UPLOAD_BUFFER)
    if method != "GET":
        curl.setopt(pycurl.CUSTOMREQUEST, method)


def _header_lines(request: Request) -> list[bytes]:
    """Return the headers in libcurl's notation: "Name;" is sent empty, "Name:" is left out."""
    lines = [(f"{name}: {value}" if value else f"{name};").encode() for name, value in request.headers]
    if "Expect" not in [name for name, _ in request.headers]:
        # libcurl would ask first before each larger body, which costs a round trip per part.
        lines.append(b"Expect:")
    return lines


def address_of(endpoint: Endpoint, host: str) -> tuple[str, int]:
    """Return the (host, port) that a socket to `host` really connects to."""
    parts = urlsplit(f"//{endpoint.connect_to or host}")
    return parts.hostname or host, parts.port or (443 if endpoint.scheme == "https" else 80)
