from __future__ import annotations

import pytest

from apps.storage.keys import key_pieces


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("a/b c.txt", "a/b c.txt"),
        (" a ", "[␠]a[␠]"),
        ("  ", "[␠][␠]"),
        ("a\x00b\nc\x7f", "a[␀]b[␊]c[␡]"),
        ("\u202egpj.exe", "[U+202E]gpj.exe"),
        ("zero\u200bwidth", "zero[U+200B]width"),
        ("no\u00a0break", "no[U+00A0]break"),
        ("资料/报告.pdf", "资料/报告.pdf"),
        ("שלום.txt", "שלום.txt"),
        ("", ""),
    ],
)
def test_what_hides_or_misleads_is_drawn(key: str, shown: str) -> None:
    pieces = [f"[{text}]" if is_sign else text for text, is_sign in key_pieces(key)]

    assert "".join(pieces) == shown
