"""What the parts of unfinished uploads cost while they lie there, at a price that a person typed in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

# Stores call this a GB and bill it so.
BYTES_PER_GB = 1024**3
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Price:
    """What a GB of 1024³ bytes costs in a month; the currency is whatever the person calls it."""

    amount: Decimal
    currency: str

    def of(self, size: int) -> Decimal:
        """Return what `size` bytes cost in a month, exact."""
        return self.amount * size / BYTES_PER_GB

    def text(self, size: int) -> str:
        """Return the cost of `size` bytes as a person reads it: “12.40 ¥”, “< 0.01 ¥”, “0 ¥”."""
        cost = self.of(size)
        if not cost:
            figure = "0"
        elif cost < CENT:
            figure = f"< {CENT}"
        else:
            figure = f"{cost:,.2f}"
        return f"{figure} {self.currency}".strip()
