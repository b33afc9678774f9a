"""Operations on the account."""

from __future__ import annotations

from collections.abc import Mapping

from apps.storage import errors
from apps.storage.cos.addresses import service_host
from apps.storage.cos.calls import Caller, Result
from apps.storage.cos.documented import bucket_documented, owner_documented
from apps.storage.cos.messages import Call
from apps.storage.cos.options import FILTERS, parameters_of
from apps.storage.cos.xmlread import record_at, records_of, text_of, xml_parse

_COMPARISONS = ("lt", "lte", "gt", "gte")
# Zero is a time like any other.
_ABSENT = (None, "")


class ServiceOperations(Caller):
    """Get Service."""

    def get_service(
        self,
        *,
        Region: str | None = None,
        Marker: str | None = None,
        MaxKeys: int | str | None = None,
        TagKey: str | None = None,
        TagValue: str | None = None,
        CreateTime: int | str | None = None,
        Range: str | None = None,
    ) -> Result:
        """Return buckets of the account: `Owner`, and `Buckets`, a list of records.

        A bucket has `Name`, `Location` (its region), `CreationDate` and `CreateDate` (both the same, ISO
        8601) and `BucketType`. A page holds up to `MaxKeys`, at most 2000; while `IsTruncated` is "true", the
        next one begins after `Marker=NextMarker`. Without `Region` the buckets of all regions come. `TagKey`
        and `TagValue` go together, and so do `CreateTime`, in Unix seconds, and `Range`, one of lt, lte, gt,
        gte. Raises Denied for a key that may not list. Source: GET Service, 2026-08.
        """
        filters = {
            "Marker": Marker,
            "MaxKeys": MaxKeys,
            "TagKey": TagKey,
            "TagValue": TagValue,
            "CreateTime": CreateTime,
            "Range": Range,
        }
        _pairs_check(filters)
        answer = self._call(
            Call(
                operation="Get Service",
                method="GET",
                host=service_host(self.endpoint, Region or None),
                query=parameters_of(filters, FILTERS),
            )
        )
        root = xml_parse(answer.body, "ListAllMyBucketsResult")
        return {
            "Owner": owner_documented(record_at(root, "Owner")),
            "Buckets": [bucket_documented(record) for record in records_of(root, "Buckets/Bucket")],
            "Marker": text_of(root, "Marker"),
            "IsTruncated": text_of(root, "IsTruncated", "false").lower(),
            "NextMarker": text_of(root, "NextMarker"),
            "RequestId": answer.request_id,
        }


def _pairs_check(filters: Mapping[str, object]) -> None:
    for left, right in (("TagKey", "TagValue"), ("CreateTime", "Range")):
        if (filters[left] in _ABSENT) != (filters[right] in _ABSENT):
            raise errors.Refused(f"{left} and {right} only mean something together.")
    if filters["Range"] not in (*_ABSENT, *_COMPARISONS):
        raise errors.Refused(f"Range must be one of {', '.join(_COMPARISONS)}, not {filters['Range']!r}.")
