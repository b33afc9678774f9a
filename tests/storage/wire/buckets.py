"""The account and its buckets."""

from __future__ import annotations

from tests.storage.wire.case import Case, Side
from tests.storage.wire.facts import Differ
from tests.storage.wire.reasons import BARE_NAME, BLANKS, NO_LENGTH, WITH_DIGEST

GRANTS = {
    "ACL": "public-read",
    "GrantRead": 'id="100000000001",id="100000000001/100000000011"',
    "GrantWrite": 'id="2"',
    "GrantFullControl": 'id="qcs::cam::uin/3:uin/3"',
}
ACP_GRANTS = {"GrantReadAcp": 'id="4"', "GrantWriteAcp": 'id="5"'}
SERVICE = b"<ListAllMyBucketsResult><Owner><ID>1</ID></Owner><Buckets/></ListAllMyBucketsResult>"
LIST = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
PAGE = {"Prefix": "dir/中 文+", "Delimiter": "/", "Marker": "dir/a*b'(1)!~&=", "MaxKeys": 10}
NO_ACP = "the SDK has no argument for grants on the ACL itself"
URL = {"EncodingType": "url"}
ALL_PARAMETERS = "the SDK sends all parameters, also those that nobody gave"
PYTHON_SERVICE = {
    "query": Differ(ALL_PARAMETERS, (), ("marker=", "max-keys=2000")),
}
PYTHON_SERVICE_PAGE = {
    "query": Differ(
        "we ask the region's own host, as the documentation says",
        ("marker=photos-1", "max-keys=5"),
        ("marker=photos-1", "max-keys=5", "region=ap-shanghai"),
    ),
    "header host": Differ(
        "as for the region",
        "cos.ap-shanghai.myqcloud.com (signed)",
        "service.cos.myqcloud.com (signed)",
    ),
    "signed parameters": Differ("the SDK leaves this operation's parameters unsigned", "marker;max-keys", ""),
}
FILTERS = ("tagkey=team", "tagvalue=red", "create-time=1558000000", "range=lte")
PYTHON_FILTERS = {
    "query": Differ(ALL_PARAMETERS, FILTERS, ("marker=", "max-keys=2000", *FILTERS)),
    "signed parameters": Differ("as for a page", "create-time;range;tagkey;tagvalue", ""),
}
NODE_FILTERS = {
    "query": Differ("the SDK makes a header of the comparison", FILTERS, FILTERS[:-1]),
    "signed parameters": Differ(
        "as for the query", "create-time;range;tagkey;tagvalue", "create-time;tagkey;tagvalue"
    ),
    "header range": Differ("the SDK takes the comparison for a range of bytes", None, "lte (signed)"),
}
PYTHON_LIST = {
    "query": Differ(
        ALL_PARAMETERS,
        ("encoding-type=url",),
        ("prefix=", "delimiter=", "marker=", "max-keys=1000", "encoding-type=url"),
    ),
    "signed parameters": Differ(
        ALL_PARAMETERS, "encoding-type", "delimiter;encoding-type;marker;max-keys;prefix"
    ),
}
NODE_LIST = {
    "query": Differ(
        "the SDK always sends the prefix", ("encoding-type=url",), ("prefix=", "encoding-type=url")
    ),
    "signed parameters": Differ("as for the query", "encoding-type", "encoding-type;prefix"),
}

CASES = [
    Case(
        "get_service",
        {},
        Side("list_buckets", differs=PYTHON_SERVICE),
        Side("getService"),
        SERVICE,
        is_about_bucket=False,
    ),
    Case(
        "get_service, one page of one region",
        {"Region": "ap-shanghai", "Marker": "photos-1", "MaxKeys": 5},
        Side("list_buckets", differs=PYTHON_SERVICE_PAGE),
        Side("getService"),
        SERVICE,
        is_about_bucket=False,
    ),
    Case(
        "get_service, filtered by tag and time",
        {"TagKey": "team", "TagValue": "red", "CreateTime": 1558000000, "Range": "lte"},
        Side("list_buckets", differs=PYTHON_FILTERS),
        Side("getService", differs=NODE_FILTERS),
        SERVICE,
        is_about_bucket=False,
    ),
    Case("head_bucket", {}, Side("head_bucket"), Side("headBucket", differs=NO_LENGTH)),
    Case(
        "get_bucket",
        URL,
        Side("list_objects", differs=PYTHON_LIST),
        Side("getBucket", differs=NODE_LIST),
        LIST,
    ),
    Case(
        "get_bucket, one page",
        {**PAGE, **URL},
        Side("list_objects", differs=BLANKS),
        Side("getBucket"),
        LIST,
    ),
    Case("put_bucket", {}, Side("create_bucket"), Side("putBucket")),
    Case("put_bucket, with grants", GRANTS, Side("create_bucket"), Side("putBucket")),
    Case(
        "put_bucket, with grants on the ACL",
        ACP_GRANTS,
        Side("create_bucket", missing=NO_ACP),
        Side("putBucket"),
    ),
    Case(
        "put_bucket, in several zones",
        {"BucketAZConfig": "MAZ"},
        Side("create_bucket"),
        Side("putBucket", differs=WITH_DIGEST),
    ),
    Case(
        "put_bucket, with tags",
        {"Tagging": "a=b&c%20d=%E4%B8%AD"},
        Side("create_bucket"),
        Side("putBucket", {"Tagging": None, "x-cos-tagging": "a=b&c%20d=%E4%B8%AD"}),
    ),
    Case(
        "delete_bucket",
        {},
        Side("delete_bucket", differs=NO_LENGTH),
        Side("deleteBucket", differs=NO_LENGTH),
    ),
    Case(
        "get_bucket_location",
        {},
        Side("get_bucket_location", differs=BARE_NAME),
        Side("getBucketLocation", differs=BARE_NAME),
        b"<LocationConstraint>ap-guangzhou</LocationConstraint>",
    ),
]
