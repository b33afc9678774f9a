"""Run a command that cannot outlive the supervisor: `python tether.py SUPERVISOR_PID COMMAND…`.

The wish is made between fork and exec, by a program of its own: Python code that runs in a forked child of a
process with threads may hang (`preexec_fn`). It holds across exec: the command needs to know nothing of it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    supervisor, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # A supervisor that died before the wish was made will never be reported.
    if os.getppid() != supervisor:
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
