"""The client: one method per documented operation."""

from __future__ import annotations

from apps.storage.cos.batch import BatchOperations
from apps.storage.cos.bucket import BucketOperations
from apps.storage.cos.cors import CorsOperations
from apps.storage.cos.multipart import MultipartOperations
from apps.storage.cos.objects import ObjectOperations
from apps.storage.cos.presign import PresignOperations
from apps.storage.cos.service import ServiceOperations
from apps.storage.cos.settings import AclOperations, TaggingOperations
from apps.storage.cos.slice_copy import SliceCopyOperations
from apps.storage.cos.slice_upload import SliceUploadOperations


class CosClient(
    SliceUploadOperations,
    SliceCopyOperations,
    ServiceOperations,
    BucketOperations,
    AclOperations,
    CorsOperations,
    TaggingOperations,
    ObjectOperations,
    MultipartOperations,
    PresignOperations,
    BatchOperations,
):
    """Tencent Cloud Object Storage, XML API v5.

        client = CosClient(credentials=Credentials("AKID…", "…"))
        page = client.get_bucket(Bucket="photos-1250000000", Region="ap-guangzhou", Prefix="2026/")

    Arguments and results have the documented names; every result also has `RequestId`. Failures are
    `apps.storage.errors`. Opening one is cheap and sends nothing. Safe in several threads. When no call is
    under way at a fork, parent and child may both go on with it, the child on connections of its own.
    """
