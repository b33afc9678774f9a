"""Socket calls whose failures cannot be mistaken for what the caller raises.

A progress callback or a signal handler may raise any OSError, a soft time limit is often a TimeoutError.
Taken for a broken connection, it would be lost, and the body be sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_T = TypeVar("_T")


class WireBroken(Exception):
    """A socket call failed; `problem` is what the system said."""

    def __init__(self, problem: OSError) -> None:
        super().__init__(str(problem))
        self.problem = problem


def on_wire(call: Callable[_Arguments, _T], *args: _Arguments.args, **options: _Arguments.kwargs) -> _T:
    """Return what a socket call returns; raises WireBroken when it fails itself.

    `call` must be one of the interpreter's own, which leaves no frame of its own in a traceback.
    """
    try:
        return call(*args, **options)
    except OSError as problem:
        if problem.__traceback__ is not None and problem.__traceback__.tb_next is not None:
            # There is a frame below this one: a signal handler ran meanwhile, and raised this.
            raise
        raise WireBroken(problem) from None
