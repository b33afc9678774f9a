"""Keys that clients spell differently, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

from tests.hostile import HOSTILE_KEYS
from tests.storage.wire.buckets import LIST
from tests.storage.wire.case import Case, Side

KEYS = (
    *HOSTILE_KEYS,
    "a/..",
    "a/.",
    "./a",
    "a/./b",
    "a/../../b",
    "a/",
    "a//",
    "a/ /b",
    "...",
    "%2F",
    "%2e%2e/a",
    "a?acl",
    "uploads",
    "a;b=c&d:e@f,g$h",
    "~!*()'\"",
    "http://host/key",
    " lead",
    "nul\0",
    "unit separator\x1f",
    "é composed, e\u0301 not",
    "\ufeffbyte order mark",
    "last \U0010ffff, private \ue000, wide blank \u3000",
)


def short_id(key: str) -> str:
    return ascii(key)[:40]


ESCAPED = "its HTTP library folds dot segments, so the SDK escapes the slash behind them"
FOLDED = "its HTTP library folds a dot segment at the end, which no slash follows: that is another resource"


@dataclass(frozen=True)
class Rewritten:
    """What the Python SDK sends for a key. A folded path is not the one that was signed."""

    path: str
    because: str

    @property
    def is_signed(self) -> bool:
        return self.because != FOLDED


PYTHON_REWRITES = {
    "a/../b": Rewritten("/a/..%2Fb", ESCAPED),
    "../up": Rewritten("/..%2Fup", ESCAPED),
    "./a": Rewritten("/.%2Fa", ESCAPED),
    "a/./b": Rewritten("/a/.%2Fb", ESCAPED),
    "a/../../b": Rewritten("/a/..%2F..%2Fb", ESCAPED),
    "a/.": Rewritten("/a/", FOLDED),
    "a/..": Rewritten("/", FOLDED),
    "..": Rewritten("/", FOLDED),
    ".": Rewritten("/", FOLDED),
}
# Neither SDK reads a key that its own idea of folding takes for the bucket.
UNREADABLE = ("a/..", "..", ".")

# Keys that the documentation forbids, which we refuse before anything is sent; and what both SDKs send.
REFUSED = {
    "/lead": "/lead",
    "//": "//",
    "\\lead": "/%5Clead",
    "cancel\x18": "/cancel%18",
    "escape\x1b": "/escape%1B",
    "k" * 851: "/" + "k" * 851,
}


def calls_of(key: str) -> list[Case]:
    """Return one case per way in which a key travels outside of a body."""
    return [
        Case("put_object", {"Key": key, "Body": b"x"}, Side("put_object"), Side("putObject")),
        Case("head_object", {"Key": key}, Side("head_object"), Side("headObject")),
        Case("get_object", {"Key": key}, Side("get_object"), Side("getObject")),
        Case("delete_object", {"Key": key}, Side("delete_object"), Side("deleteObject")),
        Case(
            "get_bucket",
            {"Prefix": key, "Marker": key, "MaxKeys": 9, "EncodingType": "url"},
            Side("list_objects"),
            Side("getBucket"),
            LIST,
        ),
    ]
