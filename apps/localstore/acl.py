"""Grants as the protocol writes them, and who may do what because of them."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from apps.localstore.accounts import Account, principal_id
from apps.localstore.errors import StoreError
from apps.localstore.markup import child, children, document, leaf, node, parse, text_of
from apps.localstore.records import Acl, Grant
from apps.localstore.request import Pairs

ALL_USERS = "http://cam.qcloud.com/groups/global/AllUsers"
AUTHENTICATED = "http://cam.qcloud.com/groups/global/AuthenticatedUsers"
GROUPS = (ALL_USERS, AUTHENTICATED)
PERMISSIONS = ("READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL")
GRANTS_LIMIT = 100

BUCKET_CANNED: dict[str, Acl] = {
    "private": (),
    "public-read": (Grant(ALL_USERS, "READ"),),
    "public-read-write": (Grant(ALL_USERS, "READ"), Grant(ALL_USERS, "WRITE")),
    "authenticated-read": (Grant(AUTHENTICATED, "READ"),),
}
HEADERS = {
    "x-cos-grant-read": "READ",
    "x-cos-grant-write": "WRITE",
    "x-cos-grant-read-acp": "READ_ACP",
    "x-cos-grant-write-acp": "WRITE_ACP",
    "x-cos-grant-full-control": "FULL_CONTROL",
}
GRANTEE = re.compile(r"(?:id|uin)\s*=\s*\"([^\"]+)\"", re.IGNORECASE)
CANONICAL = re.compile(r"qcs::cam::uin/([0-9]+):uin/([0-9]+)")
SHORT = re.compile(r"([0-9]+)(?:/([0-9]+))?")
XSI = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type='


def canned_object(name: str, bucket_owner: str) -> Acl | None:
    """Return an object's canned ACL; `default` is None. Raises InvalidArgument."""
    owner = principal_id(bucket_owner)
    sets: dict[str, Acl | None] = {
        "default": None,
        "private": (),
        "public-read": BUCKET_CANNED["public-read"],
        "authenticated-read": BUCKET_CANNED["authenticated-read"],
        "bucket-owner-read": (Grant(owner, "READ"),),
        "bucket-owner-full-control": (Grant(owner, "FULL_CONTROL"),),
    }
    if name not in sets:
        raise StoreError("InvalidArgument", "The canned ACL is unknown for objects.")
    return sets[name]


def canned_bucket(name: str) -> Acl:
    """Return a bucket's canned ACL. Raises InvalidArgument."""
    if name not in BUCKET_CANNED:
        raise StoreError("InvalidArgument", "The canned ACL is unknown for buckets.")
    return BUCKET_CANNED[name]


def grantee_parse(text: str) -> str:
    """Return a grantee in canonical form.

    Accepts `ROOT`, `ROOT/USER`, the qcs form, a group's URI and the old
    spelling of everybody. Raises InvalidArgument.
    """
    if text in GROUPS:
        return text
    if text in ("anyone", "qcs::cam::anyone:anyone"):
        return ALL_USERS
    found = CANONICAL.fullmatch(text) or SHORT.fullmatch(text)
    if not found:
        raise StoreError("InvalidArgument", f"The grantee {text!r} is not valid.")
    return principal_id(found[1], found[2])


def grants_parse(value: str, permission: str) -> list[Grant]:
    """Return the grants of one header: comma-separated `id="…"` or, as in 2017, `uin="…"`."""
    items = [item.strip() for item in value.split(",") if item.strip()]
    matches = [GRANTEE.fullmatch(item) for item in items]
    if not all(matches):
        raise StoreError("InvalidArgument", 'A grant header must be a list of id="…".')
    return [Grant(grantee_parse(match[1]), permission) for match in matches if match]


def acl_headers_present(headers: Pairs) -> bool:
    """Tell whether a request says anything about access in its headers."""
    return any(headers.get(name) for name in ("x-cos-acl", *HEADERS))


def header_grants(headers: Pairs) -> Acl:
    """Return the explicit grants of all five headers, without repetitions."""
    grants: list[Grant] = []
    for name, permission in HEADERS.items():
        grants += grants_parse(headers.get(name), permission)
    return checked(grants)


def checked(grants: list[Grant]) -> Acl:
    """Return grants once each. Raises AttachmentFull above 100."""
    unique = tuple(dict.fromkeys(grants))
    if len(unique) > GRANTS_LIMIT:
        raise StoreError("AttachmentFull")
    return unique


def bucket_acl_of(headers: Pairs) -> Acl:
    """Return the bucket ACL that headers ask for; none at all means private."""
    return checked([*canned_bucket(headers.get("x-cos-acl", "private")), *header_grants(headers)])


def object_acl_of(headers: Pairs, bucket_owner: str) -> Acl | None:
    """Return the object ACL that headers ask for; None lets the bucket decide."""
    canned = canned_object(headers.get("x-cos-acl", "default"), bucket_owner)
    grants = header_grants(headers)
    if not grants:
        return canned
    return refuse_write(checked([*(canned or ()), *grants]))


def refuse_write(acl: Acl) -> Acl:
    """Return the ACL of an object, which knows no WRITE. Raises InvalidArgument."""
    if any(grant.permission == "WRITE" for grant in acl):
        raise StoreError("InvalidArgument", "Objects have no WRITE permission.")
    return acl


def acl_parse(body: bytes) -> Acl:
    """Return the grants of an AccessControlPolicy. Raises MalformedXML, InvalidArgument, AttachmentFull."""
    root = parse(body, "AccessControlPolicy")
    owner, listed = child(root, "Owner"), child(root, "AccessControlList")
    if owner is None or not text_of(owner, "ID") or listed is None:
        raise StoreError("MalformedXML")
    return checked([_grant(element) for element in children(listed, "Grant")])


def _grant(element: Element) -> Grant:
    grantee, permission = child(element, "Grantee"), text_of(element, "Permission").strip()
    if grantee is None or permission not in PERMISSIONS:
        raise StoreError("MalformedXML")
    name = text_of(grantee, "ID").strip() or text_of(grantee, "URI").strip()
    return Grant(grantee_parse(name), permission)


def acl_document(owner: str, acl: Acl) -> bytes:
    """Return the AccessControlPolicy; the owner's own grant shows only when it is the only one."""
    shown = acl or (Grant(owner, "FULL_CONTROL"),)
    grants = [node("Grant", _grantee(grant.grantee), leaf("Permission", grant.permission)) for grant in shown]
    person = node("Owner", leaf("ID", owner), leaf("DisplayName", owner))
    xml = node("AccessControlPolicy", person, node("AccessControlList", *grants))
    return document(xml, declared=False)


def _grantee(name: str) -> str:
    if name in GROUPS:
        return node("Grantee", leaf("URI", name), attributes=XSI + '"Group"')
    parts = (leaf("ID", name), leaf("DisplayName", name))
    return node("Grantee", *parts, attributes=XSI + '"CanonicalUser"')


def is_owner(account: Account | None, owner: str) -> bool:
    """Tell whether the request comes from the root that owns the resource."""
    return account is not None and account.is_root and account.root_uin == owner


def is_granted(account: Account | None, acl: Acl, permission: str) -> bool:
    """Tell whether grants give a permission; FULL_CONTROL includes each of the others."""
    names = {ALL_USERS}
    if account is not None:
        names |= {AUTHENTICATED, account.principal}
    return any(g.grantee in names and g.permission in (permission, "FULL_CONTROL") for g in acl)
