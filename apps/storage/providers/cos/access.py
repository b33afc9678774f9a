"""ACLs, CORS, tags and location."""

from __future__ import annotations

from collections.abc import Sequence

from apps.storage import errors
from apps.storage.cors import Cors, Preflight
from apps.storage.grants import Acl
from apps.storage.providers.cos.client import OnClient
from apps.storage.providers.cos.grants import acl_of, acl_options
from apps.storage.providers.cos.settings import cors_of, cors_options, preflight_of, tag_records, tags_of
from apps.storage.tags import Tag


class AccessCalls(OnClient):
    """`contract.access` on the COS client."""

    def get_bucket_acl(self, *, bucket: str, region: str) -> Acl:
        return acl_of(self.client.get_bucket_acl(Bucket=bucket, Region=region))

    def put_bucket_acl(self, *, bucket: str, region: str, acl: Acl | str) -> None:
        self.client.put_bucket_acl(Bucket=bucket, Region=region, **acl_options(acl))

    def get_object_acl(self, *, bucket: str, region: str, key: str) -> Acl:
        return acl_of(self.client.get_object_acl(Bucket=bucket, Region=region, Key=key))

    def put_object_acl(self, *, bucket: str, region: str, key: str, acl: Acl | str) -> str:
        answer = self.client.put_object_acl(Bucket=bucket, Region=region, Key=key, **acl_options(acl))
        return str(answer["RequestId"])

    def get_bucket_cors(self, *, bucket: str, region: str) -> Cors:
        try:
            return cors_of(self.client.get_bucket_cors(Bucket=bucket, Region=region))
        except errors.NotFound as error:
            _none_configured(error)
            return Cors()

    def put_bucket_cors(self, *, bucket: str, region: str, cors: Cors) -> None:
        if cors == Cors():
            self.delete_bucket_cors(bucket=bucket, region=region)
            return
        self.client.put_bucket_cors(Bucket=bucket, Region=region, **cors_options(cors))

    def delete_bucket_cors(self, *, bucket: str, region: str) -> None:
        self.client.delete_bucket_cors(Bucket=bucket, Region=region)

    def preflight(
        self, *, bucket: str, region: str, key: str, origin: str, method: str, headers: Sequence[str] = ()
    ) -> Preflight:
        answer = self.client.options_object(
            Bucket=bucket,
            Region=region,
            Key=key,
            Origin=origin,
            AccessControlRequestMethod=method,
            AccessControlRequestHeaders=",".join(headers),
        )
        return preflight_of(answer)

    def get_bucket_tags(self, *, bucket: str, region: str) -> tuple[Tag, ...]:
        try:
            return tags_of(self.client.get_bucket_tagging(Bucket=bucket, Region=region))
        except errors.NotFound as error:
            _none_configured(error)
            return ()

    def put_bucket_tags(self, *, bucket: str, region: str, tags: Sequence[Tag]) -> None:
        if not tags:
            self.delete_bucket_tags(bucket=bucket, region=region)
            return
        self.client.put_bucket_tagging(Bucket=bucket, Region=region, Tags=tag_records(tags))

    def delete_bucket_tags(self, *, bucket: str, region: str) -> None:
        self.client.delete_bucket_tagging(Bucket=bucket, Region=region)

    def bucket_location(self, *, bucket: str, region: str) -> str:
        answer = self.client.get_bucket_location(Bucket=bucket, Region=region)
        return str(answer["LocationConstraint"])


def _none_configured(error: errors.NotFound) -> None:
    """Raise `error` unless it says that the bucket has no such configuration."""
    if isinstance(error, errors.BucketNotFound):
        raise error
