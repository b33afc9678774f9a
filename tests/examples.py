"""How many examples a property is tried with: few and always the same ones, unless EXAMPLES asks for more.

`EXAMPLES=50 pytest tests/storage/test_properties.py` tries fifty times as many, new ones each time.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

FACTOR = int(os.environ.get("EXAMPLES", "1"))

# No deadline: the machine is shared, and a slow example is not a wrong one. pytest's timeout ends a hang.
settings.register_profile(
    "console",
    deadline=None,
    derandomize=FACTOR == 1,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("console")


def examples(count: int) -> settings:
    """Return settings that try `count` examples, or as many times more as the environment asks for."""
    return settings(max_examples=count * FACTOR)
