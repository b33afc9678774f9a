"""Every public method of the client in a legal call: the table of operations, and what is built on them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

from apps.storage import errors
from apps.storage.cos import CosClient
from apps.storage.types import FileSlice
from tests.storage import documents
from tests.storage.operations import AT, OBJECT, OPERATIONS, UPLOAD
from tests.storage.recorder import reply

MIB = 1 << 20
# As long as a body must be to be sent straight from its file.
FILE_SIZE = 64 << 10
SOURCE = {**AT, "Key": "source"}


@dataclass(frozen=True)
class Legal:
    """`answer` is what a contented store says; None where one answer is not enough."""

    call: Callable[[CosClient], Any]
    document: str = ""
    answer: bytes | None = None


@cache
def opened(size: int) -> int:
    """Return the descriptor of a file in memory."""
    descriptor = os.memfd_create("body")
    os.truncate(descriptor, size)
    return descriptor


def path_of(size: int) -> str:
    return f"/proc/self/fd/{opened(size)}"


@cache
def sent_file() -> FileSlice:
    """Return a body that goes out through sendfile."""
    return FileSlice(os.fdopen(opened(FILE_SIZE), "rb", closefd=False), 0, FILE_SIZE)


def acls(client: CosClient) -> Any:
    """Return what came of several keys; the error of one is raised, as that of a single call is."""
    outcomes = dict(client.get_object_acls(**AT, Keys=["a", "b"]))
    for outcome in outcomes.values():
        if isinstance(outcome, errors.StorageError):
            raise outcome
    return outcomes


LEGAL = {
    operation.method: Legal(
        operation.call,
        operation.answer.partition(b"\r\n\r\n")[2].decode() if operation.is_xml else "",
        operation.answer,
    )
    for operation in OPERATIONS
} | {
    "put_object, file": Legal(lambda c: c.put_object(**OBJECT, Body=sent_file()), answer=reply()),
    "multipart_upload, file": Legal(
        lambda c: c.multipart_upload(**UPLOAD, PartNumber=1, Body=sent_file()), answer=reply()
    ),
    "get_object_acls": Legal(acls, documents.ACL, reply(200, documents.ACL.encode())),
    "get_bucket_xml": Legal(lambda c: c.get_bucket_xml(**AT), documents.PAGE),
    # A page that never ends must not make the test endless.
    "get_bucket_pages": Legal(lambda c: list(islice(c.get_bucket_pages(**AT), 3)), documents.PAGE),
    "slice_upload_file": Legal(lambda c: c.slice_upload_file(**OBJECT, FilePath=path_of(FILE_SIZE))),
    "slice_upload_file, parts": Legal(
        lambda c: c.slice_upload_file(**OBJECT, FilePath=path_of(2 * MIB), SliceSize=MIB), documents.BEGUN
    ),
    "slice_upload_file, named": Legal(
        lambda c: c.slice_upload_file(**UPLOAD, FilePath=path_of(2 * MIB), SliceSize=MIB), documents.PARTS
    ),
    "slice_copy_file": Legal(lambda c: c.slice_copy_file(**OBJECT, CopySource=SOURCE), documents.COPIED),
    "slice_copy_file, named": Legal(
        lambda c: c.slice_copy_file(**UPLOAD, CopySource=SOURCE), documents.PART_COPIED
    ),
}
