"""Grants between the client's dictionaries and the contract's values.

COS has spelled the same grantee in many ways: a group by URI or as `qcs::cam::anyone:anyone`, an account as
`RootAccount` or `CanonicalUser`, in 2017 by `uin` and `Subacount`. Source: GET Bucket acl, 2026-08.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from apps.storage.errors import Refused
from apps.storage.grants import EVERYONE, Acl, Grant, Grantee, GranteeKind, Permission, account_grantee

_GROUP_ROOT = "http://cam.qcloud.com/groups/global/"
_GROUPS = {"AllUsers": GranteeKind.EVERYONE, "AuthenticatedUsers": GranteeKind.SIGNED_IN}
_GROUP = re.compile(r"https?://[^/]+/groups/global/(AllUsers|AuthenticatedUsers)")
_EVERYONE = frozenset({"anyone", "anonymous", "qcs::cam::anyone:anyone", "qcs::cam::anonymous:anonymous"})
_ACCOUNT = re.compile(r"(?:qcs::cam::uin/)?([0-9]+)(?:(?::uin/|:root/|/)([0-9]+))?")
_SPELLED = ("Type", "ID", "URI")
_CANNED = {
    frozenset[tuple[GranteeKind, str]](): "private",
    frozenset({(GranteeKind.EVERYONE, Permission.READ)}): "public-read",
    frozenset({(GranteeKind.SIGNED_IN, Permission.READ)}): "authenticated-read",
}
_HEADER_OPTIONS = {
    Permission.READ: "GrantRead",
    Permission.WRITE: "GrantWrite",
    Permission.READ_ACP: "GrantReadAcp",
    Permission.WRITE_ACP: "GrantWriteAcp",
    Permission.FULL_CONTROL: "GrantFullControl",
}


def acl_of(result: Mapping[str, Any]) -> Acl:
    """Return the answer of Get Bucket ACL or Get Object ACL."""
    records = result["AccessControlList"]["Grant"]
    return Acl(
        owner=grantee_of(result["Owner"]),
        grants=tuple(Grant(grantee_of(record["Grantee"]), record["Permission"]) for record in records),
        is_inherited=result["ACL"] == "default",
        label=result["ACL"],
        unknown=(*result["Unknown"], *_ambiguous(records)),
    )


def acl_options(acl: Acl | str) -> dict[str, Any]:
    """Return the arguments of Put Bucket ACL or Put Object ACL.

    An ACL without grants is the canned `private`: the documentation does not say what an empty list means.
    Raises Refused when the write would lose something.
    """
    if isinstance(acl, str):
        return {"ACL": acl}
    if acl.is_inherited:
        return {"ACL": "default"}
    if acl.unknown:
        raise Refused(f"The grants hold {', '.join(acl.unknown)}, which would be lost by writing them back.")
    return {"AccessControlPolicy": _policy_of(acl)} if acl.grants else {"ACL": "private"}


def grant_options(acl: str | None, grants: Sequence[Grant]) -> dict[str, Any]:
    """Return the arguments that give a new bucket or object its grants, in headers.

    Raises Refused for a group, which headers can only express by a canned name.
    """
    options: dict[str, Any] = {"ACL": acl}
    for grant in dict.fromkeys(grants):
        if grant.permission not in _HEADER_OPTIONS:
            raise Refused(f"{grant.permission!r} is not a permission that can be granted here.")
        if not is_header_grantee(grant.grantee):
            raise Refused("Only accounts can be named here; everybody is granted by a canned ACL.")
        name = _HEADER_OPTIONS[Permission(grant.permission)]
        listed = [options[name]] if name in options else []
        options[name] = ",".join([*listed, f'id="{_account_id(grant.grantee)}"'])
    return options


def grantee_of(record: Mapping[str, Any]) -> Grantee:
    """Return whom a record with `ID`, `URI` or, as in 2017, `uin` means."""
    words = str(record.get("URI") or record.get("ID") or record.get("uin") or "").strip()
    raw = tuple((field, str(record[field])) for field in _SPELLED if record.get(field))
    who = _named(words, str(record.get("Subaccount") or record.get("Subacount") or ""))
    return replace(who, name=str(record.get("DisplayName") or ""), raw=raw)


def header_options(acl: Acl) -> tuple[dict[str, Any], bool]:
    """Return the arguments that give a new object these grants, and whether that is all of them.

    What headers cannot express is left out, never widened. Raises Refused for what no write could keep.
    """
    if acl.is_inherited:
        return {}, True
    if acl.unknown:
        raise Refused(f"The grants hold {', '.join(acl.unknown)}, which a copy would lose.")
    named = [grant for grant in acl.explicit if _is_header_grant(grant)]
    groups = {(grant.grantee.kind, grant.permission) for grant in acl.explicit if not _is_header_grant(grant)}
    canned = _CANNED.get(frozenset(groups))
    return grant_options(canned or "private", named), canned is not None


def is_header_grantee(grantee: Grantee) -> bool:
    """Return whether a header can name this grantee."""
    return grantee.kind in (GranteeKind.ACCOUNT, GranteeKind.SUB_ACCOUNT)


def _named(words: str, sub_account: str) -> Grantee:
    group, account = _GROUP.fullmatch(words), _ACCOUNT.fullmatch(words)
    if words in _EVERYONE:
        return EVERYONE
    if group:
        return Grantee(_GROUPS[group[1]])
    if account is None:
        return Grantee(GranteeKind.UNKNOWN, words)
    return account_grantee(account[1], sub_account or account[2] or "")


def _is_header_grant(grant: Grant) -> bool:
    return is_header_grantee(grant.grantee) and grant.permission in _HEADER_OPTIONS


def _ambiguous(records: Sequence[Mapping[str, Any]]) -> list[str]:
    both = any(record["Grantee"].get("ID") and record["Grantee"].get("URI") for record in records)
    return ["a grantee with both ID and URI"] if both else []


def _policy_of(acl: Acl) -> dict[str, Any]:
    return {
        "Owner": {"ID": _spelling(acl.owner).get("ID") or _account_id(acl.owner)},
        "AccessControlList": {
            "Grant": [
                {"Grantee": _spelling(grant.grantee), "Permission": grant.permission} for grant in acl.grants
            ]
        },
    }


def _spelling(grantee: Grantee) -> dict[str, str]:
    """Return a grantee as COS spelled it, or else as today's documentation does."""
    raw = dict(grantee.raw)
    if raw.get("ID") or raw.get("URI"):
        return raw
    for name, kind in _GROUPS.items():
        if grantee.kind is kind:
            return {"Type": "Group", "URI": _GROUP_ROOT + name}
    return {"Type": "CanonicalUser", "ID": _account_id(grantee)}


def _account_id(grantee: Grantee) -> str:
    if not is_header_grantee(grantee) or not grantee.account.isdecimal():
        raise Refused(f"{grantee.text!r} cannot be written as somebody whom the store knows.")
    return f"qcs::cam::uin/{grantee.account}:uin/{grantee.sub_account or grantee.account}"
