"""What COS accepts, as strategies: keys, metadata, headers, tags, grants and CORS rules."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

KEY_BYTES_MAX = 850
METADATA_BYTES_MAX = 2048
# Where keys have been mistaken for paths, queries, markup or lines.
PIECES = """
    / // /// . .. ./ ../ a b %2F %2e %00 %zz + ? # & = ; : @ \\ " ' < > | * [ ] { } ~ ^ ` $ , ! acl uploads
    é e\u0301 \u4e2d\u6587 \u05d0\u0628 \u202e \u200b \u200d \ufeff \ufffd \uffff \U0001f600 \U0010ffff
""".split()  # noqa: SIM905
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x18\x19\x1a\x1b")


def _shortened(text: str) -> str:
    return text.encode()[:KEY_BYTES_MAX].decode(errors="ignore")


_PIECE = st.one_of(
    st.sampled_from([*PIECES, " ", "  ", "\t", "\n", "\r", "\r\n", "\0", "\x01", "\x7f", "\x85", "\u2028"]),
    st.text(CHARACTERS, min_size=1, max_size=8),
    st.sampled_from(["k" * 300, "\u4e2d" * 290, "/" * 400]),
)
KEYS = (
    st.lists(_PIECE, min_size=1, max_size=6)
    .map(lambda pieces: _shortened("".join(pieces)))
    .filter(lambda key: key and key[0] not in "/\\")
)

# All that one header line can hold: no controls, but bytes above ASCII, blanks and tabs inside.
HEADER_VALUES = (
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, range(32)), "\x7f"])
        | st.just("\t"),
        max_size=30,
    )
    | st.sampled_from(["\xa0x\xa0", "\x85", "\u3000", "é", "\ufeff", 'a="b"; c', "100%", "", "  inside  "])
).map(lambda value: value.strip(" \t"))
META_NAMES = st.text("abcXYZ019-", min_size=1, max_size=12)
METADATA = st.dictionaries(META_NAMES, HEADER_VALUES, max_size=6).filter(
    lambda found: len({name.lower() for name in found}) == len(found)
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires"]
    ),
    HEADER_VALUES.filter(bool),
    max_size=4,
)

XML_TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, range(32)), "\ufffe", "\uffff"])
    | st.sampled_from("\t\n\r"),
    max_size=20,
)

_TAG_CHARACTERS = st.characters(categories=["L", "N", "M"]) | st.sampled_from(" +-=._:/@")
_TAG_KEYS = st.text(_TAG_CHARACTERS, min_size=1, max_size=127).filter(
    lambda key: key.strip() and not key.startswith(("qcs:", "project", "项目"))
)
TAGS = st.lists(
    st.builds(dict, Key=_TAG_KEYS, Value=st.text(_TAG_CHARACTERS, max_size=255)),
    min_size=1,
    max_size=50,
    unique_by=lambda tag: tag["Key"],
)

ALL_USERS = "http://cam.qcloud.com/groups/global/AllUsers"
SIGNED_IN = "http://cam.qcloud.com/groups/global/AuthenticatedUsers"
PERMISSIONS = ("READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL")
_UINS = st.integers(1, 10**12).map(str) | st.sampled_from(["100000000001", "100000000011"])
# A grantee in its canonical spelling.
ACCOUNTS = st.builds("qcs::cam::uin/{}:uin/{}".format, _UINS, _UINS) | _UINS.map(
    "qcs::cam::uin/{0}:uin/{0}".format
)
GRANTEES = ACCOUNTS | st.sampled_from([ALL_USERS, SIGNED_IN])


def grants(permissions: tuple[str, ...] = PERMISSIONS) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Return up to 100 pairs of grantee and permission, with repetitions."""
    pairs = st.tuples(GRANTEES, st.sampled_from(permissions))
    few = st.lists(pairs, max_size=8).map(lambda found: [*found, *found[:2]])
    return few | st.lists(pairs, min_size=80, max_size=100)


def policy(owner: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return the document that grants `pairs`."""
    listed = [
        {"Grantee": {"URI" if who.startswith("http") else "ID": who}, "Permission": what}
        for who, what in pairs
    ]
    return {"Owner": {"ID": owner}, "AccessControlList": {"Grant": listed}}


ORIGINS = ["http://a.example", "https://a.example", "https://b.a.example:8080", "https://a.example.evil"]
PATTERNS = ["*", "http://a.example", "https://*.example:8080", "https://a.example*", "https://A.example"]
METHODS = ["PUT", "GET", "POST", "DELETE", "HEAD"]
HEADER_PATTERNS = ["*", "x-a", "X-B", "x-*", "content-type"]
CORS_RULES = st.fixed_dictionaries(
    {
        "AllowedOrigin": st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3),
        "AllowedMethod": st.lists(st.sampled_from(METHODS), min_size=1, max_size=5, unique=True),
        "AllowedHeader": st.lists(st.sampled_from(HEADER_PATTERNS), max_size=3),
        "ExposeHeader": st.lists(st.sampled_from(["ETag", "x-cos-request-id"]), max_size=2),
        "MaxAgeSeconds": st.sampled_from(["", "0", "600"]) | st.integers(0, 10**9).map(str),
        "ID": XML_TEXTS,
    }
)
