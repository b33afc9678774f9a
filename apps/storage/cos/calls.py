"""Signs a call, sends it as often as its nature allows, and accepts only the statuses it expects."""

from __future__ import annotations

import base64
import hashlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from apps.storage import errors
from apps.storage.cos.addresses import bucket_host
from apps.storage.cos.arguments import credentials_check
from apps.storage.cos.bodies import BytesBody
from apps.storage.cos.cancel import CancelToken, cancel_applied
from apps.storage.cos.curl import Timeouts, TransportFailure
from apps.storage.cos.digits import whole_number
from apps.storage.cos.download import Download
from apps.storage.cos.failures import failure_of, is_error_document, is_foreign
from apps.storage.cos.keys import key_check
from apps.storage.cos.messages import Answer, Call, Pace, Repeat, Request, Subject
from apps.storage.cos.sendfile import SendfileTransport
from apps.storage.cos.signing import Signer
from apps.storage.cos.transport import CurlTransport
from apps.storage.types import Credentials, Endpoint

# What an operation returns: the documented fields by their documented names, and always `RequestId`.
Result = dict[str, Any]

_USER_AGENT = "cos-console"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Retries:
    """How often a call is tried, and how long to wait in between: doubling, with jitter, in seconds.

    A small call is not tried again after `short_for_s`: a page waits for it, and a thread with the page.
    """

    attempts: int = 4
    short_for_s: float = 15.0
    first_delay_s: float = 0.3
    delay_max_s: float = 10.0

    def delay_s(self, attempt: int) -> float:
        """Return the pause after failed attempt number `attempt`, counted from 1.

        Between half and all of it is waited: workers that were refused together must not return together.
        """
        full = min(self.delay_max_s, self.first_delay_s * 2.0 ** (attempt - 1))
        return full * random.uniform(0.5, 1.0)  # noqa: S311


class Caller:
    """What all operations share: the endpoint, the signer, the transport and the patience."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        endpoint: Endpoint | None = None,
        retries: Retries | None = None,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        credentials_check(credentials)
        self.endpoint = endpoint or Endpoint()
        self._signer = Signer(credentials, clock=clock)
        self._is_anonymous = not credentials.secret_id
        self._retries = retries or Retries()
        self._timeouts = timeouts or Timeouts()
        self._transport = CurlTransport(self.endpoint, self._timeouts)
        self._sendfile = SendfileTransport(self.endpoint, self._timeouts)

    def _bucket_call(self, operation: str, method: str, bucket: str, region: str, **more: Any) -> Answer:
        """Send a call to a bucket; raises Refused before anything is sent for an illegal name."""
        host = bucket_host(self.endpoint, bucket, region)
        return self._call(Call(operation=operation, method=method, host=host, **more))

    def _settings_delete(
        self, operation: str, bucket: str, region: str, *, query: tuple[tuple[str, str], ...]
    ) -> str:
        """Delete what is configured on a bucket and return the request id.

        Having had nothing is fine: the documentation does not say whether that is a 204 or a 404, and the
        second try after a lost answer sees it, too.
        """
        try:
            return self._bucket_call(
                operation, "DELETE", bucket, region, query=query, accepts=(200, 204), repeat=Repeat.ONCE
            ).request_id
        except errors.NotFound as error:
            if isinstance(error, errors.BucketNotFound):
                raise
            return error.request_id

    def _object_call(
        self, operation: str, method: str, bucket: str, region: str, key: str, **more: Any
    ) -> Answer:
        """Send a call to an object; raises Refused before anything is sent for an illegal name."""
        return self._call(self._object_request(operation, method, bucket, region, key, **more))

    def _object_request(
        self, operation: str, method: str, bucket: str, region: str, key: str, **more: Any
    ) -> Call:
        key_check(key)
        more.setdefault("subject", Subject.OBJECT)
        host = bucket_host(self.endpoint, bucket, region)
        return Call(operation=operation, method=method, host=host, path=f"/{key}", **more)

    def _call(self, call: Call) -> Answer:
        """Return the answer of a call that succeeded; raises the error that the answer stands for."""
        return self._repeated(call, lambda: self._attempt(call))

    def _open(self, call: Call) -> Download:
        """Return an open download of a call that succeeded. A body that breaks later is not repeated."""
        return self._repeated(call, lambda: self._attempt_open(call))

    def _attempt(self, call: Call) -> Answer:
        request = self._signed(call)
        answer = (self._sendfile if self._sendfile.takes(request) else self._transport).send(request)
        return accepted(request, answer)

    def _attempt_open(self, call: Call) -> Download:
        request = self._signed(call)
        download = Download(request, self.endpoint, self._timeouts)
        if download.status in call.accepts and _is_object(Answer(download.status, download.headers)):
            return download
        answer = download.answer()
        raise Refusal(failure_of(call, answer, hidden=_secrets_of(request)), answer)

    def _repeated(self, call: Call, attempt: Callable[[], _T]) -> _T:
        try:
            return self._persist(call, attempt, cancel_applied())
        except errors.Canceled as canceled:
            canceled.operation = canceled.operation or call.operation
            raise

    def _persist(self, call: Call, attempt: Callable[[], _T], token: CancelToken | None) -> _T:
        number, begun_at = 1, time.monotonic()
        while True:
            try:
                if token is not None:
                    token.require()
                return attempt()
            except (TransportFailure, Refusal) as caught:
                failure = caught
            delay_s = self._delay_s(call, failure, number=number, begun_at=begun_at)
            if delay_s is None:
                raise failure.error
            _pause(call, delay_s, token)
            number += 1

    def _delay_s(
        self, call: Call, failure: TransportFailure | Refusal, *, number: int, begun_at: float
    ) -> float | None:
        """Return the pause before the next attempt after failed attempt `number`, None when it was the last.

        The error then knows its operation and is for the caller.
        """
        delay_s = self._retries.delay_s(number)
        if isinstance(failure, Refusal):
            may_repeat = _may_repeat(call, failure.error, number)
            # On top of what the store asked for: all who were told the same must not return together.
            delay_s += failure.asked_delay_s(self._retries.delay_max_s)
        else:
            may_repeat = not failure.is_final and (not failure.was_sent or _survives_doubt(call, number))
        if may_repeat and number < self._retries.attempts and not self._is_late(call, begun_at):
            return delay_s
        failure.error.operation = call.operation
        return None

    def _is_late(self, call: Call, begun_at: float) -> bool:
        return call.pace is Pace.SHORT and time.monotonic() - begun_at > self._retries.short_for_s

    def _signed(self, call: Call) -> Request:
        """Return the call with its final headers. Each attempt is signed anew: a window may have passed."""
        headers = [("Host", call.host), ("User-Agent", _USER_AGENT), *call.headers]
        is_signed = call.is_signed and not self._is_anonymous
        if is_signed and self._signer.token:
            headers.append(("x-cos-security-token", self._signer.token))
        if is_signed:
            # libcurl writes the length itself; it is signed because every other client signs it.
            length = [("Content-Length", str(call.body.length))] if call.body is not None else []
            authorization = self._signer.authorization(
                method=call.method, path=call.path, query=call.query, headers=[*headers, *length]
            )
            headers.append(("Authorization", authorization))
        return Request(call, tuple(headers))


def _is_object(answer: Answer) -> bool:
    """Return whether what follows this head is somebody's object, which may itself look like an error.

    The store puts an ETag on all content, and says of its own documents only that they are XML.
    """
    is_document = answer.headers.get("content-type", "").startswith(("application/xml", "text/xml"))
    return not is_foreign(answer) and ("etag" in answer.headers or not is_document)


class Refusal(Exception):
    """An answer that is not success."""

    def __init__(self, error: errors.StorageError, answer: Answer) -> None:
        super().__init__(str(error))
        self.error = error
        self._answer = answer

    def asked_delay_s(self, limit_s: float) -> float:
        """Return the seconds that the store asked to wait, 0 when it did not say, at most `limit_s`."""
        asked = whole_number(self._answer.headers.get("retry-after", ""))
        return min(limit_s, float(asked or 0))


def _secrets_of(request: Request) -> tuple[str, ...]:
    """Return what was sent in confidence. A store or a proxy may quote it in the message of an error."""
    headers = {name.lower(): value for name, value in request.headers}
    signature = headers.get("authorization", "").rpartition("q-signature=")[2]
    return tuple(filter(None, (signature, headers.get("x-cos-security-token"))))


def accepted(request: Request, answer: Answer) -> Answer:
    """Return `answer` when it is what the call wants; raises Refusal for each other one."""
    call = request.call
    if answer.status in call.accepts and not is_error_document(answer.body) and not is_foreign(answer):
        return answer
    raise Refusal(failure_of(call, answer, hidden=_secrets_of(request)), answer)


def xml_request(body: bytes) -> dict[str, Any]:
    """Return the fields of a call that carries an XML body; COS demands the MD5 of such bodies."""
    md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    headers = (("Content-Type", "application/xml"), ("Content-MD5", md5))
    return {"body": BytesBody(body), "headers": headers}


def _may_repeat(call: Call, error: errors.StorageError, number: int) -> bool:
    if isinstance(error, errors.Throttled):
        # The store says that it did not begin, so this is safe for every call.
        return True
    return isinstance(error, errors.Unavailable) and _survives_doubt(call, number)


def _survives_doubt(call: Call, number: int) -> bool:
    """Return whether a call may follow an attempt that perhaps worked."""
    return call.repeat is Repeat.FREELY or (call.repeat is Repeat.ONCE and number == 1)


def _pause(call: Call, delay_s: float, token: CancelToken | None) -> None:
    """Sleep, but notice a cancel at once, and within a quarter of a second a caller who says no."""
    until = time.monotonic() + delay_s
    while (left_s := until - time.monotonic()) > 0:
        if call.on_progress is not None and call.on_progress(0) is False:
            raise errors.Canceled("The call was canceled.", operation=call.operation)
        (time.sleep if token is None else token.wait)(min(0.25, left_s))
