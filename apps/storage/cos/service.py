"""Operations on the account."""

from __future__ import annotations

from apps.storage.cos.addresses import service_host
from apps.storage.cos.calls import Caller, Result
from apps.storage.cos.messages import Call
from apps.storage.cos.xmlread import record_of, records_of, text_of, xml_parse


class ServiceOperations(Caller):
    """Get Service."""

    def get_service(
        self, *, Region: str | None = None, Marker: str | None = None, MaxKeys: int | None = None
    ) -> Result:
        """Return the buckets of the account: `Owner`, `Buckets`, and `IsTruncated` with `NextMarker`.

        Without `Region` the buckets of all regions come. A page holds up to 2000.
        Raises Denied for a key that may not list. Source: GET Service, 2026-08.
        """
        query = [("marker", Marker or ""), ("max-keys", str(MaxKeys) if MaxKeys is not None else "")]
        answer = self._call(
            Call(
                operation="Get Service",
                method="GET",
                host=service_host(self.endpoint, Region),
                query=tuple((name, value) for name, value in query if value),
            )
        )
        root = xml_parse(answer.body)
        owner = root.find("Owner")
        return {
            "Owner": record_of(owner) if owner is not None else {},
            "Buckets": records_of(root, "Buckets/Bucket"),
            "IsTruncated": text_of(root, "IsTruncated", "false"),
            "NextMarker": text_of(root, "NextMarker"),
            "RequestId": answer.request_id,
        }
