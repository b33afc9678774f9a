"""Every word of the console is there in Simplified Chinese, in the file that Django reads."""

from __future__ import annotations

import re

import polib
import pytest
from django.test import Client

from apps.accounts.models import Person
from tests.house.catalog import MO, PO, Message, messages

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|%%")
ADVICE = "run: python -m tests.house.catalog"


@pytest.fixture(scope="module")
def catalog() -> polib.POFile:
    return polib.pofile(str(PO))


def translations_of(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_every_message_is_in_the_catalog(catalog: polib.POFile) -> None:
    known = {Message(entry.msgid, entry.msgid_plural) for entry in catalog}

    missing = sorted(message.text for message in messages() if message not in known)

    assert missing == [], ADVICE


def test_nothing_in_the_catalog_is_unused(catalog: polib.POFile) -> None:
    used = set(messages())

    unused = [entry.msgid for entry in catalog if Message(entry.msgid, entry.msgid_plural) not in used]

    assert unused == [], ADVICE


def test_everything_is_translated(catalog: polib.POFile) -> None:
    assert [entry.msgid for entry in catalog if not all(translations_of(entry))] == []
    assert not catalog.fuzzy_entries()


def test_placeholders_are_the_same(catalog: polib.POFile) -> None:
    for entry in catalog:
        for text in translations_of(entry):
            original = entry.msgid_plural or entry.msgid
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(original)), entry.msgid


def test_compiled_file_is_in_step(catalog: polib.POFile) -> None:
    compiled = polib.mofile(str(MO))

    assert {entry.msgid: translations_of(entry) for entry in compiled} == {
        entry.msgid: translations_of(entry) for entry in catalog
    }, ADVICE


def test_page_is_chinese_for_who_asks(client: Client, owner: Person) -> None:
    page = client.get("/sign-in/", headers={"Accept-Language": "zh-CN,zh;q=0.9"})

    assert '<html lang="zh-hans"' in page.text
    assert "用户名" in page.text


def test_choice_of_the_person_wins(client: Client, owner: Person) -> None:
    client.cookies["console_language"] = "en"

    assert "User name" in client.get("/sign-in/", headers={"Accept-Language": "zh-CN"}).text
