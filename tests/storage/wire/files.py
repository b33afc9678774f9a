"""Bodies that are files: our client may let the kernel send them, past the HTTP library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from apps.storage.types import FileSlice
from tests.storage.wire.case import KEY, Case, Side
from tests.storage.wire.facts import Differ
from tests.storage.wire.objects import HEADERS, NODE_HEADERS, PYTHON_HEADERS
from tests.storage.wire.reasons import EMPTY_CACHE_CONTROL

# The second is sent by the kernel, the first is too small to gain from that.
SIZES = (300, 100_000)
BYTES = bytes(range(256)) * 400
GUESSED = {
    "header content-type": Differ(
        "we leave the type to the store, which derives it from the key; the SDK derives it from the file",
        None,
        "text/csv (signed)",
    )
}
CHUNKED = {
    "header transfer-encoding": Differ("the SDK sends an empty file in chunks", None, "chunked (signed)"),
    "header content-length": Differ("as for the chunks", "of the body (signed)", None),
}


def file_cases(path: Path, file: Any) -> list[Case]:
    """Return cases that send the file at `path`, which `file` has open for the Python SDK."""
    length = path.stat().st_size
    size = {"ContentLength": length}
    whole = {"Key": KEY, "Body": path}
    sliced = FileSlice(file, 10, length - 20)
    part = {"Key": KEY, "UploadId": "u", "PartNumber": 2, "Body": sliced}
    bytes_of_part = {"Body": path.read_bytes()[10:-10]}
    return [
        Case(
            "put_object",
            whole,
            Side("put_object", {"Body": file}),
            Side("putObject", size, {**EMPTY_CACHE_CONTROL, **GUESSED}),
        ),
        Case(
            "put_object",
            {**whole, **HEADERS},
            Side("put_object", {"Body": file, **PYTHON_HEADERS}),
            Side("putObject", {**size, **NODE_HEADERS}),
        ),
        Case(
            "multipart_upload",
            part,
            Side("upload_part", bytes_of_part),
            Side("multipartUpload", bytes_of_part),
        ),
    ]
