"""What COS can do, and where its limits are."""

from __future__ import annotations

from apps.storage.cos.addresses import REGIONS
from apps.storage.cos.keys import KEY_BYTES_MAX
from apps.storage.features import CorsLimits, Features, TagLimits
from apps.storage.grants import EVERYONE, SIGNED_IN, CannedAcl, Grant, Permission

_MIB = 1 << 20
_GIB = 1 << 30

_READ_BY_ALL = Grant(EVERYONE, Permission.READ)
_READ_BY_SIGNED_IN = Grant(SIGNED_IN, Permission.READ)
_BUCKET_CANNED = (
    CannedAcl("private"),
    CannedAcl("public-read", (_READ_BY_ALL,)),
    CannedAcl("public-read-write", (_READ_BY_ALL, Grant(EVERYONE, Permission.WRITE))),
    CannedAcl("authenticated-read", (_READ_BY_SIGNED_IN,)),
)
_OBJECT_CANNED = (
    CannedAcl("default", is_inherited=True),
    CannedAcl("private"),
    CannedAcl("public-read", (_READ_BY_ALL,)),
    CannedAcl("authenticated-read", (_READ_BY_SIGNED_IN,)),
    CannedAcl("bucket-owner-read", bucket_owner=Permission.READ),
    CannedAcl("bucket-owner-full-control", bucket_owner=Permission.FULL_CONTROL),
)


def _tags_up_to(count_max: int) -> TagLimits:
    """Return the limits of tags. One page allows a character more than another; this is what both allow."""
    return TagLimits(
        count_max=count_max,
        key_max=127,
        value_max=255,
        symbols=" +-=._:/@",
        reserved=("qcs:", "project", "项目"),
    )


# Source: COS "Specifications and limits" and "ACL overview", 2025-12.
FEATURES = Features(
    regions=REGIONS,
    storage_classes=(
        "STANDARD",
        "STANDARD_IA",
        "INTELLIGENT_TIERING",
        "ARCHIVE",
        "DEEP_ARCHIVE",
        "MAZ_STANDARD",
        "MAZ_STANDARD_IA",
        "MAZ_INTELLIGENT_TIERING",
        "MAZ_ARCHIVE",
    ),
    bucket_canned_acls=_BUCKET_CANNED,
    object_canned_acls=_OBJECT_CANNED,
    bucket_permissions=tuple(Permission),
    object_permissions=tuple(permission for permission in Permission if permission != Permission.WRITE),
    grants_max=100,
    cors=CorsLimits(
        rules_max=100, document_bytes_max=64 << 10, methods=("GET", "PUT", "POST", "DELETE", "HEAD")
    ),
    bucket_tags=_tags_up_to(50),
    object_tags=_tags_up_to(10),
    metadata_bytes_max=2048,
    key_bytes_max=KEY_BYTES_MAX,
    archive_classes=("ARCHIVE", "DEEP_ARCHIVE", "MAZ_ARCHIVE"),
    part_size_min=_MIB,
    part_size_max=5 * _GIB,
    parts_max=10_000,
    single_put_max=5 * _GIB,
    single_copy_max=5 * _GIB,
    delete_batch_max=1000,
    # The default domain of buckets made since 2024. Source: "Bucket Domain Security Management", 2025-05.
    may_force_download=True,
    bucket_name_help=(
        "Lower-case letters, digits and hyphens, then a hyphen and the APPID, as in photos-1250000000. "
        "With its region the whole host name has at most 60 characters."
    ),
)
