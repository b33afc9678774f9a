"""How the web server runs. `python manage.py up` starts it with this file, and so can any process manager."""

from __future__ import annotations

import gc
import os
import resource
from pathlib import Path

from gunicorn.http import message

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_PROCESSES", "1"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "128"))
keepalive = 65
loglevel = os.environ.get("LOG_LEVEL", "INFO").lower()

# A thread that waits for a slow store is not a dead process: only the main loop of a worker has to answer.
timeout = 120
# A slice is through by then, and one that is not comes again. Live pages are not waited for.
graceful_timeout = 5

# Where a shell allows 1,024 open files, open pages would use them up.
FILES = 8192
_files, _files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
if 0 <= _files < FILES and (_files_max >= FILES or _files_max == resource.RLIM_INFINITY):
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, _files_max))

# Keys travel in the query string: 850 bytes of key are 2,550 characters when encoded once and 4,250 when the
# address is itself a parameter. Gunicorn stops at 8,190 and offers only "no limit at all" above it.
message.MAX_REQUEST_LINE = 32 * 1024
limit_request_line = message.MAX_REQUEST_LINE

# The heartbeat file is touched every second, so that it belongs in memory where there is such a place.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# Otherwise it leaves a socket in the home folder of whoever starts the console.
control_socket_disable = True


def post_worker_init(_worker: object) -> None:
    """Keep the garbage collector from walking through all of Django while somebody waits.

    A page of a thousand rows makes objects enough for dozens of collections, a full one among them, and frees
    nearly all of them by itself. What is loaded by now never becomes garbage. Some 600 objects of each page
    wait to be collected, so that a page must not leave anything large among them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
