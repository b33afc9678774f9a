"""How the SDKs read the answers where they read them otherwise than our client."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.storage.wire.answers import PERSON, QUOTED
from tests.storage.wire.case import HOST
from tests.storage.wire.facts import Differ, Pair


@dataclass(frozen=True)
class Reading:
    """`renames` maps patterns of the SDK's paths to ours. `is_error`: the SDK makes an error of it."""

    renames: Mapping[str, str] = field(default_factory=dict)
    differs: Mapping[str, Differ] = field(default_factory=dict)
    is_error: bool = False

    def pairs(self, ours: Any, theirs: Any) -> dict[str, Pair]:
        """Return (ours, theirs) for each leaf of the SDK's result that is not equal to ours."""
        fields = leaves(ours)
        named = {self._renamed(path): value for path, value in leaves(theirs).items()}
        pairs = {path: (fields.get(path), value) for path, value in named.items()}
        return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}

    def _renamed(self, path: str) -> str:
        for pattern, name in self.renames.items():
            path = re.sub(pattern, name, path)
        return path


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Return the leaves of a result by their paths; what is empty is a leaf."""
    if isinstance(value, dict) and (value or not path):
        named = [(f"{path}.{name}" if path else name, child) for name, child in value.items()]
    elif isinstance(value, list) and value:
        named = [(f"{path}[{index}]", child) for index, child in enumerate(value)]
    else:
        return {path: value}
    return {deeper: leaf for name, child in named for deeper, leaf in leaves(child, name).items()}


AS_OURS = Reading()
DECODED = Differ("the listing is encoded, and we undo it", after=unquote)
EMPTY = Differ("an empty element is an empty text, not nothing", "", None)
LABEL = "grants are returned raw: a label derived from them loses the rest"
NO_LABELS = {
    "GrantFullControl": Differ(LABEL, None, ""),
    "GrantRead": Differ(LABEL, None, ""),
    "GrantReadAcp": Differ(LABEL, None, ""),
    "GrantWriteAcp": Differ(LABEL, None, f'id="{PERSON}"'),
}
DERIVED = {"ACL": Differ(LABEL, "", "public-read")}
LIST = {"NextMarker": DECODED, "CommonPrefixes[0].Prefix": DECODED, "Contents[0].Key": DECODED}
UPLOADS = {"NextKeyMarker": DECODED, "Upload[0].Key": DECODED, "CommonPrefixes[0].Prefix": DECODED}
VARY = {"ResponseVary": Differ("newer than the documentation, kept under Extra", None, "true")}
ENCODING = {r"^Encoding-[Tt]ype$": "EncodingType"}
GRANTS = {r"^Grants\[": "AccessControlList.Grant["}
RULES = {r"^CORSRules\b": "CORSRule", r"(Allowed\w+|Expose\w+)s\b": r"\1"}
CANNED = {"^CannedACL$": "ACL"}

NODE = {
    "head_bucket, forbidden": Reading(is_error=True),
    "head_bucket, missing": Reading(is_error=True),
    "get_bucket": Reading(differs=LIST),
    "put_bucket": Reading(differs={"Location": Differ("the SDK appends a slash", HOST, f"{HOST}/")}),
    "get_bucket_acl": Reading(GRANTS, {**NO_LABELS, "GrantWrite": Differ(LABEL, None, ""), **DERIVED}),
    "get_object_acl": Reading(GRANTS, NO_LABELS),
    "get_bucket_cors": Reading(RULES),
    "get_bucket_cors, with more than rules": Reading(RULES, VARY),
    "put_object": Reading(
        differs={
            "Location": Differ(
                "not documented: the SDK builds it from its own arguments", None, f"{HOST}/{QUOTED}"
            )
        }
    ),
    "multipart_complete": Reading(
        differs={
            "Location": Differ(
                "we return what the store said, the SDK builds its own",
                f"http://{HOST}/{QUOTED}",
                f"{HOST}/{QUOTED}",
            )
        }
    ),
    "multipart_list_part": Reading(ENCODING, {"Key": DECODED}),
    "multipart_list": Reading({**ENCODING, r"^CommonPrefixes\.": "CommonPrefixes[0]."}, UPLOADS),
}
PYTHON = {
    "get_service": Reading({r"^Buckets\.Bucket\b": "Buckets"}),
    "get_service, empty": Reading(
        differs={
            "Owner": Differ("an empty record, not nothing", {}, None),
            "Buckets": Differ("an empty list, not nothing", [], None),
        }
    ),
    "head_bucket, forbidden": Reading(is_error=True),
    "head_bucket, missing": Reading(is_error=True),
    "get_bucket": Reading(differs={**LIST, "Marker": EMPTY}),
    "get_bucket_acl": Reading(CANNED, DERIVED),
    "get_object_acl": Reading(CANNED),
    "get_bucket_cors, with more than rules": Reading(differs=VARY),
    "get_bucket_tagging": Reading({r"^TagSet\.Tag\b": "Tags"}),
    "delete_object, without a bucket": Reading(is_error=True),
    "multipart_list_part": Reading(ENCODING, {"Key": DECODED}),
    "multipart_list": Reading(ENCODING, {**UPLOADS, "KeyMarker": EMPTY, "UploadIdMarker": EMPTY}),
}
