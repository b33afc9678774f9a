"""The official Python SDK, doing the work of the client benchmark.

It is given what helps it: the address itself instead of a proxy, connections for all its threads, quiet logs.
"""

from __future__ import annotations

import logging
from typing import Any

from qcloud_cos import CosConfig, CosS3Client

from harness.crowd import crowd_run
from harness.report import MIB


class Sdk:
    """`CosS3Client` with as many threads as calls in flight: it has no other way to send several at once."""

    def __init__(self, port: int, *, bucket: str, region: str, keys: tuple[str, str] | None = None) -> None:
        logging.getLogger("qcloud_cos").setLevel(logging.ERROR)
        address = f"127.0.0.1:{port}"
        # A store that looks at keys looks at the bucket's name in the host as well, so that it is the proxy.
        place = {"Proxies": {"http": f"http://{address}"}} if keys else {"Domain": address}
        secret_id, secret_key = keys or ("AKIDbench", "bench")
        config = CosConfig(
            **place,
            Region=region,
            SecretId=secret_id,
            SecretKey=secret_key,
            Scheme="http",
            PoolConnections=64,
            PoolMaxSize=64,
        )
        self._client: Any = CosS3Client(config)
        self._bucket = bucket
        self._region = region

    def acls(self, *, count: int, in_flight: int) -> int:
        """Read `count` ACLs and return the grants found."""
        return sum(crowd_run(self._grants, range(count), threads=in_flight))

    def _grants(self, number: int) -> int:
        found = self._client.get_object_acl(Bucket=self._bucket, Key=f"photos/{number}.jpg")
        return len(found["AccessControlList"]["Grant"])

    def listing(self, *, count: int) -> int:
        """List `count` pages and return the keys found."""
        keys, marker = 0, ""
        for _ in range(count):
            page = self._client.list_objects(Bucket=self._bucket, Marker=marker)
            keys += len(page["Contents"])
            marker = page.get("NextMarker", "")
        return keys

    def upload(self, *, count: int, file: str, part_size: int, threads: int) -> int:
        """Upload the file, whose size is `count` MiB, and return that size. Nothing of it is checked."""
        return self._upload(count, file, part_size, threads, checked=False)

    def upload_checked(self, *, count: int, file: str, part_size: int, threads: int) -> int:
        """Upload the file with the only check there is: an MD5 of each part, which the store compares."""
        return self._upload(count, file, part_size, threads, checked=True)

    def _upload(self, count: int, file: str, part_size: int, threads: int, *, checked: bool) -> int:
        self._client.upload_file(
            Bucket=self._bucket,
            Key="upload",
            LocalFilePath=file,
            PartSize=part_size // MIB,
            MAXThread=threads,
            EnableMD5=checked,
        )
        return count

    def copy(self, *, count: int, part_size: int, threads: int) -> int:
        """Copy an object of `count` parts, with the SDK's calls in a pool, and return their number."""
        self._client.head_object(Bucket=self._bucket, Key="source")
        upload = {"Bucket": self._bucket, "Key": "copy"}
        upload["UploadId"] = self._client.create_multipart_upload(**upload)["UploadId"]
        source = {"Bucket": self._bucket, "Region": self._region, "Key": "source"}

        def part(number: int) -> dict[str, Any]:
            copied = self._client.upload_part_copy(
                **upload,
                PartNumber=number,
                CopySource=source,
                CopySourceRange=f"bytes={(number - 1) * part_size}-{number * part_size - 1}",
            )
            return {"PartNumber": number, "ETag": copied["ETag"]}

        parts = crowd_run(part, range(1, count + 1), threads=threads)
        parts.sort(key=lambda part: part["PartNumber"])
        self._client.complete_multipart_upload(**upload, MultipartUpload={"Part": parts})
        return len(parts)
