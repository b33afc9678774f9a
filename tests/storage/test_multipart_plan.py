from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.storage.errors import Refused
from apps.storage.multipart import GIB, MIB, PartPlan, plan_parts


@pytest.mark.parametrize(
    ("size", "part_size", "count"),
    [
        (0, 8 * MIB, 1),
        (1, 8 * MIB, 1),
        (8 * MIB, 8 * MIB, 1),
        (8 * MIB + 1, 8 * MIB, 2),
        (GIB - 1, 8 * MIB, 128),
        (GIB, 16 * MIB, 64),
        (10_000 * 16 * MIB, 16 * MIB, 10_000),
        (10_000 * 16 * MIB + 1, 32 * MIB, 5_001),
        (10_000 * 32 * MIB, 32 * MIB, 10_000),
        (10_000 * 4 * GIB + 1, 5 * GIB, 8_001),
        (10_000 * 5 * GIB, 5 * GIB, 10_000),
    ],
)
def test_part_size_doubles_until_the_parts_are_few_enough(size: int, part_size: int, count: int) -> None:
    assert plan_parts(size) == PartPlan(size, part_size, count)


def test_object_beyond_the_largest_is_refused() -> None:
    with pytest.raises(Refused, match="too large"):
        plan_parts(10_000 * 5 * GIB + 1)


def test_ten_thousandth_part_is_the_rest() -> None:
    plan = plan_parts(10_000 * 16 * MIB - 5)

    assert plan.count == 10_000
    assert plan.range_of(1) == (0, 16 * MIB)
    assert plan.range_of(10_000) == (9_999 * 16 * MIB, 16 * MIB - 5)


@pytest.mark.parametrize("number", [0, -1, 3])
def test_number_outside_the_plan_is_an_error(number: int) -> None:
    with pytest.raises(ValueError, match="outside 1 to 2"):
        plan_parts(9 * MIB).range_of(number)


def test_empty_object_has_one_empty_part() -> None:
    assert plan_parts(0).range_of(1) == (0, 0)


def test_larger_parts_can_be_asked_for() -> None:
    assert plan_parts(GIB, part_size_min=64 * MIB) == PartPlan(GIB, 64 * MIB, 16)


@given(st.integers(0, 10_000 * 5 * GIB), st.sampled_from([MIB, 8 * MIB, 100 * MIB]))
def test_parts_cover_the_object_without_gaps(size: int, part_size_min: int) -> None:
    plan = plan_parts(size, part_size_min=part_size_min)

    last_offset, last_length = plan.range_of(plan.count)

    assert 1 <= plan.count <= 10_000
    assert last_offset == (plan.count - 1) * plan.part_size
    assert last_offset + last_length == size
    assert 0 < last_length <= plan.part_size or size == 0
