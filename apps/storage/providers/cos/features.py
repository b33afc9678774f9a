"""What COS can do, and where its limits are."""

from __future__ import annotations

from apps.storage.cos.addresses import REGIONS
from apps.storage.types import Features

_MIB = 1 << 20
_GIB = 1 << 30

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
    bucket_acls=("private", "public-read", "public-read-write", "authenticated-read"),
    object_acls=(
        "default",
        "private",
        "public-read",
        "authenticated-read",
        "bucket-owner-read",
        "bucket-owner-full-control",
    ),
    part_size_min=_MIB,
    part_size_max=5 * _GIB,
    parts_max=10_000,
    single_put_max=5 * _GIB,
    single_copy_max=5 * _GIB,
    delete_batch_max=1000,
    has_part_crc64=True,
    bucket_name_help=(
        "Lower-case letters, digits and hyphens, then a hyphen and the APPID, as in photos-1250000000. "
        "With its region the whole host name has at most 60 characters."
    ),
)
