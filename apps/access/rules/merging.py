"""Two people changed the same grants: what one of them did, done again on top of what the other left."""

from __future__ import annotations

from dataclasses import replace

from apps.storage.grants import Acl


def acl_rebased(*, base: Acl, mine: Acl, theirs: Acl) -> Acl:
    """Return `theirs` with the changes that led from `base` to `mine`.

    Grants that I added are added, those that I removed are removed, and everything else is as they left it.
    Giving up an object's own grants is one change: it stays one, whatever they did.
    """
    if mine.digest == base.digest:
        return theirs
    if mine.is_inherited:
        return replace(theirs, grants=(), is_inherited=True)
    was = () if base.is_inherited else base.explicit
    now = () if theirs.is_inherited else theirs.explicit
    removed = {grant for grant in was if grant not in mine.explicit}
    added = [grant for grant in mine.explicit if grant not in was]
    kept = [grant for grant in now if grant not in removed]
    return replace(theirs, grants=tuple(dict.fromkeys([*kept, *added])), is_inherited=False)
