"""One request with what became known about it, and the parts of its answer that follow from that."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.localstore.bodies import Body
from apps.localstore.cors import cors_headers, cors_unpack
from apps.localstore.early import EarlyAnswer
from apps.localstore.errors import StoreError
from apps.localstore.faults import Fault, fault_of
from apps.localstore.records import Bucket, http_date
from apps.localstore.request import Request
from apps.localstore.responses import SERVER, Header, Response, error_body, trace_id_of
from apps.localstore.targets import host_name


@dataclass
class Exchange:
    """A request under way. `now` is unix time in seconds, which a fault may have moved."""

    request: Request
    body: Body
    early: EarlyAnswer
    request_id: str
    operation: str = ""
    now: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    bucket: Bucket | None = None

    def struck_by(self, kind: str) -> Fault | None:
        """Return the rule of a kind that strikes this request."""
        return fault_of(self.faults, kind)

    def common_headers(self) -> list[Header]:
        """Return what every answer carries, and to another origin what the bucket's rules say."""
        common = [("Server", SERVER), ("Date", http_date(int(self.now * 1000)))]
        common.append(("x-cos-request-id", self.request_id))
        origin = self.request.headers.get("origin")
        if origin and self.request.method != "OPTIONS" and self.bucket is not None:
            rules = cors_unpack(self.bucket.cors)
            common += cors_headers(rules, origin=origin, method=self.request.method) or []
        return common

    def error_xml(self, error: StoreError) -> bytes:
        """Return the error document for this request."""
        resource = host_name(self.request.host) + self.request.path
        return error_body(error, resource=resource, request_id=self.request_id)

    def refusal(self, error: StoreError) -> Response:
        """Return the answer that an error becomes."""
        trace_id = ("x-cos-trace-id", trace_id_of(self.request_id))
        headers = [("Content-Type", "application/xml"), trace_id]
        return Response(error.status, headers, self.error_xml(error), closes=error.closes)
