"""Where a large object is cut: one plan, computed once and kept with the upload."""

from __future__ import annotations

from dataclasses import dataclass

from apps.storage.errors import Refused

MIB = 1 << 20
GIB = 1 << 30

PART_SIZE_MIN = 8 * MIB
PART_SIZE_LARGE = 16 * MIB
LARGE_FROM = GIB
PARTS_MAX = 10_000
PART_SIZE_MAX = 5 * GIB


@dataclass(frozen=True)
class PartPlan:
    """Equal parts, the last one shorter. Sizes are bytes; parts are numbered from 1."""

    size: int
    part_size: int
    count: int

    def range_of(self, number: int) -> tuple[int, int]:
        """Return (offset, length) of part `number`; raises ValueError outside 1 to `count`."""
        if not 1 <= number <= self.count:
            raise ValueError(f"Part {number} is outside 1 to {self.count}.")
        offset = (number - 1) * self.part_size
        return offset, min(self.part_size, self.size - offset)


def plan_parts(
    size: int,
    *,
    part_size: int | None = None,
    part_size_min: int = PART_SIZE_MIN,
    parts_max: int = PARTS_MAX,
    part_size_max: int = PART_SIZE_MAX,
) -> PartPlan:
    """Return how to cut `size` bytes into at most `parts_max` parts.

    Parts are `part_size_min`, at least 16 MiB from 1 GiB up, unless somebody wants them to be `part_size`;
    they are doubled until they are few enough. An empty object has one part of length 0. Raises Refused
    when even the largest parts are too many.
    """
    if part_size is None:
        part_size = max(part_size_min, PART_SIZE_LARGE) if size >= LARGE_FROM else part_size_min
    part_size = min(part_size, part_size_max)
    while _count(size, part_size) > parts_max:
        if part_size >= part_size_max:
            largest = part_size_max * parts_max
            raise Refused(f"An object of {size} bytes is too large: the store holds at most {largest} bytes.")
        part_size = min(2 * part_size, part_size_max)
    return plan_of(size=size, part_size=part_size)


def plan_of(*, size: int, part_size: int) -> PartPlan:
    """Return the plan that was made earlier, from the two numbers that were kept of it."""
    return PartPlan(size=size, part_size=part_size, count=max(1, _count(size, part_size)))


def _count(size: int, part_size: int) -> int:
    return -(-size // part_size)
