from __future__ import annotations


class CannotStart(Exception):
    """The console cannot run here. The message is the one sentence that the person at the terminal reads."""
