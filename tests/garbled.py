"""Strategies for documents that are almost XML, or XML that is almost what the protocol says."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

TEXTS = st.sampled_from(
    ["", " ", "x", "-1", "0", "1e9", "NaN", "\u0663", "9" * 25, "true", "\U0001f600", "&#13;"]
)
# What a parser must refuse or survive, around a root that the caller names.
BOMBS: tuple[str, ...] = (
    '<!DOCTYPE {0} [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><{0}>&b;&b;&b;</{0}>',
    '<!DOCTYPE {0} SYSTEM "file:///etc/passwd"><{0}/>',
    '<?xml version="1.0" encoding="utf-7"?><{0}/>',
    '<?xml version="1.0" encoding="nonsense"?><{0}/>',
    '<?xml version="9.9"?><{0}/>',
    "<?xml version='1.0'?><?xml version='1.0'?><{0}/>",
    "<{0}>&nbsp;</{0}>",
    "<{0}>&#0;</{0}>",
    "<{0}>\0</{0}>",
    "<{0}/><{0}/>",
    '<{0} a="1" a="2"/>',
    '<x:{0} xmlns:x="u"/>',
    "<x:{0}/>",
    "<{0}><![CDATA[<]]></{0}>",
    "<!-- -- --><{0}/>",
)
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "cp037")


def trees(tags: Sequence[str]) -> st.SearchStrategy[str]:
    """Return elements with these names, nested, repeated and left out at random."""
    names = st.sampled_from(tags)
    leaves = st.builds("<{0}>{1}</{0}>".format, names, TEXTS)
    return st.recursive(
        leaves, lambda inner: st.builds(_element, names, st.lists(inner, max_size=4)), max_leaves=12
    )


def _element(name: str, children: list[str]) -> str:
    return f"<{name}>{''.join(children)}</{name}>"


def nested(root: str, depth: int) -> bytes:
    """Return a document that is deep and nothing else."""
    return f"<{root}>{'<a>' * depth}{'</a>' * depth}</{root}>".encode()


def documents(valid: str, tags: Sequence[str]) -> st.SearchStrategy[bytes]:
    """Return bytes around the valid document `valid`: cut, changed, encoded, replaced, hostile."""
    raw = valid.encode()
    root = tags[0]
    whole = trees(tags).map(lambda inner: f"<{root}>{inner}</{root}>".encode())
    return st.one_of(
        st.binary(max_size=60),
        st.integers(0, len(raw)).map(lambda end: raw[:end]),
        st.builds(_spoiled, st.just(raw), st.integers(0, len(raw) - 1), st.binary(max_size=3)),
        st.sampled_from(ENCODINGS).map(valid.encode),
        st.sampled_from(BOMBS).map(lambda bomb: bomb.format(root).encode()),
        st.sampled_from(tags).map(lambda tag: raw.replace(f"<{tag}>".encode(), f"<{tag}><{tag}>".encode())),
        st.sampled_from(tags).map(lambda tag: raw.replace(tag.encode(), b"Other")),
        st.tuples(st.sampled_from(tags), TEXTS).map(lambda pair: _emptied(valid, *pair)),
        whole,
    )


def _spoiled(raw: bytes, at: int, instead: bytes) -> bytes:
    return raw[:at] + instead + raw[at + 1 :]


def _emptied(valid: str, tag: str, text: str) -> bytes:
    """Replace what stands inside every `tag`."""
    pieces = valid.split(f"<{tag}>")
    rest = (piece.partition(f"</{tag}>")[2] for piece in pieces[1:])
    return (pieces[0] + "".join(f"<{tag}>{text}</{tag}>{after}" for after in rest)).encode()
