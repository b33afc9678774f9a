"""What a slice call is going to do: how the object is cut, and a file that must stay as it is meanwhile."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from apps.storage.cos.arguments import number_argument
from apps.storage.cos.parts import etag_bare
from apps.storage.digest import crc64_update, file_pieces
from apps.storage.errors import Refused
from apps.storage.multipart import MIB, PART_SIZE_MAX, PART_SIZE_MIN, PartPlan, plan_of, plan_parts
from apps.storage.types import FileSlice, StoredPart

SINGLE_MAX = PART_SIZE_MAX
_THREADS_MAX = 256


def upload_plan(size: int, slice_size: int | str | None) -> PartPlan:
    """Return how a file of `size` bytes is cut; one part means a single request.

    `slice_size` is kept within 1 MiB and 5 GiB, and doubled until 10,000 parts suffice. Without one, parts
    have 8 MiB, and 16 MiB from 1 GiB up. Raises Refused for text that is no size and for a file too large.
    """
    wanted = _part_size("SliceSize", slice_size)
    if size <= (wanted or PART_SIZE_MIN):
        return plan_of(size=size, part_size=wanted or PART_SIZE_MIN)
    return plan_parts(size, part_size=wanted)


def copy_plan(
    size: int, chunk_size: int | str | None, slice_size: int | str | None, *, is_in_parts: bool = False
) -> PartPlan | None:
    """Return how an object of `size` bytes is copied in parts; None means by a single request.

    It is one up to `slice_size`, by default and at most 5 GiB, unless it must be `is_in_parts`; an empty
    object always is. Parts as in `upload_plan`.
    """
    single_max = min(SINGLE_MAX, _number("SliceSize", slice_size) or SINGLE_MAX)
    wanted = _part_size("ChunkSize", chunk_size)
    if size <= single_max and not is_in_parts:
        return None
    if not size:
        raise Refused("An empty object has no parts: it cannot be copied into an unfinished upload.")
    return plan_parts(size, part_size=wanted)


def threads_of(limit: int | str | None, default: int) -> int:
    """Return how many parts may be under way at once; raises Refused outside 1 to 256."""
    return (
        default if limit in (None, "") else number_argument("AsyncLimit", limit, least=1, most=_THREADS_MAX)
    )


def _number(name: str, value: int | str | None) -> int | None:
    return None if value in (None, "") else number_argument(name, value, least=1)


def _part_size(name: str, value: int | str | None) -> int | None:
    number = _number(name, value)
    return None if number is None else max(MIB, min(PART_SIZE_MAX, number))


@dataclass(frozen=True)
class PartDigest:
    """What a range of a file adds up to. `md5` is hexadecimal, None where nobody asked for it."""

    length: int
    crc64: int
    md5: str | None

    def is_of(self, part: StoredPart) -> bool:
        """Return whether a stored part has these bytes.

        Its ETag is their MD5; a store that encrypts with keys of its own has other ETags, and there only a
        CRC-64 can tell. Where nothing can, it is not.
        """
        if part.size != self.length or part.crc64 not in (None, str(self.crc64)):
            return False
        return part.crc64 is not None or etag_bare(part.etag).lower() == self.md5


class SliceFile:
    """A regular file that is read from several threads and must not change. Close it, or use it in `with`.

    Raises OSError when it cannot be opened, Refused when it is not a regular file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # Opening a named pipe would wait for somebody to write to it.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise Refused(f"{os.fspath(path)} is not a regular file.")
        self._file = Path(path).open("rb")  # noqa: SIM115
        self._stamp = self._look()
        self.size = self._stamp[0]

    def __enter__(self) -> SliceFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def part(self, offset: int, length: int) -> FileSlice:
        """Return a range of the file as a body."""
        return FileSlice(self._file, offset, length)

    def digest(
        self, offset: int, length: int, *, with_md5: bool, on_read: Callable[[int], object]
    ) -> PartDigest:
        """Read a range and return what it adds up to; `on_read` hears how much has been read and may raise.

        Raises Refused when the file has become shorter.
        """
        crc, done, md5 = 0, 0, hashlib.md5(usedforsecurity=False)
        try:
            for piece in file_pieces(self._file.fileno(), offset, length):
                crc = crc64_update(piece, crc)
                if with_md5:
                    md5.update(piece)
                done += len(piece)
                on_read(done)
        except EOFError:
            self.require_unchanged()
            raise Refused("The file cannot be read to its end.") from None
        return PartDigest(length, crc, md5.hexdigest() if with_md5 else None)

    def require_unchanged(self) -> None:
        """Raise Refused if the file's size or time of change is not what it was when it was opened."""
        if self._look() != self._stamp:
            raise Refused(
                "The file changed while it was read; nothing was made of it. Try again once it is at rest.",
                code="FileChanged",
            )

    def _look(self) -> tuple[int, int]:
        found = os.fstat(self._file.fileno())
        return found.st_size, found.st_mtime_ns
