"""Regions and host names. Source: COS "Regions and access endpoints", 2026-08; aliases from older SDKs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from apps.storage.cos.arguments import header_argument, mapping_argument, required_text, text_argument
from apps.storage.cos.keys import bucket_check, key_check, key_quote
from apps.storage.errors import Refused
from apps.storage.types import Endpoint

REGIONS = (
    "ap-guangzhou",
    "ap-shanghai",
    "ap-beijing",
    "ap-beijing-1",
    "ap-chengdu",
    "ap-nanjing",
    "ap-chongqing",
    "ap-hongkong",
    "ap-singapore",
    "ap-mumbai",
    "ap-jakarta",
    "ap-seoul",
    "ap-bangkok",
    "ap-tokyo",
    "na-siliconvalley",
    "na-ashburn",
    "na-toronto",
    "sa-saopaulo",
    "eu-frankfurt",
)

# Spellings of the same regions that old documents, old buckets and old configuration files still use.
LEGACY_REGIONS = {
    "cn-south": "ap-guangzhou",
    "cn-east": "ap-shanghai",
    "cn-north": "ap-beijing-1",
    "cn-southwest": "ap-chengdu",
    "china-south": "ap-guangzhou",
    "china-east": "ap-shanghai",
    "china-north": "ap-beijing-1",
    "china-west": "ap-chengdu",
    "singapore": "ap-singapore",
    "sg": "ap-singapore",
    "tianjin": "ap-beijing-1",
    "cossh": "ap-shanghai",
    "cosgz": "ap-guangzhou",
    "cosbj": "ap-beijing",
    "costj": "ap-beijing-1",
    "coscd": "ap-chengdu",
    "cossgp": "ap-singapore",
    "coshk": "ap-hongkong",
    "cosca": "na-toronto",
    "cosger": "eu-frankfurt",
}

_COPY_SOURCE = re.compile(r"[A-Za-z0-9.:-]+/[!-~]+")
_REGION = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def region_canonical(region: str) -> str:
    """Return today's name of `region`, which may be an alias or carry the prefix `cos.`.

    An unknown but well-formed name is kept, because regions are added. Raises Refused for anything that
    could not be a part of a host name.
    """
    name = text_argument("Region", region).removeprefix("cos.")
    if not _REGION.fullmatch(name):
        raise Refused(f"{region!r} is not the name of a region, such as ap-guangzhou.")
    return LEGACY_REGIONS.get(name, name)


def bucket_host(endpoint: Endpoint, bucket: str, region: str) -> str:
    """Return the public host of a bucket; host style is the only style COS still accepts.

    Raises Refused for names that cannot be a part of it.
    """
    # Checked first, because what cannot be hashed cannot be looked up, either.
    return _bucket_host(endpoint, text_argument("Bucket", bucket), text_argument("Region", region))


@lru_cache(maxsize=64)
def _bucket_host(endpoint: Endpoint, bucket: str, region: str) -> str:
    bucket_check(bucket)
    return f"{bucket}.cos.{region_canonical(region)}.{endpoint.suffix}"


def object_address(endpoint: Endpoint, bucket: str, region: str, key: str) -> str:
    """Return the public address of an object, unsigned."""
    return f"{endpoint.scheme}://{bucket_host(endpoint, bucket, region)}/{key_quote(key)}"


def service_host(endpoint: Endpoint, region: str | None = None) -> str:
    """Return the host that lists buckets, of all regions or of one."""
    if region is None:
        return f"service.cos.{endpoint.suffix}"
    return f"cos.{region_canonical(region)}.{endpoint.suffix}"


def copy_source(endpoint: Endpoint, source: str | Mapping[str, str]) -> str:
    """Return the value of `x-cos-copy-source`: host, slash, percent-encoded key, version.

    `source` is either that value already (a scheme is cut off), or a mapping with `Bucket`, `Region`, `Key`
    and optionally `VersionId`. Raises Refused for anything else. Source: PUT Object - Copy, 2026-08.
    """
    if isinstance(source, str):
        value = re.sub(r"^https?://", "", header_argument("CopySource", source))
        if not _COPY_SOURCE.fullmatch(value):
            raise Refused(
                f"CopySource must be a host and an encoded key, as in "
                f"photos-1250000000.cos.ap-guangzhou.myqcloud.com/a%20b, not {source_shown(source)!r}."
            )
        return value
    mapping_argument("CopySource", source, "Bucket", "Region", "Key")
    key_check(source["Key"])
    value = f"{bucket_host(endpoint, source['Bucket'], source['Region'])}/{key_quote(source['Key'])}"
    version = source.get("VersionId")
    return f"{value}?versionId={key_quote(required_text('VersionId', version))}" if version else value


def source_shown(source: str) -> str:
    """Return what a sentence may quote of a `CopySource`: a query may be a signature, and stays out."""
    return source.partition("?")[0]
