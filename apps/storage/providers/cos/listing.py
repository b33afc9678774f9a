"""A page of Get Bucket, from the store's bytes to the rows of the contract.

A page has a thousand objects of eight elements each, nearly all of the same plain form. One pattern reads
those in a sixth of the time that an element, a record and a check of each field take; whatever is not of that
form, and the document around it, goes through the parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from apps.storage.cos.bucket import page_end
from apps.storage.cos.records import next_marker
from apps.storage.cos.xmlread import Decoder, Element, xml_check, xml_parse
from apps.storage.providers.cos.values import summary_of, time_of
from apps.storage.types import Listing, ObjectSummary

# What stands for itself in XML: no markup, no reference, nothing that a parser refuses or rewrites.
_TEXT = "[ !#-%'-;=?-~]"
_BLANK = r"[ \t\r\n]*"
# The fields that the rows have, quotes of the ETag left out; 18 digits are always a size.
_FIELDS = (
    "<Contents>",
    f"<Key>({_TEXT}+)</Key>",
    f"<LastModified>({_TEXT}*)</LastModified>",
    f'<ETag>(?:&quot;|")?({_TEXT}*)(?:&quot;|")?</ETag>',
    "<Size>([0-9]{1,18})</Size>",
    "<Owner>",
    f"<ID>({_TEXT}+)</ID>",
    f"<DisplayName>{_TEXT}*</DisplayName>",
    "</Owner>",
    "<StorageClass>([A-Z_]+)</StorageClass>",
    "</Contents>",
)
_ROW = re.compile(_BLANK.join(_FIELDS))
_GROUPS = _ROW.groups
_PLACE = "plain-row"


def listing_of(body: bytes, *, marker: str) -> Listing:
    """Return the page behind `marker`; raises Unavailable for what is no list, or makes no sense."""
    xml_check(body)
    root, fields = _plain_apart(body)
    decoder = Decoder(root)
    plain = map(
        ObjectSummary,
        map(decoder.text, fields[0]),
        map(int, fields[3]),
        fields[2],
        map(time_of, fields[1]),
        fields[5],
        fields[4],
    )
    prefixes = tuple(decoder.prefixes(root))
    objects = tuple(_in_order(root, decoder, plain) if root.find("Contents") is not None else plain)
    end = page_end(root, decoder, chain((row.key for row in objects), prefixes))
    return Listing(objects=objects, prefixes=prefixes, next_marker=next_marker(end, marker))


def _in_order(root: Element, decoder: Decoder, plain: Iterator[ObjectSummary]) -> Iterator[ObjectSummary]:
    for child in root:
        if child.tag == _PLACE:
            # None is left where the store itself has an element of this name.
            yield from islice(plain, 1)
        elif child.tag == "Contents":
            yield summary_of(decoder.record(child))


def _plain_apart(body: bytes) -> tuple[Element, Sequence[Sequence[str]]]:
    """Return the root with a place in it for each plain row, and the texts of those rows, field by field.

    The text of a plain row means the same wherever elements may stand, so that it can be taken out before the
    rest is parsed. One that stands elsewhere, in a comment or below another element, leaves no place under
    the root: then the parser reads everything.
    """
    nothing: Sequence[Sequence[str]] = [[]] * _GROUPS
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return xml_parse(body, "ListBucketResult"), nothing
    pieces = _ROW.split(text)
    around = pieces[:: _GROUPS + 1]
    if len(around) == 1 or _PLACE in text:
        return xml_parse(body, "ListBucketResult"), nothing
    root = xml_parse(f"<{_PLACE}/>".join(around).encode(), "ListBucketResult")
    if len(root.findall(_PLACE)) != len(around) - 1:
        return xml_parse(body, "ListBucketResult"), nothing
    return root, [pieces[number :: _GROUPS + 1] for number in range(1, _GROUPS + 1)]
