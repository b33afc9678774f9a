"""The parts of an unfinished upload: what is missing between them, and whether a file can go on there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.translation import gettext as _

from apps.storage.multipart import PARTS_MAX, PartPlan, plan_of, plan_parts
from apps.storage.types import StoredPart

MIB = 1 << 20
# The store refuses to complete an upload of smaller parts; the last one is free.
PART_MIN = MIB
# A larger part would lie in the console's spool as a whole before its first byte goes on.
PART_MAX = 1024 * MIB
_MD5 = re.compile(r"[0-9a-f]{32}")


class Unfit(Exception):
    """The parts that are there cannot be gone on with; the sentence says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Stock:
    """The parts of an unfinished upload as List Parts tells them, ascending."""

    parts: Sequence[StoredPart]

    @property
    def count(self) -> int:
        return len(self.parts)

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    @property
    def last(self) -> int:
        return self.parts[-1].number if self.parts else 0

    @property
    def holes(self) -> list[tuple[int, int]]:
        """The numbers that are missing below the highest one, as first and last of each gap."""
        numbers = [0, *(part.number for part in self.parts)]
        return [(left + 1, right - 1) for left, right in pairwise(numbers) if right > left + 1]

    @property
    def digest(self) -> str:
        """What tells these parts from any others, as hexadecimal digits."""
        lines = "\n".join(f"{part.number} {part.size} {part.etag}" for part in self.parts)
        return hashlib.sha256(lines.encode()).hexdigest()


def ranges_text(ranges: Iterable[tuple[int, int]], *, limit: int = 6) -> str:
    """Return “3, 7–9”; of many only the first few, with a sign that there are more."""
    found = list(ranges)
    texts = [str(first) if first == last else f"{first}–{last}" for first, last in found[:limit]]
    return ", ".join(texts) + (", …" if len(found) > limit else "")


def md5_of(part: StoredPart) -> str:
    """Return a part's ETag where it looks like an MD5 in hexadecimal digits, else ''.

    Nobody promises that it is one: with server-side encryption it is not.
    """
    etag = part.etag.lower()
    return etag if _MD5.fullmatch(etag) else ""


def parts_check(stock: Stock) -> None:
    """Raise Unfit when no file whatever could go on here."""
    if not all(part.size for part in stock.parts):
        raise Unfit(_("One of its parts is empty, so that no file fits."))
    sizes = {part.size for part in stock.parts[:-1]}
    if len(sizes) > 1:
        raise Unfit(
            _("Its parts have different sizes, so that nobody can tell where in a file the next one begins.")
        )
    size = max((part.size for part in stock.parts), default=0)
    if any(part.size > min(sizes, default=part.size) for part in stock.parts[-1:]):
        raise Unfit(_("Its last part is larger than the others, so that no file fits."))
    if stock.count > 1 and size < PART_MIN:
        raise Unfit(_("Its parts are smaller than 1 MiB: the store would refuse to complete them."))
    if size > PART_MAX:
        raise Unfit(_("Its parts are larger than 1 GiB, more than the console keeps of a file at a time."))


def stock_plan(stock: Stock, *, size: int) -> PartPlan:
    """Return how a file of `size` bytes is cut so that the parts which are there fit it. Raises Unfit."""
    parts_check(stock)
    if size <= 0:
        raise Unfit(_("The file is empty."))
    if not stock.parts:
        return plan_parts(size)
    for part_size in _part_sizes(stock, size):
        plan = plan_of(size=size, part_size=part_size)
        if _fits(stock, plan):
            return plan
    raise Unfit(
        _(
            "The file does not fit: %(count)s parts with %(stored)s bytes are there, up to number %(last)s, "
            "and a file of %(size)s bytes would be cut in other places."
        )
        % {"count": stock.count, "stored": stock.size, "last": stock.last, "size": size}
    )


def _part_sizes(stock: Stock, size: int) -> list[int]:
    """Return the part sizes that are possible, likeliest first."""
    if stock.count > 1:
        return [stock.parts[0].size]
    only = stock.parts[0]
    # The only part may be one of many, or the short one at the end.
    before, rest = divmod(size - only.size, only.number - 1) if only.number > 1 else (0, 1)
    return [only.size, *([before] if not rest and before >= only.size else [])]


def _fits(stock: Stock, plan: PartPlan) -> bool:
    if plan.count > PARTS_MAX or stock.last > plan.count:
        return False
    if plan.count > 1 and not PART_MIN <= plan.part_size <= PART_MAX:
        return False
    return all(plan.range_of(part.number)[1] == part.size for part in stock.parts)
