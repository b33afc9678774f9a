"""Many objects as one zip that is made while it is sent: no file on disk, no object in memory."""

from __future__ import annotations

import csv
import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from itertools import chain
from tempfile import SpooledTemporaryFile

from django.conf import settings
from stream_zip import NO_COMPRESSION_32, ZIP_AUTO, Method, stream_zip

from apps.batches.selection import Selection, Source
from apps.objects.members import MANIFEST, beside, common_base, is_text_name, member_name
from apps.storage.digest import crc64_update
from apps.storage.errors import Conflict, Interrupted, NotFound, StorageError, Unavailable
from apps.storage.store import ObjectBody, ObjectStore
from apps.storage.types import ObjectInfo

logger = logging.getLogger(__name__)

MODE = 0o644
FOLDER_MODE = 0o755
TRIES = 3
# A store that is down would otherwise be asked for every one of a million objects.
SILENCES_MAX = 10
_TEXT_LEVEL = 1
_OLDEST = datetime(1980, 1, 1, tzinfo=UTC)
_MANIFEST_HELD = 1 << 20
# A spreadsheet runs what begins with one of these.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = ("name", "result", "detail", "key", "size", "etag", "crc64", "request_id")

Member = tuple[str, datetime, int, Method, Iterable[bytes]]


@dataclass(frozen=True)
class Wanted:
    """A key that shall be in the zip, or a listing that failed with `error` and left some out."""

    key: str
    error: StorageError | None = None


@dataclass(frozen=True)
class Place:
    """The bucket whose objects are packed."""

    store: ObjectStore
    bucket: str
    region: str


class ZipsBusy(Exception):
    """As many zips as this process may send are being sent."""


class _Slots:
    """The zips under way in this process. Each holds one of the web server's threads until it is sent."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.taken = 0

    def take(self) -> None:
        with self.lock:
            if self.taken >= settings.ZIP_STREAMS:
                raise ZipsBusy
            self.taken += 1

    def give(self) -> None:
        with self.lock:
            self.taken -= 1


_slots = _Slots()


class Zip:
    """The bytes of a zip of everything that a selection means, with a manifest as its last member.

    An object that cannot be read is a line of the manifest, and the zip goes on. One whose bytes end early
    is asked for again from there; if that fails, too, its member is short and the manifest says so. Bytes are
    compared with size and CRC-64. Of each member only its name and its entry in the directory are held, some
    400 bytes. Raises ZipsBusy when it is made while too many others are sent, and StorageError when the first
    page of keys cannot be listed. Close it when done.
    """

    def __init__(self, *, place: Place, selection: Selection) -> None:
        _slots.take()
        self._has_slot = True
        self._place = place
        self._base = base_of(selection)
        self._body: ObjectBody | None = None
        self._silences = 0
        self._files: set[str] = set()
        self._file = SpooledTemporaryFile(max_size=_MANIFEST_HELD)  # noqa: SIM115 - closed by `close`.
        self._manifest = TextIOWrapper(self._file, encoding="utf-8-sig", newline="", write_through=True)
        self._rows = csv.writer(self._manifest)
        self._rows.writerow(COLUMNS)
        wanted = wanted_keys(place, selection)
        first = next(wanted, None)
        if first is not None and first.error is not None:
            self.close()
            raise first.error
        self._wanted = chain([first] if first else [], wanted)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from stream_zip(self._members())
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the store's connection and of the manifest; called whenever the browser leaves."""
        self._body_close()
        self._manifest.close()
        if self._has_slot:
            self._has_slot = False
            _slots.give()

    def _members(self) -> Iterator[Member]:
        for wanted in self._wanted:
            if wanted.error is not None:
                self._note(wanted.key, "", "not listed", error=wanted.error)
                continue
            name = beside(member_name(wanted.key, self._base), self._files)
            info = self._opened(wanted.key, name)
            if info is not None:
                yield self._member(name, info)
                self._body_close()
            if self._silences >= SILENCES_MAX:
                self._note("", "", "stopped", "The store did not answer any more. What follows is missing.")
                break
        yield MANIFEST, datetime.now(UTC), MODE, ZIP_AUTO(0, level=_TEXT_LEVEL), self._manifest_bytes()

    def _opened(self, key: str, name: str) -> ObjectInfo | None:
        """Open the next object; None after a line in the manifest when it cannot be read."""
        try:
            self._body = self._get(key)
        except StorageError as error:
            self._silences += isinstance(error, Unavailable)
            self._note(key, name, "missing" if isinstance(error, NotFound) else "failed", error=error)
            return None
        self._silences = 0
        return self._body.info

    def _member(self, name: str, info: ObjectInfo) -> Member:
        modified_at = max(info.modified_at or _OLDEST, _OLDEST)
        if name.endswith("/"):
            if not info.size:
                self._note(info.key, name, "ok", info=info)
                return name, modified_at, FOLDER_MODE, NO_COMPRESSION_32, ()
            # A folder in a zip has no bytes, and this one would lose them.
            name = f"{name}_"
        self._files.add(name)
        level = _TEXT_LEVEL if is_text_name(name) else 0
        return name, modified_at, MODE, ZIP_AUTO(info.size, level=level), self._bytes(name, info)

    def _bytes(self, name: str, info: ObjectInfo) -> Iterator[bytes]:
        sent = crc = tries = 0
        failure: StorageError | None = None
        while sent < info.size:
            try:
                body = self._body or self._get(info.key, first=sent, etag=info.etag)
                self._body = body
                for chunk in body:
                    sent += len(chunk)
                    crc = crc64_update(chunk, crc)
                    yield chunk
                if sent < info.size:
                    raise Interrupted("The store ended the object too early.")
            except StorageError as error:
                self._body_close()
                failure, tries = error, tries + 1
                if tries >= TRIES or isinstance(error, NotFound | Conflict):
                    break
        if sent != info.size:
            self._note(
                info.key, name, "incomplete", f"{sent} of {info.size} bytes.", info=info, error=failure
            )
        elif info.crc64 not in (None, "", str(crc)):
            self._note(info.key, name, "damaged", f"The bytes have the CRC-64 {crc}.", info=info)
        else:
            self._note(info.key, name, "ok", info=info)

    def _get(self, key: str, *, first: int = 0, etag: str | None = None) -> ObjectBody:
        place = self._place
        return place.store.get_object(
            bucket=place.bucket,
            region=place.region,
            key=key,
            byte_range=f"bytes={first}-" if first else None,
            if_match=etag,
        )

    def _body_close(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            body.close()

    def _note(
        self,
        key: str,
        name: str,
        result: str,
        detail: str = "",
        *,
        info: ObjectInfo | None = None,
        error: StorageError | None = None,
    ) -> None:
        said = f"{error.status or ''} {error}".strip() if error else ""
        facts = (str(info.size), info.etag, info.crc64 or "") if info else ("", "", "")
        cells = (name, result, f"{detail} {said}".strip(), key, *facts, error.request_id if error else "")
        self._rows.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])

    def _manifest_bytes(self) -> Iterator[bytes]:
        self._manifest.flush()
        self._file.seek(0)
        while piece := self._file.read(1 << 16):
            yield piece


def base_of(selection: Selection) -> str:
    """Return the folder below which names inside the zip begin."""
    if selection.match is not None:
        return selection.match.prefix
    return common_base((*selection.keys, *selection.folders)) if not selection.is_empty else ""


def wanted_keys(place: Place, selection: Selection) -> Iterator[Wanted]:
    """Yield every key that a selection means, a page of a listing at a time."""
    for source in selection.sources():
        yield from (Wanted(key) for key in source.keys)
        if not source.keys:
            yield from _listed(place, source)


def _listed(place: Place, source: Source) -> Iterator[Wanted]:
    marker: str | None = ""
    while marker is not None:
        try:
            listing = place.store.list_objects(
                bucket=place.bucket,
                region=place.region,
                prefix=source.prefix,
                delimiter="/" if source.match and source.match.is_flat else "",
                marker=marker,
            )
        except StorageError as error:
            logger.warning("A folder could not be listed for a zip.", extra={"request_id": error.request_id})
            yield Wanted(source.prefix, error)
            return
        for summary in listing.objects:
            if source.match is None or source.match.takes(summary):
                yield Wanted(summary.key)
        marker = listing.next_marker
