"""What is configured on a bucket or an object: ACL and tags. Each PUT replaces all that was there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from apps.storage.cos.bodies import BytesBody
from apps.storage.cos.calls import Caller, Result, xml_request
from apps.storage.cos.messages import Answer
from apps.storage.cos.options import GrantOptions, headers_of
from apps.storage.cos.xmlread import grants_of, records_of, xml_parse
from apps.storage.cos.xmlwrite import acl_body, tagging_body

ACL_QUERY = (("acl", ""),)
_TAGGING = (("tagging", ""),)


class AclOperations(Caller):
    """Get and Put of Bucket ACL and Object ACL."""

    def get_bucket_acl(self, *, Bucket: str, Region: str) -> Result:
        """Return `Owner`, `AccessControlList` and `ACL`, raw.

        `AccessControlList["Grant"]` is a list of `Permission` (READ, WRITE, READ_ACP, WRITE_ACP,
        FULL_CONTROL) and `Grantee`: `Type`, and `ID` or `URI`; `uin` and `Subacount` are the numbers inside
        the id, `uin` is "anonymous" for everybody. The owner's own FULL_CONTROL may or may not be listed.
        `ACL` is the canned name that the store puts in a header, empty where it does not; nothing is guessed.
        Raises Denied without READ_ACP. Source: GET Bucket acl, 2026-08.
        """
        return acl_fields(self._bucket_call("Get Bucket ACL", "GET", Bucket, Region, query=ACL_QUERY))

    def put_bucket_acl(
        self,
        *,
        Bucket: str,
        Region: str,
        AccessControlPolicy: Mapping[str, Any] | None = None,
        **grants: Unpack[GrantOptions],
    ) -> Result:
        """Replace the ACL of a bucket and return `BucketGrantSuccess`.

        Either by headers, or by a policy in the shape that Get Bucket ACL returns; the store ignores a policy
        next to a canned name. Grantees in headers are `id="…"`, or `uin="…"` as in 2017, joined by commas.
        Raises Refused for text that is no grant, and for what is no policy. Source: PUT Bucket acl, 2026-08.
        """
        answer = self._bucket_call(
            "Put Bucket ACL",
            "PUT",
            Bucket,
            Region,
            query=ACL_QUERY,
            **_acl_request(AccessControlPolicy, grants),
        )
        return {"BucketGrantSuccess": True, "RequestId": answer.request_id}

    def get_object_acl(self, *, Bucket: str, Region: str, Key: str) -> Result:
        """Return `Owner`, `AccessControlList` and `ACL`, raw.

        As Get Bucket ACL; `ACL` is "default" for an object that has none of its own. Raises ObjectNotFound,
        and Denied without READ_ACP. Source: GET Object acl, 2026-08.
        """
        return acl_fields(self._object_call("Get Object ACL", "GET", Bucket, Region, Key, query=ACL_QUERY))

    def put_object_acl(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        AccessControlPolicy: Mapping[str, Any] | None = None,
        **grants: Unpack[GrantOptions],
    ) -> Result:
        """Replace the ACL of an object; `ACL="default"` makes it inherit the bucket's again.

        Otherwise as Put Bucket ACL, `BucketGrantSuccess` included. Objects know no WRITE grant. Raises
        ObjectNotFound, and Denied without WRITE_ACP. Source: PUT Object acl, 2026-08.
        """
        answer = self._object_call(
            "Put Object ACL",
            "PUT",
            Bucket,
            Region,
            Key,
            query=ACL_QUERY,
            **_acl_request(AccessControlPolicy, grants),
        )
        return {"BucketGrantSuccess": True, "RequestId": answer.request_id}


class TaggingOperations(Caller):
    """Get, Put and Delete of Bucket Tagging."""

    def get_bucket_tagging(self, *, Bucket: str, Region: str) -> Result:
        """Return `Tags`: a list of `Key` and `Value`.

        Raises NotFound where there is none. Source: GET Bucket tagging, 2026-08.
        """
        answer = self._bucket_call("Get Bucket Tagging", "GET", Bucket, Region, query=_TAGGING)
        tags = records_of(xml_parse(answer.body, "Tagging"), "TagSet/Tag")
        return {"Tags": tags, "RequestId": answer.request_id}

    def put_bucket_tagging(self, *, Bucket: str, Region: str, Tags: Sequence[Mapping[str, str]]) -> Result:
        """Replace the tags and return `PutBucketTaggingSuccess`.

        At most 50, each with `Key` and `Value`; they may be visible only seconds later. Raises Refused for
        what is no tag. Source: PUT Bucket tagging, 2026-08.
        """
        answer = self._bucket_call(
            "Put Bucket Tagging",
            "PUT",
            Bucket,
            Region,
            query=_TAGGING,
            accepts=(200, 204),
            **xml_request(tagging_body(Tags)),
        )
        return {"PutBucketTaggingSuccess": True, "RequestId": answer.request_id}

    def delete_bucket_tagging(self, *, Bucket: str, Region: str) -> Result:
        """Remove all tags and return `DeleteBucketTaggingSuccess`, true also when there were none.

        Raises BucketNotFound for a missing bucket. Source: DELETE Bucket tagging, 2026-08.
        """
        request_id = self._settings_delete("Delete Bucket Tagging", Bucket, Region, query=_TAGGING)
        return {"DeleteBucketTaggingSuccess": True, "RequestId": request_id}


def acl_fields(answer: Answer) -> Result:
    canned = answer.headers.get("x-cos-acl", "")
    return {
        **grants_of(xml_parse(answer.body, "AccessControlPolicy")),
        "ACL": canned,
        "RequestId": answer.request_id,
    }


def _acl_request(policy: Mapping[str, Any] | None, grants: Mapping[str, Any]) -> dict[str, Any]:
    if policy is None:
        return {"body": BytesBody(b""), "headers": headers_of(grants, GrantOptions)}
    request = xml_request(acl_body(policy))
    return {**request, "headers": (*request["headers"], *headers_of(grants, GrantOptions))}
