"""Presigned URLs and temporary keys, at one second of one clock."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from apps.storage.cos import CosClient
from apps.storage.types import Credentials, Endpoint
from tests.storage.identity import SECRET_ID, SECRET_KEY
from tests.storage.wire.case import AT, KEY

TOKEN = "TOK/EN+="
NOW = 1700000060
# The Python SDK back-dates a window by a minute, as we do; the Node SDK by a second.
BACKDATED_S, NODE_BACKDATED_S = 60, 1
EXPIRES_S = 600

URLS = {
    "GET": ("GET", {}),
    "PUT of a part": ("PUT", {"partNumber": "3", "uploadId": "u/1"}),
    "GET of a version": ("GET", {"versionId": "MTg0NDUx+/="}),
    "GET under other headers": (
        "GET",
        {"response-content-disposition": "attachment; filename*=UTF-8''%E4%B8%AD", "response-expires": "0"},
    ),
    "DELETE": ("DELETE", {}),
}


def our_url(method: str, query: dict[str, str], token: str | None = None) -> str:
    """Return what our client makes of it."""
    client = CosClient(
        credentials=Credentials(SECRET_ID, SECRET_KEY, token), endpoint=Endpoint("http"), clock=lambda: NOW
    )
    return client.get_object_url(**AT, Key=KEY, Method=method, Expires=EXPIRES_S, Query=query)


def taken_apart(url: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the URL up to its query, and the decoded parameters in alphabetical order."""
    parts = urlsplit(url)
    return parts._replace(query="").geturl(), sorted(parse_qsl(parts.query, keep_blank_values=True))
