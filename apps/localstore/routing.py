"""From method, key and parameters to the operation and who may call it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.localstore.call import Call
from apps.localstore.errors import StoreError
from apps.localstore.operations import access, batch, buckets, copies, lists, multipart, objects, settings
from apps.localstore.operations.upload_lists import uploads_list
from apps.localstore.parameters import resource_of
from apps.localstore.request import Request
from apps.localstore.responses import Response
from apps.localstore.targets import Place


@dataclass(frozen=True)
class Operation:
    """One operation under the name that fault rules use.

    `owner_only` is checked before it runs; the others judge the ACL themselves,
    because which one counts depends on the object. `bucket_required` is false
    where a missing bucket is not an error yet. `is_slow` marks those whose status
    may go out before their result.
    """

    name: str
    run: Callable[[Call], Response]
    owner_only: bool = False
    bucket_required: bool = True
    is_slow: bool = False


GET_SERVICE = Operation("GetService", buckets.service_get, bucket_required=False)
PREFLIGHT = Operation("OptionsObject", settings.preflight, bucket_required=False)

BUCKET_OPERATIONS = {
    ("HEAD", ""): Operation("HeadBucket", buckets.bucket_head),
    ("GET", ""): Operation("ListObjects", lists.objects_list),
    ("PUT", ""): Operation("PutBucket", buckets.bucket_create, bucket_required=False),
    ("DELETE", ""): Operation("DeleteBucket", buckets.bucket_remove, owner_only=True),
    ("GET", "location"): Operation("GetBucketLocation", buckets.location_get, owner_only=True),
    ("GET", "acl"): Operation("GetBucketAcl", access.bucket_acl_get),
    ("PUT", "acl"): Operation("PutBucketAcl", access.bucket_acl_put),
    ("GET", "cors"): Operation("GetBucketCors", settings.cors_get, owner_only=True),
    ("PUT", "cors"): Operation("PutBucketCors", settings.cors_put, owner_only=True),
    ("DELETE", "cors"): Operation("DeleteBucketCors", settings.cors_delete, owner_only=True),
    ("GET", "tagging"): Operation("GetBucketTagging", settings.tagging_get, owner_only=True),
    ("PUT", "tagging"): Operation("PutBucketTagging", settings.tagging_put, owner_only=True),
    ("DELETE", "tagging"): Operation("DeleteBucketTagging", settings.tagging_delete, owner_only=True),
    ("GET", "uploads"): Operation("ListMultipartUploads", uploads_list),
    ("POST", "delete"): Operation("DeleteMultipleObjects", batch.objects_delete),
}
OBJECT_OPERATIONS = {
    ("HEAD", ""): Operation("HeadObject", objects.object_head),
    ("GET", ""): Operation("GetObject", objects.object_get),
    ("PUT", ""): Operation("PutObject", objects.object_write),
    ("PUT", "copy"): Operation("CopyObject", copies.object_copy, is_slow=True),
    ("DELETE", ""): Operation("DeleteObject", objects.object_remove),
    ("GET", "acl"): Operation("GetObjectAcl", access.object_acl_get),
    ("PUT", "acl"): Operation("PutObjectAcl", access.object_acl_put),
    ("POST", "uploads"): Operation("InitiateMultipartUpload", multipart.upload_begin),
    ("PUT", "uploadId"): Operation("UploadPart", multipart.part_write),
    ("PUT", "uploadId copy"): Operation("UploadPartCopy", copies.part_copy, is_slow=True),
    ("POST", "uploadId"): Operation("CompleteMultipartUpload", multipart.upload_complete, is_slow=True),
    ("GET", "uploadId"): Operation("ListParts", multipart.parts_list),
    ("DELETE", "uploadId"): Operation("AbortMultipartUpload", multipart.upload_abort),
}
NAMES = frozenset(
    operation.name
    for operation in (GET_SERVICE, PREFLIGHT, *BUCKET_OPERATIONS.values(), *OBJECT_OPERATIONS.values())
)


def operation_of(request: Request, place: Place) -> Operation:
    """Return what a request asks for.

    Raises MethodNotAllowed, NotImplemented, InvalidArgument or PathStyleDomainForbidden.
    """
    if request.method == "OPTIONS":
        return PREFLIGHT
    if not place.bucket:
        if request.method == "GET" and request.path == "/":
            return GET_SERVICE
        # The region's own host once took buckets in its path; buckets made since 2024 may not be reached so.
        is_path_style = not place.bare and request.path != "/"
        raise StoreError("PathStyleDomainForbidden" if is_path_style else "MethodNotAllowed")
    resource = resource_of(request.method, request.query, has_key=bool(request.key))
    if request.method == "PUT" and request.headers.get("x-cos-copy-source") and request.key:
        resource = f"{resource} copy".strip()
    table = OBJECT_OPERATIONS if request.key else BUCKET_OPERATIONS
    operation = table.get((request.method, resource))
    if operation is None:
        raise StoreError("MethodNotAllowed")
    return operation
