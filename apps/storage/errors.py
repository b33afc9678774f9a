"""Everything that can go wrong between the console and a store.

StorageError
├── NotFound            bucket, object or upload does not exist (404)
│   ├── BucketNotFound
│   ├── ObjectNotFound
│   └── UploadNotFound
├── Denied              the key may not do this, or the signature, clock or token is wrong (401, 403)
├── Conflict            the store's state forbids it: not empty, exists already, precondition (409, 412)
├── Refused             the request itself is unacceptable (400, 405, 411, 416, 451)
├── Throttled           SlowDown: the same request may succeed later (429, 503 SlowDown)
├── Unavailable         5xx, dropped connection, timeout: unknown whether it happened
│   └── Interrupted     the answer was cut while its body was read
├── Corrupted           a digest differs: what was stored is not what was sent
└── Canceled            the caller asked to stop
"""

from __future__ import annotations


class StorageError(Exception):
    """A failed call to a store.

    `code` and `request_id` are the store's own words, empty when it never answered; `status` is the HTTP
    status or 0. The text never holds a secret, a signature or a presigned URL.
    """

    def __init__(
        self, message: str, *, code: str = "", status: int = 0, request_id: str = "", operation: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.request_id = request_id
        self.operation = operation

    def __str__(self) -> str:
        words = [self.message]
        if self.code:
            words.append(f"({self.code})")
        return " ".join(words)


class NotFound(StorageError):
    """Bucket, object or upload does not exist."""


class BucketNotFound(NotFound):
    """The bucket does not exist in this region."""


class ObjectNotFound(NotFound):
    """The object does not exist."""


class UploadNotFound(NotFound):
    """The multipart upload was completed, aborted or never begun."""


class Denied(StorageError):
    """The key may not do this, or its signature, clock or token was refused."""


class Conflict(StorageError):
    """The store's present state forbids it."""


# The code of a Conflict that says: the key is taken, and the write was for a new object only.
TAKEN = "FileAlreadyExists"


class Refused(StorageError):
    """The request itself is unacceptable; sending it again cannot help."""


class Throttled(StorageError):
    """The store asks to slow down."""


class Unavailable(StorageError):
    """No usable answer: 5xx, dropped connection or timeout. It may or may not have happened."""


class Interrupted(Unavailable):
    """The body of an answer ended too early."""


class Corrupted(StorageError):
    """A digest differs between what was sent and what the store holds."""


class Canceled(StorageError):
    """The caller asked to stop while the call was under way."""
