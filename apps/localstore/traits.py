"""What a write says about the object beside its bytes, and how a read shows it again."""

from __future__ import annotations

import mimetypes
import re

from apps.localstore.acl import object_acl_of
from apps.localstore.call import Call
from apps.localstore.errors import StoreError
from apps.localstore.records import Fields, Traits
from apps.localstore.request import Pairs
from apps.localstore.responses import Header
from apps.localstore.tags import tags_of_header

STORAGE_CLASSES = frozenset(
    """
    STANDARD STANDARD_IA INTELLIGENT_TIERING ARCHIVE DEEP_ARCHIVE MAZ_STANDARD
    MAZ_STANDARD_IA MAZ_INTELLIGENT_TIERING MAZ_ARCHIVE
    """.split()  # noqa: SIM905
)
ARCHIVED = frozenset({"ARCHIVE", "DEEP_ARCHIVE", "MAZ_ARCHIVE"})
CONTENT_HEADERS = (
    "Content-Type",
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Expires",
)
META = "x-cos-meta-"
ENCRYPTION = ("x-cos-server-side-encryption", "x-cos-copy-source-server-side-encryption")
META_NAME = re.compile(r"[a-z0-9-]+")
META_LIMIT = 2048
OBJECT_TAGS_LIMIT = 10

# Guessing must not depend on what the host has in /etc/mime.types, nor on the version of Python.
TYPES = mimetypes.MimeTypes(filenames=())
OFFICE = "application/vnd.openxmlformats-officedocument."
for _suffix, _type in {
    "7z": "application/x-7z-compressed",
    "apk": "application/vnd.android.package-archive",
    "bz2": "application/x-bzip2",
    "docx": OFFICE + "wordprocessingml.document",
    "gz": "application/gzip",
    "ico": "image/x-icon",
    "js": "application/javascript",
    "md": "text/markdown",
    "pptx": OFFICE + "presentationml.presentation",
    "rar": "application/x-rar-compressed",
    "tgz": "application/gzip",
    "webp": "image/webp",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "xlsx": OFFICE + "spreadsheetml.sheet",
    "xml": "text/xml",
    "xz": "application/x-xz",
    "yaml": "application/yaml",
    "zip": "application/zip",
}.items():
    TYPES.add_type(_type, f".{_suffix}")
# A gzipped archive is stored and sent as what it is: nothing here undoes an encoding.
TYPES.encodings_map = {}
TYPES.suffix_map = {}


def fields_of(headers: Pairs, key: str) -> Fields:
    """Return the content headers and the metadata to keep; the type is guessed from the key if absent."""
    fields = [(name, headers.get(name)) for name in CONTENT_HEADERS if headers.get(name)]
    if not headers.get("content-type"):
        guessed = TYPES.guess_type("/" + key.rpartition("/")[2])[0]
        fields.insert(0, ("Content-Type", guessed or "application/octet-stream"))
    return (*fields, *_meta_of(headers))


def _meta_of(headers: Pairs) -> Fields:
    meta = [(name.lower(), value) for name, value in headers if name.lower().startswith(META)]
    if any(not META_NAME.fullmatch(name[len(META) :]) for name, _ in meta):
        raise StoreError("InvalidArgument", "A metadata name holds letters, digits and hyphens.")
    if sum(len(name) - len(META) + len(value) for name, value in meta) > META_LIMIT:
        raise StoreError("InvalidArgument", "The metadata is longer than 2 KB.")
    return tuple(meta)


def refuse_encryption(headers: Pairs) -> None:
    """Raise NotImplemented when a request wants something sealed or opened.

    Nothing here is encrypted, and whoever is not told that takes it for secret.
    """
    if any(name.lower().startswith(ENCRYPTION) for name, _ in headers):
        raise StoreError("NotImplemented", "Nothing is encrypted here.")


def traits_of(call: Call, *, fields: Fields | None = None) -> Traits:
    """Return the traits that the headers of a write ask for.

    The writer owns the object; what an anonymous writer leaves belongs to the
    bucket's owner. Raises InvalidArgument, NotImplemented, NotSupportedStorageClass,
    InvalidTag.
    """
    headers = call.headers
    refuse_encryption(headers)
    storage_class = headers.get("x-cos-storage-class", "STANDARD").upper()
    if storage_class not in STORAGE_CLASSES:
        raise StoreError("NotSupportedStorageClass")
    if len(tags_of_header(headers.get("x-cos-tagging"))) > OBJECT_TAGS_LIMIT:
        raise StoreError("InvalidTag", "An object has up to 10 tags.")
    call.traffic_limit()
    owner = call.account.root_uin if call.account else call.bucket.owner
    acl = object_acl_of(headers, call.bucket.owner)
    return Traits(owner, storage_class, fields_of(headers, call.key) if fields is None else fields, acl)


def shown_headers(traits: Traits) -> list[Header]:
    """Return the stored headers as a read sends them; STANDARD is not mentioned."""
    headers = list(traits.fields)
    if traits.storage_class != "STANDARD":
        headers.append(("x-cos-storage-class", traits.storage_class))
    return headers
