"""The table of requests leaves no operation and no argument of our client out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_args, get_type_hints

import pytest

from apps.storage.cos import CosClient
from tests.storage.wire.table import CASES

ELSEWHERE = {
    "get_object_url": "sends nothing: test_presigned_urls_are_equal",
    "get_bucket_pages": "sends what get_bucket sends: test_page_is_asked_for_as_a_single_one_is",
    "get_bucket_xml": "sends what get_bucket sends: test_unread_page_is_asked_for_as_a_read_one_is",
    "get_object_acls": "sends what get_object_acl sends: test_requests_are_signed_and_equal_to_single_ones",
    "slice_copy_file": "is made of the other operations: test_slice_copy",
    "slice_upload_file": "is made of the other operations: slice_upload",
}
NEVER_SENT = {
    "Bucket": "is the host, in every case",
    "Region": "is the host, in every case",
    "Output": "where a download goes",
    "onProgress": "is called",
    "ExpectedSize": "compared when the answer to Complete was lost",
    "ExpectedCRC64": "compared when the answer to Complete was lost",
}
OPERATIONS = {
    name: method
    for name, method in inspect.getmembers(CosClient, inspect.isfunction)
    if not name.startswith("_") and name not in ELSEWHERE
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_argument_is_compared(operation: str) -> None:
    compared = {name for case in CASES if case.operation == operation for name in case.arguments}

    assert set(arguments_of(OPERATIONS[operation])) - compared - NEVER_SENT.keys() == set()


def test_every_exception_is_still_one() -> None:
    arguments = {name for method in OPERATIONS.values() for name in arguments_of(method)}

    assert NEVER_SENT.keys() <= arguments
    assert all(hasattr(CosClient, name) for name in ELSEWHERE)


def arguments_of(method: Callable[..., Any]) -> Iterator[str]:
    """Yield the names of the keyword arguments, those of an unpacked dictionary included."""
    hints = get_type_hints(method)
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            yield from get_type_hints(get_args(hints[name])[0])
        elif name != "self":
            yield name
