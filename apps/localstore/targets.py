"""Which bucket and region a host names."""

from __future__ import annotations

import re
from dataclasses import dataclass

BUCKET_HOST = re.compile(r"(?P<bucket>[^.]+)\.cos(?:-internal)?\.(?P<region>[a-z0-9-]+)\..+")
REGION_HOST = re.compile(r"cos(?:-internal)?\.(?P<region>[a-z0-9-]+)\..+")
ADDRESS_HOST = re.compile(r"\d+\.\d+\.\d+\.\d+|\[.*\]|localhost|[a-z0-9-]+|")

REGIONS = frozenset(
    """
    ap-beijing ap-beijing-1 ap-beijing-fsi ap-nanjing ap-shanghai ap-shanghai-fsi
    ap-guangzhou ap-shenzhen-fsi ap-chengdu ap-chongqing ap-hongkong ap-singapore ap-mumbai
    ap-jakarta ap-seoul ap-bangkok ap-tokyo na-siliconvalley na-ashburn na-toronto
    sa-saopaulo eu-frankfurt
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Place:
    """Where a request points: a bucket in a region, or the service when `bucket` is empty.

    `bare` marks a plain address or name, where the supervisor's paths live.
    """

    bucket: str = ""
    region: str = ""
    bare: bool = False


def host_name(host: str) -> str:
    """Return the host without its port, in lower case."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()


def place_of(host: str) -> Place | None:
    """Return what this host names; None for a host that is no part of the service."""
    name = host_name(host)
    if name.startswith("service."):
        return Place()
    region = REGION_HOST.fullmatch(name)
    if region:
        return Place(region=region["region"])
    bucket = BUCKET_HOST.fullmatch(name)
    if bucket:
        return Place(bucket["bucket"], bucket["region"])
    return Place(bare=True) if ADDRESS_HOST.fullmatch(name) else None
