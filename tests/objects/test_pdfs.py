from __future__ import annotations

import time

import pytest

from apps.objects.pdfs import may_hold_script
from tests.objects.specimens import SCRIPT, object_stream, pdf, pdf_with_script


def test_plain_pdf_is_shown() -> None:
    assert not may_hold_script(pdf())
    assert not may_hold_script(pdf(b"(How to write JavaScript)"))
    assert not may_hold_script(pdf(object_stream(b"<</A 1>>")))


@pytest.mark.parametrize(
    "document",
    [
        pdf_with_script(),
        pdf(b"<</S/J#61vaScript/JS(x)>>"),
        pdf(object_stream(SCRIPT)),
        pdf(object_stream(b"<</S/Java#53cript>>")),
        pdf(object_stream(b"", more=b"/DecodeParms<</Predictor 12>>")),
        pdf(
            b"<</Type/ObjStm/N 1/First 4/Filter[/ASCIIHexDecode/FlateDecode]/Length 3>>stream\n78>\nendstream"
        ),
        pdf(b"<</Type/Obj#53tm/N 1/First 4/Length 30>>stream\n7 0 <</S/JavaScript>>\nendstream"),
        pdf(b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length 3>>stream\nbroken\nendstream"),
        pdf(object_stream(b"<<>>"), catalog=b"/Encrypt 9 0 R"),
        pdf(b"<</S/Launch/F(cmd.exe)>>"),
        b"%PDF-1.4 /ObjStm",
    ],
    ids=range(11),
)
def test_script_or_what_may_hide_one_is_not_shown(document: bytes) -> None:
    assert may_hold_script(document)


def test_many_streams_take_no_long_time() -> None:
    started = time.process_time()

    may_hold_script(b"%PDF-1.4\n" + b"1 0 obj<</Type/ObjStm>>stream\nx\x9c" * 20_000)

    assert time.process_time() - started < 5
