"""The client that the operations of the provider stand on."""

from __future__ import annotations

from collections.abc import Callable

from apps.storage.cos import CosClient
from apps.storage.cos.progress import ProgressCallback

OnProgress = Callable[[int], bool]


class OnClient:
    """What all groups of operations share; each turns its answers into the values of the contract."""

    client: CosClient


def counts_of(on_progress: OnProgress | None) -> ProgressCallback | None:
    """Return the client's callback for a caller who only wants the bytes sent so far."""
    if on_progress is None:
        return None
    return lambda report: on_progress(report["loaded"])
