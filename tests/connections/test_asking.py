from __future__ import annotations

from threading import Event

import pytest

from apps.connections import asking
from apps.connections.asking import ask_all
from apps.storage.errors import Denied, Unavailable


def test_every_call_has_its_answer_or_its_error() -> None:
    def refuse() -> str:
        raise Denied("no", code="AccessDenied")

    answers = ask_all({"a": lambda: "yes", "b": refuse}, line="answers", timeout_s=5)

    assert answers["a"] == "yes"
    assert isinstance(answers["b"], Denied)


def test_mistake_of_ours_is_not_hidden() -> None:
    def mistaken() -> str:
        raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        ask_all({"a": mistaken}, line="mistakes", timeout_s=5)


def test_no_calls_have_no_answers() -> None:
    assert ask_all({}, line="none", timeout_s=5) == {}


def test_dead_store_keeps_a_line_of_threads_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "CALLS_AT_ONCE", 2)
    awake = Event()
    calls = {number: lambda: awake.wait(30) for number in range(5)}

    first = ask_all(calls, line="dead", timeout_s=0.05)
    second = ask_all(calls, line="dead", timeout_s=30)
    other = ask_all({"a": lambda: "yes"}, line="alive", timeout_s=5)
    awake.set()

    assert len(first) == 2
    assert all(isinstance(answer, Unavailable) for answer in first.values())
    assert second == {}
    assert other == {"a": "yes"}
