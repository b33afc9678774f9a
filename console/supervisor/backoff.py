"""How long to wait before a process that died is started again."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_S = 1.0
LONGEST_S = 30.0
FORGIVEN_AFTER_S = 60.0


@dataclass
class Backoff:
    """1, 2, 4 … 30 seconds; a process that ran well for a minute begins at 1 again."""

    next_s: float = FIRST_S

    def delay_after(self, *, healthy_s: float) -> float:
        """Return the seconds to wait, given how long the process was healthy before it died."""
        if healthy_s >= FORGIVEN_AFTER_S:
            self.next_s = FIRST_S
        delay_s = self.next_s
        self.next_s = min(LONGEST_S, delay_s * 2)
        return delay_s
