"""What is configured on buckets and objects: ACL, CORS, tags."""

from __future__ import annotations

from typing import Any

from tests.storage.wire.buckets import ACP_GRANTS, GRANTS, NO_ACP
from tests.storage.wire.case import HOST, KEY, Case, Side
from tests.storage.wire.facts import Differ
from tests.storage.wire.reasons import BARE_NAME, CHILD_ORDER, GRANTEE_TYPE, NO_LENGTH, WITH_DIGEST

ACL = b"<AccessControlPolicy><Owner><ID>1</ID></Owner><AccessControlList/></AccessControlPolicy>"
OWNER = {"ID": "qcs::cam::uin/1:uin/1"}
GRANT_LIST = [
    {"Grantee": {"Type": "CanonicalUser", "ID": "qcs::cam::uin/2:uin/3"}, "Permission": "FULL_CONTROL"},
    {"Grantee": {"Type": "CanonicalUser", "ID": "qcs::cam::uin/2:uin/2"}, "Permission": "WRITE_ACP"},
    {
        "Grantee": {"Type": "Group", "URI": "http://cam.qcloud.com/groups/global/AllUsers"},
        "Permission": "READ",
    },
]
POLICY = {"AccessControlPolicy": {"Owner": OWNER, "AccessControlList": {"Grant": GRANT_LIST}}}
NODE_POLICY = {"AccessControlPolicy": {"Owner": OWNER, "Grants": GRANT_LIST}}

RULES: list[dict[str, Any]] = [
    {
        "ID": "one & <only>",
        "AllowedOrigins": ["https://a.example", "http://*.b.example:8080"],
        "AllowedMethods": ["GET", "PUT", "POST", "DELETE", "HEAD"],
        "AllowedHeaders": ["x-cos-meta-*", "content-type"],
        "ExposeHeaders": ["ETag", "x-cos-request-id"],
        "MaxAgeSeconds": "600",
    },
    {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]},
    {"AllowedOrigins": ["https://c.example"], "AllowedMethods": ["HEAD"], "AllowedHeaders": ["*"]},
]
PYTHON_RULES = [
    {
        name if name in ("ID", "MaxAgeSeconds") else name.removesuffix("s"): value
        for name, value in rule.items()
    }
    for rule in RULES
]
TAGS = [{"Key": "a", "Value": "b&<中"}, {"Key": "team : @/+-=._", "Value": ""}]

PYTHON_POLICY = {**BARE_NAME, **GRANTEE_TYPE, **WITH_DIGEST}
NO_OPTIONS = "the SDK has no method for it, and its way to send anything breaks with OPTIONS"
NODE_OPTIONS = {
    **NO_LENGTH,
    "is signed": Differ(
        "a browser's preflight cannot be signed, and the store wants no signature", False, True
    ),
    "signed parameters": Differ("as for the signature", None, ""),
    "header host": Differ("as for the signature", HOST, f"{HOST} (signed)"),
    "header origin": Differ("as for the signature", "https://a.example", "https://a.example (signed)"),
}


def _python(method: str, **instead: Any) -> Side:
    return Side(method, instead, BARE_NAME)


def _node(method: str, **instead: Any) -> Side:
    return Side(method, instead, BARE_NAME)


CASES = [
    Case("get_bucket_acl", {}, _python("get_bucket_acl"), _node("getBucketAcl"), ACL),
    Case("put_bucket_acl, by headers", GRANTS, _python("put_bucket_acl"), _node("putBucketAcl")),
    Case(
        "put_bucket_acl, by headers on the ACL",
        ACP_GRANTS,
        Side("put_bucket_acl", missing=NO_ACP),
        _node("putBucketAcl"),
    ),
    Case(
        "put_bucket_acl, by policy",
        POLICY,
        Side("put_bucket_acl", differs=PYTHON_POLICY),
        Side("putBucketAcl", NODE_POLICY, {**BARE_NAME, **GRANTEE_TYPE}),
    ),
    Case("get_object_acl", {"Key": KEY}, _python("get_object_acl"), _node("getObjectAcl"), ACL),
    Case(
        "put_object_acl, by headers",
        {"Key": KEY, **GRANTS},
        _python("put_object_acl"),
        _node("putObjectAcl"),
    ),
    Case(
        "put_object_acl, by headers on the ACL",
        {"Key": KEY, **ACP_GRANTS},
        Side("put_object_acl", missing=NO_ACP),
        _node("putObjectAcl"),
    ),
    Case(
        "put_object_acl, by policy",
        {"Key": KEY, **POLICY},
        Side("put_object_acl", differs=PYTHON_POLICY),
        Side("putObjectAcl", NODE_POLICY, {**BARE_NAME, **GRANTEE_TYPE}),
    ),
    Case("get_bucket_cors", {}, _python("get_bucket_cors"), _node("getBucketCors"), b"<CORSConfiguration/>"),
    Case(
        "put_bucket_cors",
        {"CORSRules": RULES},
        _python("put_bucket_cors", CORSRules=None, CORSConfiguration={"CORSRule": PYTHON_RULES}),
        Side("putBucketCors", differs={**BARE_NAME, **CHILD_ORDER}),
    ),
    Case(
        "put_bucket_cors, with more than rules",
        {"CORSRules": RULES[:1], "Extra": [("ResponseVary", "true")]},
        _python(
            "put_bucket_cors",
            CORSRules=None,
            Extra=None,
            CORSConfiguration={"CORSRule": PYTHON_RULES[:1], "ResponseVary": "true"},
        ),
        Side("putBucketCors", {"Extra": None, "ResponseVary": "true"}, {**BARE_NAME, **CHILD_ORDER}),
    ),
    Case(
        "delete_bucket_cors",
        {},
        Side("delete_bucket_cors", differs={**BARE_NAME, **NO_LENGTH}),
        Side("deleteBucketCors", differs={**BARE_NAME, **NO_LENGTH}),
    ),
    Case(
        "options_object",
        {
            "Key": KEY,
            "Origin": "https://a.example",
            "AccessControlRequestMethod": "PUT",
            "AccessControlRequestHeaders": "x-cos-acl,content-type",
        },
        Side("options_object", missing=NO_OPTIONS),
        Side("optionsObject", differs=NODE_OPTIONS),
    ),
    Case(
        "get_bucket_tagging",
        {},
        _python("get_bucket_tagging"),
        _node("getBucketTagging"),
        b"<Tagging><TagSet/></Tagging>",
    ),
    Case(
        "put_bucket_tagging",
        {"Tags": TAGS},
        _python("put_bucket_tagging", Tags=None, Tagging={"TagSet": {"Tag": TAGS}}),
        _node("putBucketTagging"),
    ),
    Case(
        "delete_bucket_tagging",
        {},
        Side("delete_bucket_tagging", differs={**BARE_NAME, **NO_LENGTH}),
        Side("deleteBucketTagging", differs={**BARE_NAME, **NO_LENGTH}),
    ),
]
