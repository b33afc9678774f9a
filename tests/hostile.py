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

_MARKUP = (
    "<script>alert(2)</script>.html",
    "<img src=x onerror=alert(3)>.png",
    "<svg onload=alert(4)>.svg",
    "'><script>alert(5)</script>.txt",
    '" onmouseover="alert(6)" x=".txt',
    "</td></tr></table><h1>out</h1>.txt",
    "</textarea><script>alert(7)</script>.md",
    "</title><script>alert(8)</script>.json",
    "<!--.txt",
    "-->.txt",
    "]]><b>.xml",
    "<![CDATA[x]]>.xml",
    "<?xml version='1.0'?>.xml",
    "&lt;b&gt;.txt",
    "&#x3c;script&#x3e;.txt",
    "&nbsp;&copy.txt",
    "<a href=javascript:alert(9)>.pdf",
    "javascript:alert(10)",
    "data:text/html,<script>alert(11)</script>",
    "<iframe srcdoc='<script>alert(12)</script>'>.html",
    "<b hx-get='/jobs/' hx-trigger='load'>.txt",
    "{{ 7*7 }}.txt",
    "{% now 'Y' %}.txt",
    "${7*7}.txt",
    "#{7*7}.txt",
    "%(count)s and {count}.txt",
)
_ADDRESSES = (
    "%00.txt",
    "%2e%2e%2fetc%2fpasswd",
    "%252e.txt",
    "100%.txt",
    "a+b=c&d;e,f.txt",
    "a?key=b&prefix=c#d",
    "https://example.com/x.txt",
    "a:b@c.txt",
    "../../../etc/passwd",
    "a/./b/../c.txt",
    "./here.txt",
    "a///b.txt",
    "folder/",
    "folder//",
    "twice/twice/",
    "C:\\windows\\x.txt",
    "\\\\server\\share",
    "~root/.bashrc",
    "CON",
    "nul.txt",
    "trailing dot.",
    "trailing space .txt ",
    "  leading.txt",
    " ",
    "-rf *",
    "--help",
    ".hidden",
    "...",
    "a" + "/b" * 200,
)
_DATA = (
    "=cmd|'/c calc'!A1.csv",
    "@sum(1).csv",
    "+1.csv",
    "-1.csv",
    "'; DROP TABLE x; --.sql",
    "100%_like\\_.txt",
    "null",
    "undefined",
    "true",
    "0",
    "__proto__",
    "constructor",
    "NaN.json",
    '{"key": "value"}.json',
    "[1, 2].json",
    "a,b,c.csv",
    'a"b""c.csv',
    "a\tb.tsv",
    "$(id).txt",
    "`id`.txt",
    "; id;.txt",
    "| id.txt",
    "*.*",
    "[a-z]?.txt",
)
_SCRIPTS = (
    "עברית.txt",
    "العربية/ملف.txt",
    "مرحبا <b>.txt",
    "日本語.md",
    "한국어.csv",
    "ภาษาไทย.txt",
    "हिन्दी.txt",
    "caf\u00e9.txt",
    "cafe\u0301.txt",
    "Upper.txt",
    "upper.txt",
    "ﬁle.txt",
    "ｆｕｌｌｗｉｄｔｈ.txt",
    "Ζ\u0336a\u0336l\u0336g\u0336o\u0336" + "\u0321" * 40 + ".txt",
    "🏳️‍🌈.png",
    "👨‍👩‍👧‍👦 family.jpg",
    "🇨🇳🇭🇰.txt",
    "𝒻𝒶𝓃𝒸𝓎.txt",
    "\U0010fffd.txt",
    "\ue000 private.txt",
    "\ufeffbom.txt",
    "\ufffdreplacement.txt",
    "中" * 283,
    "🙂" * 212,
    "e" * 846 + ".txt",
)
_HIDDEN = (
    "\u00a0\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u2060"
    "\u2066\u2069\u3000"
)
# What a new key may hold of the control characters; the service refuses the others.
_CONTROLS = [chr(code) for code in (*range(0x01, 0x18), *range(0x1C, 0x20), *range(0x7F, 0x8A))]


def hostile_keys(count: int) -> list[str]:
    """Return `count` different keys that a store takes and that somebody meant no good with."""
    keys = dict.fromkeys([*HOSTILE_KEYS, *_MARKUP, *_ADDRESSES, *_DATA, *_SCRIPTS])
    keys |= dict.fromkeys(f"hidden {character} sign.txt" for character in _HIDDEN)
    keys |= dict.fromkeys(f"control {character} sign.txt" for character in _CONTROLS)
    keys |= dict.fromkeys(f"at the end{character}" for character in _CONTROLS[::3])
    keys |= dict.fromkeys(f"in a {character} folder/x.txt" for character in _CONTROLS[1::3])
    assert len(keys) >= count, f"{len(keys)} keys are not enough."
    return list(keys)[:count]
