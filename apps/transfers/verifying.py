"""Whether a store holds what was sent: a browser's word is believed when the store lists the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.connections.models import Connection
from apps.connections.services import store_for
from apps.jobs.services import job_confirm_bytes
from apps.storage.errors import Corrupted, UploadNotFound
from apps.storage.types import ObjectInfo, StoredObject, StoredPart
from apps.transfers.ledger import transfer_confirmed
from apps.transfers.models import Transfer

Verified = Transfer.Verified

PARTS_DIFFER = "PartsDiffer"
NAMED_AT_MOST = 10
# The ETag of a part is its MD5 today, as that of an object that was stored in one request. Others are opaque.
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Verification:
    """What was compared when an object was made here; `transfer` is the one that made it."""

    transfer: Transfer
    parts: int

    @property
    def is_certain(self) -> bool:
        return self.transfer.verified in (Verified.WHOLE, Verified.PARTS, Verified.MD5)

    @property
    def text(self) -> str:
        """Say what was compared with what, in a sentence without its end."""
        if self.transfer.verified == Verified.WHOLE and self.transfer.detail.has_crc64:
            return _("the copy has the CRC-64 of its source")
        if self.transfer.verified == Verified.WHOLE and self.parts > 1:
            return ngettext(
                "%(count)s part and the whole compared by CRC-64",
                "%(count)s parts and the whole compared by CRC-64",
                self.parts,
            ) % {"count": self.parts}
        return _TEXTS.get(self.transfer.verified, self._nothing)()

    def _nothing(self) -> str:
        if self.transfer.is_adopted:
            return _("not compared as a whole: of the parts that were there before no checksum is known")
        if self.transfer.path == Transfer.Path.DIRECT:
            return _("only size and ETag of each part compared, because the store sends no CRC-64")
        return _("not compared, because the store sends no checksum")


_TEXTS: dict[str, Callable[[], str]] = {
    Verified.WHOLE: lambda: _("compared by CRC-64"),
    Verified.PARTS: lambda: _("each part compared by CRC-64; of the whole the store tells none"),
    Verified.MD5: lambda: _("compared by MD5 only, because the store sends no CRC-64"),
}


def verification_of(
    transfer: Transfer, parts: Sequence[StoredPart], stored: StoredObject, *, expected: str
) -> Verified:
    """Return how an object that was just made was compared: what did not agree has been raised before."""
    if expected and stored.crc64:
        return Verified.WHOLE
    # Of direct parts, of those of a copy and of somebody else's no worker has seen the bytes.
    if transfer.is_copy or transfer.is_adopted or transfer.path == Transfer.Path.DIRECT:
        return Verified.NOTHING
    if parts and all(part.crc64 for part in parts):
        return Verified.PARTS
    return Verified.MD5 if parts and all(is_md5(part.etag) for part in parts) else Verified.NOTHING


def verification_for(connection: Connection, *, bucket: str, info: ObjectInfo) -> Verification | None:
    """Return what was compared when the console made this very object, None for any other."""
    made = Transfer.objects.filter(connection=connection, bucket=bucket, key=info.key, etag=info.etag)
    # A version of it, or somebody's object in its place, has another ETag.
    transfer = made.exclude(verified="").select_related("job").order_by("-pk").first()
    if transfer is None or transfer.size != info.size or info.crc64 not in (None, transfer.crc64):
        return None
    return Verification(transfer=transfer, parts=transfer.plan.count)


def is_md5(etag: str) -> bool:
    """Return whether an ETag may be the MD5 of the bytes."""
    return _MD5.fullmatch(etag) is not None


def parts_verified(transfer: Transfer, parts: list[StoredPart]) -> list[StoredPart]:
    """Return the parts with the ETags that the store lists for them.

    Raises Corrupted when the store lists another size, ETag or CRC-64 for one, or does not list it at all;
    the rows of such parts are gone then, so that they are sent anew. Of an upload that the store no longer
    has nothing can be said: its Complete, or what became of it, decides.
    """
    store = store_for(transfer.connection)
    try:
        listed = {
            part.number: part
            for part in store.list_parts(
                bucket=transfer.bucket,
                region=transfer.region,
                key=transfer.key,
                upload_id=transfer.upload_id,
            )
        }
    except UploadNotFound:
        return parts
    wrong = [part.number for part in parts if not _is_same(part, listed.get(part.number))]
    if wrong:
        _forget(transfer, wrong)
        raise Corrupted(_sentence(wrong), code=PARTS_DIFFER)
    return [replace(part, etag=listed[part.number].etag) for part in parts]


def _is_same(part: StoredPart, listed: StoredPart | None) -> bool:
    if listed is None or listed.size != part.size:
        return False
    if part.etag and part.etag != listed.etag:
        return False
    return part.crc64 is None or listed.crc64 is None or part.crc64 == listed.crc64


def _forget(transfer: Transfer, numbers: list[int]) -> None:
    transfer.parts.filter(number__in=numbers).delete()
    job_confirm_bytes(transfer.job_id, bytes_done=transfer_confirmed(transfer).size)


def _sentence(wrong: list[int]) -> str:
    named = ", ".join(map(str, wrong[:NAMED_AT_MOST]))
    more = "" if len(wrong) <= NAMED_AT_MOST else f" and {len(wrong) - NAMED_AT_MOST} more"
    return (
        f"The store does not hold what the browser reported: part {named}{more}. "
        "Try again and choose the file to send this part anew."
    )
