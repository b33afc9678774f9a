"""Many questions at once: all answered, none waited for too long, and never more threads than agreed."""

from __future__ import annotations

from functools import partial
from threading import Event

import pytest

from apps.access.services.together import THREADS_MAX, ask_together
from apps.storage.errors import Refused, Unavailable


def test_answers_come_in_the_order_of_the_questions() -> None:
    calls = [partial(int, str(number)) for number in range(5 * THREADS_MAX)]

    assert ask_together(calls, timeout_s=10) == list(range(5 * THREADS_MAX))
    assert ask_together([], timeout_s=10) == []


def test_error_of_a_store_is_an_answer_and_any_other_is_raised() -> None:
    refused = Refused("No.")

    def refuse() -> int:
        raise refused

    assert ask_together([refuse, lambda: 1], timeout_s=10) == [refused, 1]
    with pytest.raises(ValueError, match="invalid literal"):
        ask_together([partial(int, "x")], timeout_s=10)


def test_silence_is_waited_for_once_and_threads_are_limited() -> None:
    released = Event()
    answers = []
    try:
        for _page in range(6):
            answers.append(ask_together([released.wait] * THREADS_MAX, timeout_s=0.05)[0])
    finally:
        released.set()

    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert "in time" in str(answers[0])
    assert "Too many questions" in str(answers[-1])
