"""Keys that break consoles. Every one is legal in COS."""

from __future__ import annotations

HOSTILE_KEYS = (
    "<script>alert(1)</script>",
    "\"quoted\" & 'single' <b>",
    "a/../b",
    "../up",
    "a//b",
    "a/ leading and trailing ",
    "question?and#hash&amp=1+2%20%",
    "rtl \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "bidi\u202efdp.exe",
    "tab\tand\nline\rbreaks",
    "bell\x07and delete\x7f",
    "\U0001f469\u200d\U0001f680 emoji \U0001f600",
    "backslash\\and`tick{x}[y]~^|*",
    "中文/文件名.txt",
    "k" * 850,
    "..",
    ".",
)
