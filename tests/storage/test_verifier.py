"""The verifier that judges all clients is right about the vectors, and sees every change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.storage.identity import SECRET_KEY
from tests.storage.recorder import Seen
from tests.storage.signatures import SET_A, Vector, seen_of
from tests.storage.verifier import signature_is_valid

CHANGES: dict[str, Callable[[Seen], Seen]] = {
    "method": lambda seen: replace(seen, method="POST"),
    "path": lambda seen: replace(seen, target=f"/x{seen.target}"),
    "host": lambda seen: replace(seen, headers={**seen.headers, "host": "other.example"}),
}


@pytest.mark.parametrize("vector", SET_A, ids=lambda vector: vector.name)
def test_vector_is_valid_with_any_port(vector: Vector) -> None:
    seen = seen_of(vector)
    elsewhere = replace(seen, headers={**seen.headers, "host": f"{vector.host}:8080"})

    assert signature_is_valid(seen, SECRET_KEY)
    assert signature_is_valid(elsewhere, SECRET_KEY)
    assert not signature_is_valid(seen, SECRET_KEY[::-1])


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("vector", SET_A, ids=lambda vector: vector.name)
def test_changed_vector_is_not_valid(vector: Vector, change: str) -> None:
    assert not signature_is_valid(CHANGES[change](seen_of(vector)), SECRET_KEY)


@pytest.mark.parametrize("vector", SET_A, ids=lambda vector: vector.name)
def test_every_signed_value_counts(vector: Vector) -> None:
    seen = seen_of(vector)
    headers = [{**seen.headers, name.lower(): "changed"} for name, _ in vector.headers]
    targets = [seen.target.replace(f"{name}=", f"{name}=changed") for name, value in vector.query if value]

    for changed in [replace(seen, headers=each) for each in headers] + [
        replace(seen, target=each) for each in targets
    ]:
        assert not signature_is_valid(changed, SECRET_KEY)
