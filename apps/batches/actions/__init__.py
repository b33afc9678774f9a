"""What is done to the objects of a batch, each action in phases.

A phase takes lines in one state and returns what became of them. It asks the store and nothing else: it
runs in a thread without a database, and the lines are settled by whoever called it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from apps.batches.actions import access, copying, headers, removing
from apps.batches.actions.outcomes import Work
from apps.batches.ledger import Outcome
from apps.batches.models import Action, Batch, BatchObject
from apps.batches.rules import STALE_AFTER

State = BatchObject.State


# The store deletes, and replaces grants, without conditions: the fewer objects are looked at before that is
# done, the less time there is for somebody else's change to be lost.
LOOKED_AT = 100
# Requests of a thousand keys each; more at once would only queue in the store.
WIDE = 4


@dataclass(frozen=True)
class Phase:
    """Calls for lines in `state`, `at_once` of them in each. A line that a killed worker left is redone.

    A round takes up to `a_round` of the calls; then what a later phase can end is ended first. Before a phase
    that deletes what was copied, `is_last_look`, the ledger is asked whether the copies will stay.
    """

    state: str
    call: Callable[[Work, Sequence[BatchObject]], list[Outcome]]
    at_once: int = 1
    a_round: int = 1000
    is_last_look: bool = False


def phases_of(batch: Batch) -> tuple[Phase, ...]:
    """Return the phases of a batch, the last one first: what was begun is ended before more is begun."""
    if batch.does_delete:
        if batch.option("is_compared") or _is_old(batch):
            return Phase(State.READ, removing.remove, 1000, WIDE), Phase(
                State.PLANNED, removing.compare, a_round=LOOKED_AT
            )
        return (Phase(State.PLANNED, removing.remove, 1000, WIDE),)
    if batch.action == Action.COPY:
        return (Phase(State.PLANNED, copying.copy),)
    if batch.does_copy:
        return (
            Phase(State.READ, removing.remove, 1000, WIDE, is_last_look=True),
            Phase(State.COPIED, copying.verify, a_round=LOOKED_AT),
            Phase(State.PLANNED, copying.copy),
        )
    module = access if batch.action == Action.ACCESS else headers
    return Phase(State.READ, module.write), Phase(State.PLANNED, module.read, a_round=LOOKED_AT)


def _is_old(batch: Batch) -> bool:
    """Return whether the list would not be confirmed any more: paused, stopped, or tried again days later.

    Keys are used again, and what the person saw in the plan may not be what lies there now.
    """
    return batch.frozen_at is not None and timezone.now() - batch.frozen_at > STALE_AFTER


def state_again(batch: Batch) -> str:
    """Return the state in which a line that was left READ is taken up again, '' where it stays.

    What was read or compared before a pause says nothing any more. Headers need no second look: the copy
    that replaces them pins what was read.
    """
    if batch.does_delete or batch.action == Action.ACCESS:
        return State.PLANNED
    return State.COPIED if batch.does_copy else ""
