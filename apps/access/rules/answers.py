"""What a store answered about one place: every question by itself, because each can fail alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from apps.storage.cors import Preflight
from apps.storage.errors import BucketNotFound, Denied, NotFound, StorageError
from apps.storage.grants import Acl
from apps.storage.types import ObjectInfo

T = TypeVar("T")


class Outcome(StrEnum):
    """How a question was answered. FAILED is no answer: nothing follows from it."""

    YES = "yes"
    REFUSED = "refused"
    MISSING = "missing"
    FAILED = "failed"


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What one question brought: a value, or the error that came instead."""

    value: T | None = None
    error: StorageError | None = None

    @property
    def outcome(self) -> Outcome:
        match self.error:
            case None:
                return Outcome.YES
            case Denied():
                return Outcome.REFUSED
            case NotFound():
                return Outcome.MISSING
            case _other:
                return Outcome.FAILED


@dataclass(frozen=True)
class Origin:
    """A page in a browser that would send a request."""

    origin: str
    method: str = "GET"


@dataclass(frozen=True)
class Explained:
    """Every answer about a place. What is None was not asked.

    `probe` is what somebody without a key gets, `list_probe` whether they may list the bucket.
    """

    bucket: Answer[None]
    bucket_acl: Answer[Acl]
    list_probe: Answer[None]
    info: Answer[ObjectInfo] | None = None
    acl: Answer[Acl] | None = None
    probe: Answer[ObjectInfo] | None = None
    preflight: Answer[Preflight] | None = None

    @property
    def is_bucket_missing(self) -> bool:
        return isinstance(self.bucket.error, BucketNotFound)

    @property
    def is_object_missing(self) -> bool:
        return self.info is not None and self.info.outcome is Outcome.MISSING
