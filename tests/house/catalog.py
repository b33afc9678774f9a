"""The catalog of Simplified Chinese: what is to be translated, and the binary file that Django reads.

`python -m tests.house.catalog` adds new words to the .po file, drops those that are gone, compiles it, and
prints what is not translated yet. Neither users nor tests need the gettext tools for it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
PO = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
SINGLE = {"_", "gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy"}
# What `templatize` makes of a template: calls among filler, with Python string literals.
STRING = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"\b(n?gettext|_)\(\s*{STRING}(?:\s*,\s*{STRING})?")


@dataclass(frozen=True)
class Message:
    """One thing to translate; `plural` is '' where there is no plural form."""

    text: str
    plural: str = ""


def messages() -> dict[Message, list[str]]:
    """Return every message of the pages and of the Python code, with the files that use it."""
    found: dict[Message, list[str]] = {}
    for path, message in [*_of_python(), *_of_templates()]:
        places = found.setdefault(message, [])
        if (place := str(path.relative_to(ROOT))) not in places:
            places.append(place)
    return found


def _of_python() -> Iterator[tuple[Path, Message]]:
    for folder in ("apps", "console"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and (message := _of_call(node)):
                    yield path, message


def _of_call(node: ast.Call) -> Message | None:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if name in SINGLE and len(texts) == 1 == len(node.args):
        return Message(texts[0])
    if name in PLURAL and len(texts) >= 2:
        return Message(texts[0], texts[1])
    return None


def _of_templates() -> Iterator[tuple[Path, Message]]:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        for name, text, plural in CALL.findall(templatize(path.read_text(), origin=str(path))):
            is_plural = name == "ngettext" and plural
            yield path, Message(ast.literal_eval(text), ast.literal_eval(plural) if is_plural else "")


def update() -> list[str]:
    """Bring the files up to date and return what is not translated."""
    old = {(entry.msgid, entry.msgid_plural): entry for entry in polib.pofile(str(PO))} if PO.exists() else {}
    catalog = polib.POFile(wrapwidth=100)
    catalog.metadata = {
        "Project-Id-Version": "COS Console",
        "Language": "zh_Hans",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    for message, places in sorted(messages().items(), key=lambda item: (item[1][0], item[0].text)):
        known = old.get((message.text, message.plural))
        entry = polib.POEntry(msgid=message.text, occurrences=[(place, "") for place in places])
        if "%(" in message.text:
            entry.flags = ["python-format"]
        if message.plural:
            entry.msgid_plural = message.plural
            entry.msgstr_plural = known.msgstr_plural if known else {0: ""}
        else:
            entry.msgstr = known.msgstr if known else ""
        catalog.append(entry)
    PO.parent.mkdir(parents=True, exist_ok=True)
    catalog.save(str(PO))
    catalog.save_as_mofile(str(MO))
    return [entry.msgid for entry in catalog.untranslated_entries()]


if __name__ == "__main__":
    for text in update():
        print("not translated:", text)
