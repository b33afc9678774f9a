"""What browsers on other sites may do with a bucket: its CORS rules, and a preflight that tries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.storage import errors
from apps.storage.cos.arguments import required_text
from apps.storage.cos.calls import Caller, Result, xml_request
from apps.storage.cos.messages import Subject
from apps.storage.cos.options import PreflightOptions, headers_of
from apps.storage.cos.xmlread import Element, rest_of, text_of, xml_parse
from apps.storage.cos.xmlwrite import cors_body

_CORS = (("cors", ""),)
_LISTS = ("AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader")
_TEXTS = frozenset({"ID", "MaxAgeSeconds", *_LISTS})
_ALLOWED = {
    "AccessControlAllowOrigin": "access-control-allow-origin",
    "AccessControlAllowMethods": "access-control-allow-methods",
    "AccessControlAllowHeaders": "access-control-allow-headers",
    "AccessControlExposeHeaders": "access-control-expose-headers",
    "AccessControlMaxAge": "access-control-max-age",
    "AccessControlAllowCredentials": "access-control-allow-credentials",
}


class CorsOperations(Caller):
    """Get, Put and Delete of Bucket CORS, and Options Object."""

    def get_bucket_cors(self, *, Bucket: str, Region: str) -> Result:
        """Return `CORSRule`: rules whose methods, origins and headers are lists, empty rather than absent.

        `AllowedMethod`, `AllowedOrigin`, `AllowedHeader`, `ExposeHeader`; `MaxAgeSeconds` and `ID` are text.
        `Extra`, of a rule and of the whole, has further elements as pairs of name and text, such as
        `ResponseVary`. `Unknown` names those that are more than a text; a write would lose them.
        Raises NotFound where nothing is configured. Source: GET Bucket cors, 2026-08.
        """
        answer = self._bucket_call("Get Bucket CORS", "GET", Bucket, Region, query=_CORS)
        root = xml_parse(answer.body, "CORSConfiguration")
        nodes = root.findall("CORSRule")
        extra, unknown = rest_of(root, texts=frozenset(), branches=frozenset({"CORSRule"}))
        unknown += [name for node in nodes for name in rest_of(node, texts=_TEXTS)[1]]
        return {
            "CORSRule": [_rule(node) for node in nodes],
            "Extra": extra,
            "Unknown": unknown,
            "RequestId": answer.request_id,
        }

    def put_bucket_cors(
        self,
        *,
        Bucket: str,
        Region: str,
        CORSRules: Sequence[Mapping[str, Any]],
        Extra: Sequence[tuple[str, str]] = (),
    ) -> Result:
        """Replace the CORS rules and return `PutBucketCorsSucesss`, spelled as documented.

        A rule has `AllowedOrigins` and `AllowedMethods`, and may have `AllowedHeaders`, `ExposeHeaders`,
        `MaxAgeSeconds` and `ID`. Rules and `Extra` as Get Bucket CORS returns them are taken, too, and
        methods in any case. Raises Refused for what is no rule, and for none at all or more than 100.
        Source: PUT Bucket cors, 2026-08.
        """
        answer = self._bucket_call(
            "Put Bucket CORS",
            "PUT",
            Bucket,
            Region,
            query=_CORS,
            **xml_request(cors_body(CORSRules, extra=Extra)),
        )
        return {"PutBucketCorsSucesss": True, "RequestId": answer.request_id}

    def delete_bucket_cors(self, *, Bucket: str, Region: str) -> Result:
        """Remove all CORS rules and return `DeleteBucketCorsSuccess`, true also when there were none.

        Raises BucketNotFound for a missing bucket. Source: DELETE Bucket cors, 2026-08.
        """
        request_id = self._settings_delete("Delete Bucket CORS", Bucket, Region, query=_CORS)
        return {"DeleteBucketCorsSuccess": True, "RequestId": request_id}

    def options_object(
        self,
        *,
        Bucket: str,
        Region: str,
        Key: str,
        Origin: str,
        AccessControlRequestMethod: str,
        AccessControlRequestHeaders: str = "",
    ) -> Result:
        """Ask, as a browser does, whether a page of `Origin` may send a request; unsigned like the real one.

        `AccessControlRequestHeaders` are names joined by commas. Returns `AccessControlAllowOrigin`,
        `…AllowMethods`, `…AllowHeaders`, `…ExposeHeaders`, `…MaxAge` (seconds, as text) and
        `…AllowCredentials`, each empty where the store left it out; the object need not exist. When no rule
        matches, all are empty and `OptionsForbidden` is true. Raises BucketNotFound for a missing bucket.
        Source: OPTIONS Object, 2026-08.
        """
        asked = {
            "Origin": required_text("Origin", Origin),
            "AccessControlRequestMethod": required_text(
                "AccessControlRequestMethod", AccessControlRequestMethod
            ),
            "AccessControlRequestHeaders": AccessControlRequestHeaders or None,
        }
        try:
            answer = self._object_call(
                "Options Object",
                "OPTIONS",
                Bucket,
                Region,
                Key,
                headers=headers_of(asked, PreflightOptions),
                is_signed=False,
                subject=Subject.BUCKET,
            )
        except errors.Denied as error:
            if error.status != 403:
                raise
            return {**dict.fromkeys(_ALLOWED, ""), "OptionsForbidden": True, "RequestId": error.request_id}
        allowed = {field: answer.headers.get(name, "") for field, name in _ALLOWED.items()}
        return {**allowed, "OptionsForbidden": False, "RequestId": answer.request_id}


def _rule(node: Element) -> dict[str, Any]:
    return {
        "ID": text_of(node, "ID"),
        **{name: [item.text or "" for item in node.iterfind(name)] for name in _LISTS},
        "MaxAgeSeconds": text_of(node, "MaxAgeSeconds"),
        "Extra": rest_of(node, texts=_TEXTS)[0],
    }
