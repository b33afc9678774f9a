"""Which query parameters a request may carry, so that what is not served never becomes the plain operation.

A sub-resource is only a name in the query: `DELETE /?style` without its query is
`DELETE /`. So whatever changes something carries known names alone. Reading is
freer, because links in the field carry names of their own, which have values.
"""

from __future__ import annotations

from apps.localstore.errors import StoreError
from apps.localstore.request import Pairs

# The first of these that a query has is what the request is about.
SERVED = ("acl", "cors", "tagging", "location", "uploads", "delete", "uploadId")
# Names of the signature, of headers that a link carries, and of headers that an answer is to carry.
PREFIXES = ("q-", "x-cos-", "response-")
WRITTEN = frozenset(SERVED) | {"partNumber", "versionId", "sign", "encoding-type"}
READ = WRITTEN | frozenset(
    """
    prefix delimiter marker max-keys key-marker upload-id-marker max-uploads part-number-marker
    max-parts region tagkey tagvalue create-time range
    """.split()  # noqa: SIM905
)
# The sub-resources of the XML API that the store lacks, 2026-08, for readers that give them a value.
UNSERVED = frozenset(
    """
    accelerate access-point append appendable asyncfetch ci-process domain domaincertificate encryption
    imageInspect image_process intelligenttiering inventory legal-hold lifecycle live logging metadata
    metrics notification object-lock origin policy publicAccessBlock quota referer rename replication
    requestPayment response-control restore retention select style symlink torrent versioning versions
    vod website worm
    """.split()  # noqa: SIM905
)


def resource_of(method: str, query: Pairs, *, has_key: bool) -> str:
    """Return the sub-resource that a query names, or an empty string for the resource itself.

    Raises NotImplemented for a name that could mean something else, and
    InvalidArgument for a part without its upload: it is not the whole object.
    """
    names = {name for name, _ in query}
    is_reading = method in ("GET", "HEAD")
    refused = _refused_to_readers(query) if is_reading else names - WRITTEN
    # `response-control` is a sub-resource for all that its name begins like a parameter of links.
    refused = {name for name in refused if not name.lower().startswith(PREFIXES)} | names & UNSERVED
    if refused or (has_key and "tagging" in names):
        raise StoreError("NotImplemented")
    if not is_reading and "partNumber" in names and "uploadId" not in names:
        raise StoreError("InvalidArgument", "partNumber needs the uploadId of its upload.")
    return next((name for name in SERVED if name in names), "")


def _refused_to_readers(query: Pairs) -> set[str]:
    return {name for name, value in query if not value and name not in READ}
