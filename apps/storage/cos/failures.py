"""Turns what the store answered into one of our errors.

The table is by code, because statuses are shared: 400 is a bad digest, a slow line and an expired token.
Source: COS "Error codes", 2026-08.
"""

from __future__ import annotations

import re

from apps.storage import errors
from apps.storage.cos.messages import Answer, Call, Subject
from apps.storage.cos.xmlread import text_of, xml_parse

# Possessive, because a Complete may answer with any number of blanks first: a match that gave some of them
# back to try again would take quadratic time.
_ERROR_ROOT = re.compile(rb"\s*+(?:<\?xml[^>]*+>)?\s*+<Error[\s/>]")

_HTML = re.compile(rb"\s*<(?:!doctype\s+)?html", re.IGNORECASE)
_FOREIGN = "The answer comes from a proxy in between, not from the store."
_REDIRECTED = "The store points to another address; the bucket is probably in another region."

_NOT_FOUND = {
    Subject.BUCKET: (errors.BucketNotFound, "The bucket does not exist in this region."),
    Subject.OBJECT: (errors.ObjectNotFound, "The object does not exist."),
    Subject.UPLOAD: (
        errors.UploadNotFound,
        "The upload does not exist: it was completed, aborted or never begun.",
    ),
}

_BY_CODE: dict[str, type[errors.StorageError]] = {
    "NoSuchBucket": errors.BucketNotFound,
    "NoSuchKey": errors.ObjectNotFound,
    "NoSuchCopySource": errors.ObjectNotFound,
    "NoSuchVersion": errors.ObjectNotFound,
    "NoSuchUpload": errors.UploadNotFound,
    "NoSuchCORSConfiguration": errors.NotFound,
    "NoSuchTagSet": errors.NotFound,
    "NoSuchTagSetError": errors.NotFound,
    "ExpiredToken": errors.Denied,
    "InvalidObjectState": errors.Conflict,
    "BadDigest": errors.Corrupted,
    "InvalidSHA1Digest": errors.Corrupted,
    "PreconditionFailed": errors.Conflict,
    "IncompleteBody": errors.Unavailable,
    "RequestTimeout": errors.Unavailable,
    "UserNetworkTooSlow": errors.Unavailable,
    "InternalError": errors.Unavailable,
    "ServiceUnavailable": errors.Unavailable,
    "SlowDown": errors.Throttled,
    "NotImplemented": errors.Refused,
    "AccessDenied": errors.Denied,
    "InvalidRequest": errors.Refused,
}

_BY_STATUS: dict[int, type[errors.StorageError]] = {
    401: errors.Denied,
    403: errors.Denied,
    # The store waited too long for the request, which may arrive the next time.
    408: errors.Unavailable,
    409: errors.Conflict,
    412: errors.Conflict,
    429: errors.Throttled,
    501: errors.Refused,
}

_SENTENCES: dict[type[errors.StorageError], str] = {
    errors.Denied: "The store denied access.",
    errors.Conflict: "The store's present state does not allow this.",
    errors.Refused: "The store refused the request.",
    errors.Throttled: "The store asks to slow down.",
    errors.Unavailable: "The store failed to answer.",
    errors.Corrupted: "What the store received is not what was sent.",
    errors.NotFound: "The store has no such thing.",
}


def is_error_document(body: bytes) -> bool:
    """Return whether a body is an `<Error>` document, whatever the status said.

    Copy and Complete send 200 before they begin to work, and report a failure in the body.
    """
    return _ERROR_ROOT.match(body) is not None


def is_foreign(answer: Answer) -> bool:
    """Return whether an answer without the store's id of the request is a proxy's: a web page or a bare 404.

    The store numbers each answer and writes its errors in XML. A page that asks somebody to sign in to a
    network must not become an empty list, and the 404 of a gateway not a bucket that is gone.
    """
    if answer.request_id:
        return False
    if answer.status == 404 and not is_error_document(answer.body):
        return True
    return (
        answer.headers.get("content-type", "").startswith("text/html") or _HTML.match(answer.body) is not None
    )


def failure_of(call: Call, answer: Answer, *, hidden: tuple[str, ...] = ()) -> errors.StorageError:
    """Return the error that `answer` stands for, with the texts in `hidden` cut out of its words.

    Never raises: a HEAD without body, an HTML page of a proxy and an error with empty children all become
    an error that carries at least the status.
    """
    if is_foreign(answer):
        return errors.Unavailable(_FOREIGN, status=answer.status, operation=call.operation)
    code, message, request_id = (_without(hidden, words) for words in _words(answer.body))
    kind, sentence = _kind_of(call, code, answer.status)
    return kind(
        message or sentence,
        code=code,
        status=answer.status,
        request_id=request_id or answer.request_id,
        operation=call.operation,
    )


def _kind_of(call: Call, code: str, status: int) -> tuple[type[errors.StorageError], str]:
    if 300 <= status < 400:
        # Whatever its body says: a redirect is neither success nor news about the bucket.
        return errors.Refused, _REDIRECTED
    kind = _BY_CODE.get(code)
    if kind is not None:
        return kind, _sentence(kind)
    if status == 404:
        return _NOT_FOUND[call.subject]
    if 400 <= status < 500 or status == 501:
        kind = _BY_STATUS.get(status, errors.Refused)
        return kind, _sentence(kind)
    return errors.Unavailable, _sentence(errors.Unavailable)


def _sentence(kind: type[errors.StorageError]) -> str:
    for known, sentence in _NOT_FOUND.values():
        if kind is known:
            return sentence
    return _SENTENCES[kind]


def _without(hidden: tuple[str, ...], words: str) -> str:
    for text in hidden:
        words = words.replace(text, "…")
    return words


def _words(body: bytes) -> tuple[str, str, str]:
    if not is_error_document(body):
        return "", "", ""
    try:
        root = xml_parse(body)
    except errors.Unavailable:
        return "", "", ""
    return text_of(root, "Code"), text_of(root, "Message"), text_of(root, "RequestId")
