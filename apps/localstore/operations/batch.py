"""POST /?delete: many keys in one request."""

from __future__ import annotations

from apps.localstore.call import Call
from apps.localstore.errors import StoreError
from apps.localstore.index import Writer
from apps.localstore.markup import children, document, leaf, node, parse, text_of
from apps.localstore.responses import Response, xml_response
from apps.localstore.rows import object_delete

BATCH_LIMIT = 1000


def objects_delete(call: Call) -> Response:
    """Delete up to 1000 keys; missing ones count as deleted. Source: DELETE Multiple Objects, 2024-12.

    The versions of a store without versioning are all `null`; another version
    is an error of that key alone.
    """
    call.require("WRITE")
    root = parse(call.read_xml(md5_required=True), "Delete")
    wanted = [(text_of(e, "Key"), text_of(e, "VersionId").strip()) for e in children(root, "Object")]
    if not 0 < len(wanted) <= BATCH_LIMIT or not all(key for key, _ in wanted):
        raise StoreError("MalformedXML", "A batch names 1 to 1000 keys.")
    quiet = text_of(root, "Quiet").strip().lower() == "true"
    deleted = [key for key, version in wanted if version in ("", "null")]

    def work(tx: Writer) -> None:
        for key in deleted:
            object_delete(tx, call.bucket.name, key)

    call.engine.index.write(work)
    parts = [] if quiet else [node("Deleted", leaf("Key", key)) for key in deleted]
    parts += [_refused(key, version) for key, version in wanted if version not in ("", "null")]
    return xml_response(document(node("DeleteResult", *parts), declared=False))


def _refused(key: str, version: str) -> str:
    error = StoreError("NoSuchVersion")
    names = (leaf("Key", key), leaf("VersionId", version))
    return node("Error", *names, leaf("Code", error.code), leaf("Message", error.message))
