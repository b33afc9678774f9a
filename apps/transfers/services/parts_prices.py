"""The price that a person pays for what unfinished uploads keep."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from apps.transfers.models import PartsPrice
from apps.transfers.rules.costs import Price

if TYPE_CHECKING:
    from apps.accounts.models import Person


def price_of(person: Person) -> Price | None:
    """Return the price that the person typed in, None before they did."""
    kept = PartsPrice.objects.filter(person=person).first()
    return None if kept is None else Price(kept.amount, kept.currency)


def price_keep(person: Person, *, amount: Decimal, currency: str) -> None:
    """This will remember the price for every page of this person."""
    PartsPrice.objects.update_or_create(person=person, defaults={"amount": amount, "currency": currency})
