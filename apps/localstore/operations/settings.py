"""A bucket's CORS rules and tags, and the preflight that the rules answer."""

from __future__ import annotations

from apps.localstore.call import Call
from apps.localstore.cors import BODY_LIMIT, cors_document, cors_headers, cors_pack, cors_parse, cors_unpack
from apps.localstore.errors import StoreError
from apps.localstore.responses import Response, xml_response
from apps.localstore.rows import bucket_change
from apps.localstore.tags import tags_document, tags_parse


def _change(call: Call, **changes: object) -> None:
    call.engine.index.write(lambda tx: bucket_change(tx, call.bucket.name, **changes))


def cors_get(call: Call) -> Response:
    """Show the CORS rules. Raises NoSuchCORSConfiguration."""
    rules = cors_unpack(call.bucket.cors)
    if not rules:
        raise StoreError("NoSuchCORSConfiguration")
    return xml_response(cors_document(rules))


def cors_put(call: Call) -> Response:
    """Replace the CORS rules. Source: PUT Bucket cors, 2024-12."""
    rules = cors_parse(call.read_xml(limit=BODY_LIMIT, md5_required=True))
    _change(call, cors=cors_pack(rules))
    return Response()


def cors_delete(call: Call) -> Response:
    """Remove the CORS rules; having none is fine."""
    _change(call, cors=None)
    return Response(status=204)


def tagging_get(call: Call) -> Response:
    """Show the tags. Raises NoSuchTagSet."""
    if not call.bucket.tags:
        raise StoreError("NoSuchTagSet")
    return xml_response(tags_document(call.bucket.tags))


def tagging_put(call: Call) -> Response:
    """Replace the tags. Source: PUT Bucket tagging, 2024-12."""
    _change(call, tags=tags_parse(call.read_xml(md5_required=True)))
    return Response(status=204)


def tagging_delete(call: Call) -> Response:
    """Remove the tags."""
    _change(call, tags=())
    return Response(status=204)


def preflight(call: Call) -> Response:
    """Answer whether a browser may send the request it announces. Source: OPTIONS Object, 2024-12."""
    origin = call.headers.get("origin")
    method = call.headers.get("access-control-request-method")
    if not origin or not method:
        raise StoreError("InvalidRequest", "Origin and Access-Control-Request-Method are required.")
    requested = call.headers.get("access-control-request-headers")
    rules = cors_unpack(call.found.cors if call.found else None)
    headers = cors_headers(rules, origin=origin, method=method, requested=requested)
    if headers is None:
        raise StoreError("AccessForbidden")
    return Response(headers=headers)
