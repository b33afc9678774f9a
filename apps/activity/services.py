"""The log of what people and jobs did: written once, read in pages, checked from end to end."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.activity.models import ChainEnd, Entry, EntryQuerySet
from apps.activity.rules import document_pack, text_safe
from apps.storage.keys import key_pack

if TYPE_CHECKING:
    from apps.accounts.models import Person

logger = logging.getLogger(__name__)

END_PK = 1
VERIFY_CHUNK = 1000
COLUMNS = (
    "sequence",
    "at",
    "person",
    "verb",
    "connection",
    "bucket",
    "key",
    "job",
    "request_id",
    "before",
    "after",
    "previous_digest",
    "digest",
)
# A spreadsheet takes a cell that begins like this for a formula, and a key may begin with anything.
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Page:
    """Some entries, newest first. `older` and `newer` are the sequences to go on from, None at either end."""

    entries: Sequence[Entry]
    older: int | None
    newer: int | None


@dataclass(frozen=True)
class Verification:
    """What a walk along the chain found: how many entries hold, and the first that does not.

    `broken` is the sequence of the entry that was changed, or that stands where another one is missing.
    `digest` is the end of the chain: written down elsewhere, it proves later that nothing was rewritten.
    """

    count: int
    broken: int | None
    digest: str

    @property
    def is_whole(self) -> bool:
        return self.broken is None


def activity_record(
    *,
    person: Person | None,
    verb: str,
    connection: str = "",
    bucket: str = "",
    key: str = "",
    before: Any = None,
    after: Any = None,
    request_id: str = "",
    job: UUID | None = None,
) -> None:
    """This will add one entry to the log: who did what where, and what was there before and after.

    `connection` is a slug; `before` and `after` are anything that JSON can say, dataclasses and times too.
    What looks like a secret, a signature or a presigned URL is withheld. It joins the transaction that is
    open, so that an entry is undone together with what it tells. Raises nothing: what was done is done, and
    a log that cannot be written is an error in the server's own log.
    """
    try:
        with transaction.atomic():
            _append(
                Entry(
                    person_id=person.pk if person else None,
                    person_name=person.get_username() if person else "",
                    verb=verb[:60],
                    connection=connection[:60],
                    bucket=text_safe(bucket)[:200].replace("\0", "␀"),
                    packed_key=text_safe(key_pack(key)),
                    before=document_pack(before),
                    after=document_pack(after),
                    request_id=text_safe(request_id)[:200].replace("\0", "␀"),
                    job_id=job,
                )
            )
    except Exception:
        logger.exception("An entry could not be added to the activity log.", extra={"verb": verb})


def _append(entry: Entry) -> None:
    """Put an entry behind the last one. The lock on the end of the chain is held until the commit."""
    end, _ = ChainEnd.objects.select_for_update().get_or_create(pk=END_PK)
    entry.sequence = end.sequence + 1
    entry.at = timezone.now()
    entry.previous_digest = end.digest
    entry.digest = entry.digest_computed()
    entry.save(force_insert=True)
    end.sequence, end.digest = entry.sequence, entry.digest
    end.save(update_fields=["sequence", "digest"])


def activity_verify() -> Verification:
    """This will walk the whole chain, oldest first, and stop at the first entry that does not fit."""
    count, digest = 0, ""
    for entry in Entry.objects.order_by("sequence").iterator(chunk_size=VERIFY_CHUNK):
        is_next = entry.sequence == count + 1 and entry.previous_digest == digest
        if not is_next or entry.digest != entry.digest_computed():
            return Verification(count=count, broken=count + 1, digest=digest)
        count, digest = entry.sequence, entry.digest
    end = ChainEnd.objects.filter(pk=END_PK).first()
    # Entries that were added since the walk began are beyond its end; they are no gap.
    is_cut = (end.sequence, end.digest) != (count, digest) if end else count > 0
    is_cut = is_cut and not Entry.objects.filter(pk=count + 1).exists()
    return Verification(count=count, broken=count + 1 if is_cut else None, digest=digest)


def entries_page(
    entries: EntryQuerySet, *, older_than: int | None = None, newer_than: int | None = None, size: int
) -> Page:
    """Return a page of entries by where it begins, so that new ones at the top shift nothing."""
    if newer_than is not None:
        found = list(entries.filter(sequence__gt=newer_than).order_by("sequence")[: size + 1])
        rows, has_newer, has_older = found[:size][::-1], len(found) > size, True
    else:
        if older_than is not None:
            entries = entries.filter(sequence__lt=older_than)
        found = list(entries.order_by("-sequence")[: size + 1])
        rows, has_newer, has_older = found[:size], older_than is not None, len(found) > size
    if not rows:
        return Page(entries=(), older=None, newer=None)
    return Page(
        entries=rows,
        older=rows[-1].sequence if has_older else None,
        newer=rows[0].sequence if has_newer else None,
    )


def entries_csv(entries: EntryQuerySet) -> Iterator[str]:
    """Yield the entries as lines of CSV, oldest first, with a line of names before them."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for row in _rows(entries):
        yield writer.writerow([_cell(row[name]) for name in COLUMNS])


def entries_json(entries: EntryQuerySet) -> Iterator[str]:
    """Yield the entries as one JSON array, oldest first, an entry to a line."""
    before = "[\n"
    for row in _rows(entries):
        documents = {name: json.loads(row[name]) if row[name] else None for name in ("before", "after")}
        yield before + json.dumps(row | documents)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _rows(entries: EntryQuerySet) -> Iterator[dict[str, Any]]:
    for entry in entries.order_by("sequence").iterator(chunk_size=VERIFY_CHUNK):
        yield {
            "sequence": entry.sequence,
            "at": entry.at.isoformat(),
            "person": entry.person_name,
            "verb": entry.verb,
            "connection": entry.connection,
            "bucket": entry.bucket,
            "key": entry.key,
            "job": str(entry.job_id or ""),
            "request_id": entry.request_id,
            "before": entry.before,
            "after": entry.after,
            "previous_digest": entry.previous_digest,
            "digest": entry.digest,
        }


class _Echo:
    """A file that hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def _cell(value: Any) -> str:
    # Half of a surrogate pair is no text that can be sent.
    text = str(value).encode(errors="backslashreplace").decode()
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else text
