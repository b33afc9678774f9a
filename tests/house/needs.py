"""What each route needs of a person: the table that the tests of the routes go by.

Whoever adds a route adds a line here: what a GET needs and what a POST needs, None where the route does not
offer the method. `test_routes.py` then asks it as everybody.
"""

from __future__ import annotations

from enum import Enum

from apps.connections.models import Role


class Need(Enum):
    """OPEN: nothing, not even signing in. OWN: to be signed in; everybody sees their own things only.

    JOB: to have started the job, which does not exist for anybody else. STARTER: to have started it or to
    administer its connection; its other members are refused. MAKER: to administer any connection.
    SUPERUSER: to be an administrator of the console.
    """

    OPEN = "open"
    OWN = "own"
    JOB = "job"
    STARTER = "starter"
    MAKER = "maker"
    SUPERUSER = "superuser"


Needed = Need | Role | None
OPEN, OWN, JOB, STARTER = Need.OPEN, Need.OWN, Need.JOB, Need.STARTER
MAKER, SUPERUSER = Need.MAKER, Need.SUPERUSER
READER, WRITER, ADMIN = Role.READER, Role.WRITER, Role.ADMIN

# Route: (needed to GET, needed to POST).
NEEDS: dict[str, tuple[Needed, Needed]] = {
    "access:bucket": (READER, ADMIN),
    "access:cors": (READER, ADMIN),
    "access:cors-pin": (None, ADMIN),
    "access:cors-restore": (None, ADMIN),
    "access:cors-tests": (None, READER),
    "access:cors-unpin": (None, ADMIN),
    "access:explain": (OWN, OWN),
    "access:lab": (READER, None),
    "access:object": (READER, WRITER),
    "access:tags": (READER, ADMIN),
    "access:tags-suggestions": (READER, None),
    "accounts:health": (OPEN, None),
    "accounts:password": (OWN, OWN),
    "accounts:sign-in": (OPEN, OPEN),
    "accounts:sign-in-link": (OPEN, OPEN),
    "accounts:sign-out": (None, OWN),
    "accounts:theme": (None, OPEN),
    "activity:bucket": (READER, None),
    "activity:check": (SUPERUSER, None),
    "activity:export-csv": (OWN, None),
    "activity:export-json": (OWN, None),
    "activity:list": (OWN, None),
    "batches:cancel": (None, JOB),
    "batches:create": (None, WRITER),
    "batches:job-parts": (JOB, None),
    "batches:folders": (JOB, None),
    "batches:ledger": (JOB, None),
    "batches:options": (JOB, JOB),
    "batches:pause": (None, JOB),
    "batches:plan": (JOB, JOB),
    "batches:receipt": (JOB, None),
    "batches:replan": (None, JOB),
    "batches:resume": (None, JOB),
    "batches:retry": (None, JOB),
    "batches:undo": (None, JOB),
    "buckets:create": (OWN, OWN),
    "buckets:danger": (ADMIN, None),
    "buckets:delete": (ADMIN, ADMIN),
    "buckets:empty": (ADMIN, ADMIN),
    "buckets:facts": (OWN, OWN),
    "buckets:list": (OWN, None),
    "buckets:name-check": (MAKER, None),
    "buckets:overview": (READER, None),
    "command": (OWN, None),
    "connections:delete": (ADMIN, ADMIN),
    "connections:detail": (READER, ADMIN),
    "connections:list": (OWN, None),
    "connections:member-add": (None, ADMIN),
    "connections:member-remove": (None, ADMIN),
    "connections:new": (OWN, OWN),
    "connections:new-test": (None, OWN),
    "connections:test": (None, ADMIN),
    "home": (OWN, None),
    "inventory:cancel": (None, STARTER),
    "inventory:figures": (READER, None),
    "inventory:folder-size": (READER, None),
    "inventory:job-parts": (READER, None),
    "inventory:pause": (None, STARTER),
    "inventory:resume": (None, READER),
    "inventory:retry": (None, READER),
    "inventory:search": (READER, None),
    "inventory:start": (None, READER),
    "jobs:detail": (JOB, None),
    "jobs:events": (OWN, None),
    "jobs:files": (JOB, None),
    "jobs:list": (OWN, None),
    "jobs:tray": (OWN, None),
    "objects:checks": (None, READER),
    "objects:columns": (None, READER),
    "objects:content": (READER, None),
    "objects:copy": (WRITER, WRITER),
    "objects:delete": (WRITER, WRITER),
    "objects:detail": (READER, None),
    "objects:download": (READER, None),
    "objects:folder-create": (WRITER, WRITER),
    "objects:headers": (WRITER, WRITER),
    "objects:list": (READER, None),
    "objects:preview": (READER, None),
    "objects:read": (READER, READER),
    "objects:siblings": (READER, None),
    "objects:zip": (READER, READER),
    "places:toggle": (None, READER),
    "places:visit": (None, READER),
    "set_language": (OPEN, OPEN),
    "sharing:create": (READER, READER),
    "sharing:forget": (None, OWN),
    "sharing:list": (OWN, None),
    "transfers:cancel": (None, JOB),
    "transfers:digests": (JOB, None),
    "transfers:direct-worker": (WRITER, None),
    "transfers:job-parts": (JOB, None),
    "transfers:job-place": (JOB, None),
    "transfers:part-addresses": (None, JOB),
    "transfers:part-report": (None, JOB),
    "transfers:pause": (None, JOB),
    "transfers:preflight": (None, WRITER),
    "transfers:resume": (None, JOB),
    "transfers:retry": (None, JOB),
    "transfers:state": (JOB, None),
    "transfers:unfinished": (READER, None),
    "transfers:unfinished-abort": (None, WRITER),
    "transfers:unfinished-abort-all": (WRITER, WRITER),
    "transfers:unfinished-abort-some": (None, WRITER),
    "transfers:unfinished-count": (READER, READER),
    "transfers:unfinished-rule": (READER, ADMIN),
    "transfers:all-unfinished": (READER, None),
    "transfers:all-unfinished-abort-all": (WRITER, WRITER),
    "transfers:all-unfinished-count": (READER, READER),
    "transfers:all-unfinished-rule": (READER, ADMIN),
    "transfers:parts-price": (None, OWN),
    "unfinished:cancel": (None, JOB),
    "unfinished:pause": (None, JOB),
    "unfinished:resume": (None, JOB),
    "unfinished:retry": (None, JOB),
    "transfers:upload-sheet": (WRITER, WRITER),
    "transfers:unfinished-complete": (WRITER, WRITER),
    "transfers:unfinished-continue": (None, WRITER),
    "transfers:unfinished-digests": (WRITER, None),
    "transfers:unfinished-parts": (READER, None),
    "transfers:unfinished-upload": (READER, None),
    "transfers:upload-path": (READER, ADMIN),
    "transfers:upload-pack": (None, WRITER),
    "transfers:upload-start": (None, WRITER),
    "transfers:waiting": (OWN, None),
    "transfers:uploads-start": (None, WRITER),
    "transfers:uploads-state": (JOB, JOB),
}

# Pages that are only ever asked for whole; `hx-get` and `hx-post` must not lead to them.
WHOLE = {
    "access:explain",
    "accounts:password",
    "accounts:sign-in",
    "accounts:sign-in-link",
    "buckets:create",
    "buckets:danger",
    "buckets:delete",
    "buckets:empty",
    "buckets:overview",
    "connections:delete",
    "connections:detail",
    "connections:list",
    "connections:member-add",
    "connections:new",
    "objects:copy",
    "objects:folder-create",
    "objects:read",
    "objects:zip",
    "transfers:unfinished",
    "transfers:unfinished-abort-all",
    "transfers:all-unfinished",
    "transfers:all-unfinished-abort-all",
    "transfers:all-unfinished-rule",
    "transfers:unfinished-abort-some",
    "transfers:unfinished-complete",
    "transfers:unfinished-rule",
    "transfers:unfinished-upload",
    "transfers:upload-path",
}
