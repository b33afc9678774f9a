"""The ACL that a person saw, carried by the form: what a later change is compared with, and undone from.

It is no secret and no authority. Whoever alters it only misleads themselves: what is saved is compared with
what the store holds at that moment, and shown before.
"""

from __future__ import annotations

import json
from typing import Any

from apps.storage.grants import Acl, Grant, Grantee, GranteeKind

TEXT_MAX = 100_000


def acl_carried(acl: Acl) -> str:
    """Return an ACL as text, from which another with the same digest can be made."""
    facts = {
        "owner": _listed(acl.owner),
        "inherited": acl.is_inherited,
        "grants": [[*_listed(grant.grantee), grant.permission] for grant in acl.explicit],
        "unknown": list(acl.unknown),
    }
    return json.dumps(facts, separators=(",", ":"))


def acl_received(text: str) -> Acl:
    """Return the ACL of such a text. Raises ValueError for any other."""
    if len(text) > TEXT_MAX:
        raise ValueError("Too long for an ACL.")
    try:
        facts: Any = json.loads(text)
        return Acl(
            owner=_grantee(facts["owner"]),
            grants=tuple(Grant(_grantee(one[:3]), str(one[3])) for one in facts["grants"]),
            is_inherited=facts["inherited"] is True,
            unknown=tuple(str(name) for name in facts["unknown"]),
        )
    except (KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("Not an ACL.") from error


def _listed(grantee: Grantee) -> list[str]:
    return [grantee.kind.value, grantee.account, grantee.sub_account]


def _grantee(parts: Any) -> Grantee:
    kind, account, sub_account = (str(part) for part in parts)
    return Grantee(GranteeKind(kind), account, sub_account)
