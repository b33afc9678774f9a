"""The official Python SDK, uploading the same file straight to the same store."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

from qcloud_cos import CosConfig, CosS3Client

from harness.sender import Clock

PART_MIB = 8
THREADS = 4


def sdk_open(store: Mapping[str, Any]) -> Any:
    """Return a client whose requests go to the store on this machine, under their real host names."""
    logging.getLogger("qcloud_cos").setLevel(logging.ERROR)
    config = CosConfig(
        Region=store["region"],
        SecretId=store["secret_id"],
        SecretKey=store["secret_key"],
        Scheme="http",
        Proxies={"http": f"http://127.0.0.1:{store['port']}"},
    )
    return CosS3Client(config)


def sdk_upload(store: Mapping[str, Any], *, key: str, file: str) -> None:
    """Upload one file as the SDK's users do, with parts and threads as browsers get them here."""
    sdk_open(store).upload_file(
        Bucket=store["bucket"], Key=key, LocalFilePath=file, PartSize=PART_MIB, MAXThread=THREADS
    )


def main() -> None:
    spec = json.load(sys.stdin)
    clock = Clock()
    sdk_upload(spec["store"], key=spec["key"], file=spec["file"])
    print(json.dumps(clock.result()))


if __name__ == "__main__":
    main()
