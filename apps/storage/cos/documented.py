"""The names of the 2017 document beside those of today's service.

Results always have today's names. Where the document spells a field otherwise, the same value is there a
second time, so that code written from either page works. `uin`, `Subacount` and `UID` are numbers that the
service now writes inside one id, `qcs::cam::uin/ROOT:uin/USER`. Source: COS Node.js SDK interface, 2017;
pages of 2026-08.
"""

from __future__ import annotations

import re
from typing import Any

_CAM_ID = re.compile(r"qcs::cam::uin/(\d+):uin/(\d+)")
_ALL_USERS = "http://cam.qcloud.com/groups/global/AllUsers"
_ANYONE = "qcs::cam::anyone:anyone"
_ANONYMOUS = "anonymous"

Record = dict[str, Any]


def bucket_documented(record: Record) -> Record:
    """Return a bucket of Get Service with `CreateDate`."""
    record["CreateDate"] = record.get("CreationDate", "")
    return record


def owner_documented(record: Record) -> Record:
    """Return the owner of an account, a bucket or an object with `uin`; nobody stays nobody."""
    if record:
        record["uin"] = _numbers_of(record)[0]
    return record


def grantee_documented(record: Record) -> Record:
    """Return a grantee with `uin`, "anonymous" for everybody, and `Subacount`, empty for a root account."""
    record["uin"], record["Subacount"] = _numbers_of(record)
    return record


def person_documented(record: Record) -> Record:
    """Return the initiator or the owner of an upload with `UID`: the user's number where there is one."""
    if record:
        root, user = _numbers_of(record)
        record["UID"] = user or root
    return record


def part_documented(record: Record) -> Record:
    """Return a part of List Parts with `Etag`."""
    record["Etag"] = record.get("ETag", "")
    return record


def upload_documented(record: Record) -> Record:
    """Return an upload of List Multipart Uploads with `UploadID`, and `UID` of its people."""
    record["UploadID"] = record.get("UploadId", "")
    for who in ("Initiator", "Owner"):
        if isinstance(record.get(who), dict):
            person_documented(record[who])
    return record


def grantee_from_documented(grantee: Record) -> Record:
    """Return a grantee that has only `uin` and `Subacount` with today's `ID` or `URI`."""
    if grantee.get("ID") or grantee.get("URI") or not grantee.get("uin"):
        return grantee
    root = str(grantee["uin"])
    if root == _ANONYMOUS:
        return {**grantee, "URI": _ALL_USERS}
    return {**grantee, "ID": f"qcs::cam::uin/{root}:uin/{grantee.get('Subacount') or root}"}


def _numbers_of(record: Record) -> tuple[str, str]:
    """Return (root, user) of a person; the user is empty for the root account itself."""
    identity = str(record.get("ID", ""))
    found = _CAM_ID.fullmatch(identity)
    if found is not None:
        root, user = found.groups()
        return root, user if user != root else ""
    if identity == _ANYONE or record.get("URI") == _ALL_USERS:
        return _ANONYMOUS, ""
    if identity or "uin" not in record:
        return identity if identity.isdecimal() else "", ""
    return str(record["uin"]), str(record.get("Subacount", ""))
