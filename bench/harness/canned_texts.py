"""What the canned store answers: the same documents for COS and S3, whose shapes agree this far."""

from __future__ import annotations

PAGE_KEYS = 1000
# Replaced by the number of the page; as long as what replaces it, so that each page has the same length.
_PAGE = "@@@@@@@@"
_DIGITS = len(_PAGE)

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_OWNER = "<ID>qcs::cam::uin/100000000001:uin/100000000001</ID><DisplayName>100000000001</DisplayName>"

_GRANT = (
    "<Grant><Grantee"
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">'
    "<ID>qcs::cam::uin/10000000000{n}:uin/10000000000{n}</ID><DisplayName>10000000000{n}</DisplayName>"
    "</Grantee><Permission>{permission}</Permission></Grant>"
)

ACL = (
    f"{_HEAD}<AccessControlPolicy><Owner>{_OWNER}</Owner><AccessControlList>"
    + _GRANT.format(n=1, permission="FULL_CONTROL")
    + _GRANT.format(n=2, permission="READ")
    + "</AccessControlList></AccessControlPolicy>"
).encode()

UPLOADS = f"{_HEAD}<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"

INITIATED = (
    f"{_HEAD}<InitiateMultipartUploadResult><Bucket>bench-1250000000</Bucket><Key>k</Key>"
    "<UploadId>canned-1</UploadId></InitiateMultipartUploadResult>"
)

COPIED = (
    f'{_HEAD}<CopyPartResult><ETag>"{{etag}}"</ETag>'
    "<LastModified>2026-08-01T12:00:00.000Z</LastModified></CopyPartResult>"
)

COMPLETED = (
    f"{_HEAD}<CompleteMultipartUploadResult><Location>bench-1250000000/k</Location>"
    '<Bucket>bench-1250000000</Bucket><Key>k</Key><ETag>"{etag}"</ETag></CompleteMultipartUploadResult>'
)


class Pages:
    """A listing of `keys` keys in pages of 1,000, each of some 300 KB; a page costs one copy of its bytes."""

    def __init__(self, keys: int) -> None:
        self._last = -(-keys // PAGE_KEYS) - 1
        rows = "".join(_row(_key(_PAGE, number), number) for number in range(PAGE_KEYS))
        self._rows = rows.encode()

    def page(self, marker: str) -> bytes:
        """Return the page after `marker`: a key or a token of this listing, empty for the first page."""
        number = int(marker[_NUMBER]) + 1 if marker else 0
        following = _key(_numbered(number), PAGE_KEYS - 1)
        is_truncated = number < self._last
        names = ("NextMarker", "NextContinuationToken") if is_truncated else ()
        head = (
            f"{_HEAD}<ListBucketResult><Name>bench-1250000000</Name><Prefix/><Marker>{marker}</Marker>"
            f"<MaxKeys>{PAGE_KEYS}</MaxKeys><KeyCount>{PAGE_KEYS}</KeyCount><EncodingType>url</EncodingType>"
            f"<IsTruncated>{str(is_truncated).lower()}</IsTruncated>"
            + "".join(f"<{name}>{following}</{name}>" for name in names)
        )
        rows = self._rows.replace(_PAGE.encode(), _numbered(number).encode())
        return b"".join((head.encode(), rows, b"</ListBucketResult>"))


_FOLDER = "photos/2026/"
_NUMBER = slice(len(_FOLDER), len(_FOLDER) + _DIGITS)


def _numbered(page: int) -> str:
    return str(page).zfill(_DIGITS)


def _key(page: str, number: int) -> str:
    return f"{_FOLDER}{page}/IMG_{number:04}.jpg"


def _row(key: str, number: int) -> str:
    return (
        f"<Contents><Key>{key}</Key><LastModified>2026-08-01T12:00:{number % 60:02}.000Z</LastModified>"
        f'<ETag>"{number:032x}"</ETag><Size>{number * 4099}</Size><Owner>{_OWNER}</Owner>'
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )
