"""How a benchmark starts and ends: in a folder of its own, leaving nothing, with an exit code to rely on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from harness.processes import BenchFailed
from harness.report import MIB
from harness.workspace import Workspace, quiet_folder, workspace


def script_run(
    parser: argparse.ArgumentParser,
    run: Callable[[Workspace, argparse.Namespace], None],
    *,
    needs_mib: Callable[[argparse.Namespace], int],
) -> int:
    """Run a benchmark with the options of the command line and return its exit code.

    0 when it ran, whatever it measured; 1 when something failed or an object differs; 130 when interrupted.
    """
    parser.add_argument("--folder", type=Path, help="default: memory, if there is room")
    options = parser.parse_args()
    try:
        with workspace(options.folder or quiet_folder(needs_mib(options) * MIB)) as space:
            run(space, options)
    except BenchFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; everything was stopped and removed.", file=sys.stderr)
        return 130
    return 0
